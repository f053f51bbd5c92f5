import re
from typing import Any

import pyarrow as pa
import pytest

from exporters import ColumnOptions
from exporters.xlsx.features import formula_segments
from exporters.xlsx.formulas import formula_text, spelled
from tests.support.workbooks import File, written

ORDERS = pa.table({"price": [1.5, 2.0, None], "quantity": [2, 3, 4], "name": ["a", "b", "c"]})


def formulas(file: File, number: int = 1) -> list[str | None]:
    """The formulas of a sheet's cells, row by row."""
    return [each.text for each in file.found("f", number)]


def formula(text: str, rows: int = 1, **more: Any) -> list[str | None]:
    asked = {"header": "f", "formula": text, **more}
    return formulas(written(ORDERS.slice(0, rows), formulas=[asked]))


def test_a_formula_has_the_cells_of_its_row() -> None:
    assert formula("={price}*{quantity}", 3) == ["A2*B2", "A3*B3", "A4*B4"]


def test_its_column_stands_behind_those_of_the_stream() -> None:
    file = written(ORDERS, formulas=[{"header": "f", "formula": "={price}*2"}])
    assert file.rows[0][:2] == [("price", "quantity", "name", "f"), (1.5, 2, "a", "=A2*2")]


def test_an_equals_sign_may_be_left_out() -> None:
    assert formula("{price}*2") == ["A2*2"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=SUM({{1,2}})*{price}", "SUM({1,2})*A2"),
        ("={{1,2}}", "({1,2})"),
        ("={price}+{{1}}", "(A2+{1})"),
        ('=IF({name}="{{}}",1,2)', 'IF(C2="{}",1,2)'),
    ],
)
def test_doubled_braces_are_braces(text: str, cell: str) -> None:
    assert formula(text) == [cell]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=CONCAT({name},{name})", "_xlfn.CONCAT(C2,C2)"),
        ("=SWITCH({name},1,2)", "_xlfn.SWITCH(C2,1,2)"),
        ("=IFS({price}>1,TEXTJOIN(1,1,{name}))", "_xlfn.IFS(A2>1,_xlfn.TEXTJOIN(1,1,C2))"),
        ("=XLOOKUP({name},C:C,A:A)", "_xlfn.XLOOKUP(C2,C:C,A:A)"),
        ("=SORT({price})", "_xlfn._xlws.SORT(A2)"),
        ("=SUM({price})", "SUM(A2)"),
    ],
)
def test_newer_functions_have_the_prefix_that_excel_needs(text: str, cell: str) -> None:
    file = written(ORDERS.slice(0, 1), formulas=[{"header": "f", "formula": text}])
    assert formulas(file) == [cell]
    assert "xl/metadata.xml" not in file.parts


def test_a_value_of_its_own_is_one_cell_and_no_array() -> None:
    file = written(ORDERS, formulas=[{"header": "f", "formula": "=UNIQUE({name})"}])
    assert b't="array"' not in file.parts["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(
    "text",
    ['"<&>"&{name}', "{price}<{quantity}", "{price}\n+{quantity}", '"漢😀"&{name}', "'a b'!A1"],
)
def test_every_character_arrives(text: str) -> None:
    cell = text.replace("{name}", "C2").replace("{price}", "A2").replace("{quantity}", "B2")
    assert formula("=" + text) == [cell]


def test_formulas_may_name_each_other() -> None:
    asked = [
        {"header": "total", "formula": "={net}*1.2"},
        {"header": "net", "formula": "={price}*{quantity}"},
    ]
    assert formulas(written(ORDERS.slice(0, 1), formulas=asked)) == ["E2*1.2", "A2*B2"]


def test_columns_are_named_by_header_or_by_the_streams_name() -> None:
    columns = [ColumnOptions("quantity"), ColumnOptions("price", "Price in €")]
    asked = [{"header": "f", "formula": "={Price in €}+{price}+{quantity}"}]
    assert formulas(written(ORDERS.slice(0, 1), columns, formulas=asked)) == ["B2+B2+A2"]


def test_a_formula_without_columns_is_the_same_in_every_row() -> None:
    assert formula("=ROW()", 3) == ["ROW()"] * 3


def test_columns_beyond_z_have_more_letters() -> None:
    table = pa.table({f"c{n}": [n] for n in range(800)})
    asked = [{"header": "f", "formula": "={c25}+{c26}+{c799}"}]
    file = written(table, formulas=asked)
    assert formulas(file) == ["Z2+AA2+ADT2"]
    assert file.sheet["ADU2"].value == "=Z2+AA2+ADT2"


def test_rows_are_those_of_every_block_and_sheet() -> None:
    rows = 25_000
    table = pa.table({"n": range(rows)})
    file = written(
        table.to_batches(max_chunksize=4_001),
        formulas=[{"header": "f", "formula": "={n}+1"}],
        rows_per_sheet=20_000,
        start_row=5,
    )
    for number, count in ((1, 20_000), (2, 5_000)):
        assert formulas(file, number) == [f"A{row}+1" for row in range(6, 6 + count)]


def test_without_rows_there_is_the_header_alone() -> None:
    file = written(
        pa.record_batch({"n": pa.array([], pa.int8())}),
        formulas=[{"header": "f", "formula": "={n}+1", "format": "0.00"}],
    )
    assert file.rows == [[("n", "f")]]


def test_a_formula_has_its_format_and_width() -> None:
    asked = {"header": "f", "formula": "={price}", "format": "currency", "width": 30}
    file = written(ORDERS, formulas=[asked])
    assert "$" in file.sheet["D2"].number_format
    assert file.sheet.column_dimensions["D"].width == pytest.approx(30, abs=1)


def test_a_formula_without_a_format_is_general() -> None:
    file = written(ORDERS, formulas=[{"header": "f", "formula": "={price}"}])
    assert file.sheet["D2"].number_format == "General"


def test_a_formula_of_a_null_is_a_formula_too() -> None:
    assert formula("={price}", 3)[2] == "A4"


def test_values_are_left_to_whoever_calculates() -> None:
    file = written(ORDERS, formulas=[{"header": "f", "formula": "={quantity}"}])
    assert [row[3] for row in file.values.active.iter_rows(min_row=2, values_only=True)] == [
        None
    ] * 3
    assert re.search(rb'<calcPr [^>]*fullCalcOnLoad="1"', file.parts["xl/workbook.xml"])


def test_a_text_that_looks_like_a_formula_is_none() -> None:
    table = pa.table({"t": ["={n}", "=1+1", "{=1}"]})
    assert formulas(written(table)) == []


def test_cells_of_a_rule_stay_in_their_columns() -> None:
    segments = (("SUM(", 0), (",", 27), (")", None))
    assert formula_text(segments, 7) == "=SUM(A7,AB7)"
    assert formula_text(segments, 7, fixed=True) == "=SUM($A7,$AB7)"


def test_formulas_are_spelled_in_order() -> None:
    texts = [f'=CONCAT({n},"<")' for n in range(30)]
    assert spelled(texts) == [f'_xlfn.CONCAT({n},"&lt;")' for n in range(30)]
    assert spelled([]) == []


def test_what_begins_a_formula_is_left_out_however_often_it_stands() -> None:
    assert formula_segments("== {a}") == formula_segments(" {a}")

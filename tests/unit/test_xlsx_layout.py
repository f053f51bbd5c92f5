from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from exporters import ColumnOptions, InvalidSchema, LimitExceeded, XlsxOptions
from exporters.columns import Projection
from exporters.xlsx.features import MAX_FORMULA
from exporters.xlsx.layout import MAX_COLUMNS, MAX_TABLE_HEADER, Layout
from exporters.xlsx.measures import Measures
from exporters.xlsx.options import SHEET_ROWS
from exporters.xlsx.rows import RowWriter
from exporters.xlsx.shell import Shell
from tests.support.workbooks import refused

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("price", pa.float64()),
        ("day", pa.date32()),
        ("flag", pa.bool_()),
        ("length", pa.duration("s")),
        ("time", pa.time32("s")),
    ]
)

RENAMED = [ColumnOptions("name", "Price"), ColumnOptions("price", "name"), ColumnOptions("day")]

BOLD = {"bold": True}


def layout_of(columns: list[ColumnOptions] | None = None, **options: Any) -> Layout:
    return Layout(Projection(SCHEMA, columns or ()), XlsxOptions.parse(options))


def formula(text: str, header: str = "f", **more: Any) -> dict[str, Any]:
    return {"header": header, "formula": text, **more}


def wide(columns: int) -> pa.Schema:
    return pa.schema([(f"c{n}", pa.int8()) for n in range(columns)])


# Places


def test_a_column_is_found_by_its_header_or_else_by_its_name_in_the_stream() -> None:
    layout = layout_of([ColumnOptions("price", "Price"), ColumnOptions("name")])
    assert [layout.place("urls", name) for name in ("Price", "price", "name")] == [0, 0, 1]


def test_a_header_goes_before_a_name_of_the_stream() -> None:
    layout = layout_of(RENAMED)
    assert [layout.place("urls", name) for name in ("Price", "name", "price")] == [0, 1, 1]


def test_formula_columns_stand_behind_those_of_the_stream() -> None:
    layout = layout_of(formulas=[formula("1"), formula("2", "g")])
    assert layout.headers == (*SCHEMA.names, "f", "g")
    assert [layout.is_formula(place) for place in (5, 6, 7)] == [False, True, True]
    assert (layout.kind(1), layout.kind(6)) == (pa.float64(), None)


NAMING: list[dict[str, Any]] = [
    {"urls": ["nmae"]},
    {"hidden_columns": ["name", "nmae"]},
    {"split_by": "nmae"},
    {"totals": {"nmae": "count"}},
    {"validations": [{"column": "nmae", "values": ["a"]}]},
    {"conditional_formats": [{"type": "data_bar", "column": "nmae"}]},
    {"conditional_formats": [
        {"type": "formula", "column": "name", "formula": "={nmae}>1", "style": BOLD}
    ]},
    {"formulas": [formula("={price}*{nmae}")]},
]  # fmt: skip


@pytest.mark.parametrize("options", NAMING, ids=lambda each: next(iter(each)))
def test_a_column_that_does_not_exist_is_answered_with_the_nearest(options: dict[str, Any]) -> None:
    key = next(iter(options))
    message = f"options.{key}: column 'nmae' is not in the file; did you mean 'name'?"
    refused(SCHEMA, message, **options)


def test_a_name_that_is_near_to_none_is_answered_with_those_there_are() -> None:
    refused(SCHEMA, "column 'x' is not in the file; it has: name, price, day, flag", urls=["x"])


def test_a_column_that_was_left_out_is_not_in_the_file() -> None:
    refused(SCHEMA, "options.urls: column 'name'", [ColumnOptions("day")], urls=["name"])


# Rows


def test_the_rows_of_a_sheet_leave_room_for_header_and_totals() -> None:
    assert layout_of().rows_a_sheet == SHEET_ROWS - 1
    assert layout_of(totals={"name": "count"}).rows_a_sheet == SHEET_ROWS - 2
    assert layout_of(start_row=10, totals={"name": "count"}).rows_a_sheet == SHEET_ROWS - 11
    assert layout_of(start_row=10, rows_per_sheet=7).rows_a_sheet == 7


def test_a_title_moves_the_rows_down() -> None:
    assert layout_of(title="x").first_row == 4
    assert layout_of(title="x", start_row=2).first_row == 3


def test_ranges_have_a_row_even_without_data() -> None:
    layout = layout_of(start_row=5)
    assert [layout.last_row(rows) for rows in (0, 1, 2)] == [6, 6, 7]


def test_no_row_with_formulas_becomes_more_xml_than_its_bound() -> None:
    """By the bound a sheet ends before its XML reaches the 4 GiB that a ZIP entry can have."""
    schema = wide(703)  # the last column has three letters
    texts = ["<" * 50, "={c702}" + "*{c702}" * 200, "DAYS({c0},1)", "SORT({c0})", '{c0}&"\'漢😀"']
    formulas = [formula(text, str(n)) for n, text in enumerate(texts)]
    projection = Projection(schema)
    layout = Layout(projection, XlsxOptions.parse({"formulas": formulas}))
    writer = RowWriter(layout, Shell(layout, [None] * len(layout.headers), "Sheet1"))
    batch = pa.RecordBatch.from_arrays([pa.array([-128, 127], pa.int8())] * 703, schema=schema)
    size = sum(piece.size for piece in writer.write(batch, SHEET_ROWS - 1).xml)
    assert size <= Measures(projection, layout).bound(batch)


# What is refused before any data


def test_formula_columns_count_among_those_of_a_sheet() -> None:
    message = "16385 columns; an Excel sheet has at most 16384"
    refused(wide(MAX_COLUMNS), message, error=LimitExceeded, formulas=[formula("1")])


def test_a_formula_column_needs_a_header_of_its_own() -> None:
    message = "options.formulas: two columns have the header 'day'; give one another"
    refused(SCHEMA, message, formulas=[formula("1", "day")])
    refused(SCHEMA, message, formulas=[formula("1", "day")], columns=[ColumnOptions("name", "day")])


@pytest.mark.parametrize(
    ("formulas", "way"),
    [
        ([formula("={f}+1")], "'f' refers to itself;"),
        ([formula("={g}"), formula("={f}", "g")], "refers to itself by way of '"),
        ([formula("={g}"), formula("={h}", "g"), formula("={f}", "h")], "by way of '"),
    ],
)
def test_a_formula_that_needs_its_own_value_is_refused(
    formulas: list[dict[str, Any]], way: str
) -> None:
    refused(SCHEMA, way, formulas=formulas)


def test_formulas_may_use_each_other_in_any_order() -> None:
    layout_of(formulas=[formula("={g}+{h}"), formula("={h}", "g"), formula("={price}", "h")])


def test_a_formula_is_measured_with_its_cells() -> None:
    longest = "=" + "+".join(["{name}"] * 900)
    assert len(longest) < MAX_FORMULA
    message = f"has 9000 characters with its cells; Excel takes {MAX_FORMULA}"
    refused(SCHEMA, message, formulas=[formula(longest)])
    rule = {"type": "formula", "column": "name", "formula": longest, "style": BOLD}
    refused(SCHEMA, "options.conditional_formats: the formula", conditional_formats=[rule])


@pytest.mark.parametrize(
    ("column", "function", "possible"),
    [
        ("name", "sum", "'name' is string, which has no sum; use count"),
        ("name", "max", "'name' is string, which has no max; use count"),
        ("flag", "average", "'flag' is bool, which has no average; use count"),
        ("day", "sum", "'day' is date32[day], which has no sum; use min, max or count"),
        ("time", "average", "'time' is time32[s], which has no average; use min, max or count"),
    ],
)
def test_a_total_that_the_type_does_not_have_is_refused(
    column: str, function: str, possible: str
) -> None:
    refused(SCHEMA, f"options.totals: {possible}", totals={column: function})


@pytest.mark.parametrize(
    ("column", "functions"),
    [
        ("name", ["count"]),
        ("price", ["sum", "average", "count", "min", "max"]),
        ("day", ["count", "min", "max"]),
        ("flag", ["count"]),
        ("length", ["sum", "average", "count", "min", "max"]),
        ("time", ["count", "min", "max"]),
        ("f", ["sum", "average", "count", "min", "max"]),
    ],
)
def test_every_other_total_is_taken(column: str, functions: list[str]) -> None:
    for function in functions:
        layout = layout_of(formulas=[formula("1")], totals={column: function})
        assert list(layout.totals.values()) == [function]


def test_a_column_has_one_total() -> None:
    message = "options.totals: 'Price' has two; leave out one of them"
    columns = [ColumnOptions("price", "Price")]
    refused(SCHEMA, message, columns, totals={"price": "sum", "Price": "max"})


def test_a_column_has_one_list_to_choose_from() -> None:
    lists = [{"column": "name", "values": [each]} for each in "ab"]
    refused(SCHEMA, "options.validations: 'name' has two lists", validations=lists)


@pytest.mark.parametrize("column", ["price", "day", "flag"])
def test_links_are_texts(column: str) -> None:
    refused(
        SCHEMA, f"options.urls: '{column}' is {SCHEMA.field(column).type}; name a", urls=[column]
    )


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.null(),
     pa.dictionary(pa.int8(), pa.string()), pa.run_end_encoded(pa.int32(), pa.string())],
    ids=str,
)  # fmt: skip
def test_texts_of_every_encoding_may_be_links(kind: pa.DataType) -> None:
    schema = pa.schema([("a", kind)])
    assert Layout(Projection(schema), XlsxOptions(urls=["a"])).links == {0}


def test_a_formula_is_no_column_of_links_and_none_to_split_by() -> None:
    formulas = [formula("1")]
    refused(SCHEMA, "options.urls: 'f' is a formula", formulas=formulas, urls=["f"])
    refused(SCHEMA, "options.split_by: 'f' is a formula", formulas=formulas, split_by="f")


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["a", "A"], "'a' twice, case aside"),
        (["Straße", "STRASSE"], "'strasse' twice, case aside"),
        (["a", ""], "an empty header"),
        (["a", " "], "an empty header"),
    ],
)
def test_headers_that_a_table_cannot_tell_apart_are_refused(names: list[str], fault: str) -> None:
    schema = pa.schema([(name, pa.int8()) for name in names])
    refused(schema, f"options.table_style: the columns have {fault}", table_style="light 1")
    Layout(Projection(schema), XlsxOptions())


@pytest.mark.parametrize("header", ["a\tb", "a\x01", "a\r\nb", "_x0041_", "\uffff"])
def test_a_header_that_a_table_cannot_keep_is_refused(header: str) -> None:
    schema = pa.schema([(header, pa.int8())])
    refused(schema, "has a character that a table cannot keep", table_style="light 1")


def test_a_header_longer_than_that_of_a_table_is_refused() -> None:
    schema = pa.schema([("😀" * (MAX_TABLE_HEADER // 2) + "xx", pa.int8())])
    message = "has 256 characters; at most 255"
    refused(schema, message, error=LimitExceeded, table_style="light 1")
    Layout(Projection(schema), XlsxOptions())


def test_a_stream_without_columns_is_refused_whatever_is_asked() -> None:
    refused(pa.schema([]), "no columns", error=InvalidSchema, formulas=[formula("1")])


def test_decimals_are_numbers_to_totals() -> None:
    schema = pa.table({"n": [Decimal("1.5")]}).schema
    layout = Layout(Projection(schema), XlsxOptions.parse({"totals": {"n": "average"}}))
    assert layout.totals == {0: "average"}

import re
import tracemalloc
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from openpyxl.formatting.rule import Rule

from exporters import XlsxOptions
from exporters.columns import Projection
from exporters.xlsx.layout import Layout
from exporters.xlsx.shell import Outline, Shell
from tests.support.workbooks import MAIN, File, written

ROWS = pa.table({"n": range(7), "name": [f"name {n}" for n in range(7)], "x": [0.5] * 7})

BOLD = {"bold": True}


def per_sheet(rows: int, **options: Any) -> File:
    """`ROWS` over sheets of so many rows."""
    return written(ROWS, rows_per_sheet=rows, **options)


def empty(**options: Any) -> File:
    return written(pa.RecordBatch.from_pylist([], ROWS.schema), **options)


def table_of(file: File, number: int = 1) -> ET.Element:
    return ET.fromstring(file.parts[f"xl/tables/table{number}.xml"])


# Tables


def test_header_and_rows_of_each_sheet_are_a_table() -> None:
    file = per_sheet(3, table_style="medium 2")
    tables = [table for sheet in file.book for table in sheet.tables.values()]
    assert [table.ref for table in tables] == ["A1:C4", "A1:C4", "A1:C2"]
    assert [table.name for table in tables] == ["Table1", "Table2", "Table3"]
    assert {table.tableStyleInfo.name for table in tables} == {"TableStyleMedium2"}
    assert [table.column_names for table in tables] == [["n", "name", "x"]] * 3


@pytest.mark.parametrize(
    ("style", "name"),
    [
        ("light 1", "TableStyleLight1"),
        ("medium 28", "TableStyleMedium28"),
        ("dark 11", "TableStyleDark11"),
    ],
)
def test_a_table_has_the_style_asked_for(style: str, name: str) -> None:
    info = table_of(per_sheet(7, table_style=style)).find(f"{MAIN}tableStyleInfo")
    assert info is not None
    assert info.get("name") == name


def test_a_table_without_rows_has_an_empty_one() -> None:
    """A table has at least one row besides its header."""
    file = empty(table_style="light 1", start_row=4)
    assert table_of(file).get("ref") == "A4:C5"


def test_a_table_has_filter_buttons_if_they_are_asked_for() -> None:
    with_buttons = table_of(per_sheet(7, table_style="light 1", autofilter=True))
    filtered = with_buttons.find(f"{MAIN}autoFilter")
    assert filtered is not None
    assert filtered.get("ref") == "A1:C8"
    assert table_of(per_sheet(7, table_style="light 1")).find(f"{MAIN}autoFilter") is None


def test_a_table_has_its_filter_and_the_sheet_none() -> None:
    """Excel takes a sheet with both for a damaged one."""
    file = per_sheet(3, table_style="light 1", autofilter=True)
    assert [sheet.auto_filter.ref for sheet in file.book] == [None] * 3
    assert b"_FilterDatabase" not in file.parts["xl/workbook.xml"]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_totals_belong_to_the_table_but_not_to_its_filter(rows: int) -> None:
    totals = {"n": "sum", "x": "average"}
    file = written(ROWS.slice(0, rows), table_style="light 1", autofilter=True, totals=totals)
    table = table_of(file)
    assert (table.get("ref"), table.get("totalsRowCount")) == (f"A1:C{rows + 2}", "1")
    filtered = table.find(f"{MAIN}autoFilter")
    assert filtered is not None
    assert filtered.get("ref") == f"A1:C{rows + 1}"
    columns = [
        (each.get("totalsRowFunction"), each.get("totalsRowLabel"))
        for each in table.iter(f"{MAIN}tableColumn")
    ]
    assert columns == [("sum", None), (None, "Total"), ("average", None)]
    row = [cell.value for cell in file.sheet[rows + 2]]
    assert row == ["=SUBTOTAL(109,Table1[n])", "Total", "=SUBTOTAL(101,Table1[x])"]
    assert file.sheet.max_row == rows + 2


def test_totals_of_a_table_have_values_for_readers_that_do_not_calculate() -> None:
    file = per_sheet(3, table_style="light 1", totals={"n": "sum"})
    found = [sheet.cell(sheet.max_row, 1).value for sheet in file.values]
    assert found == [0 + 1 + 2, 3 + 4 + 5, 6]


def test_no_look_of_the_totals_goes_to_new_rows_of_a_table() -> None:
    file = per_sheet(7, table_style="light 1", totals={"n": "sum"})
    assert b"dataDxfId" not in file.parts["xl/tables/table1.xml"]


@pytest.mark.parametrize(
    ("header", "name"),
    [("a b", "a b"), ("it's", "it''s"), ("[a]", "'[a']"), ("#", "'#"), ("漢", "漢")],
)
def test_headers_are_escaped_where_totals_name_them(header: str, name: str) -> None:
    file = written(pa.table({header: [1]}), table_style="light 1", totals={header: "sum"})
    assert file.sheet["A3"].value == f"=SUBTOTAL(109,Table1[{name}])"
    assert table_of(file).find(f".//{MAIN}tableColumn[@name]") is not None


def test_headers_of_a_table_are_those_of_its_cells() -> None:
    names = ['<a>&"b"', "line\nend", " edges ", "=1+1", "007"]
    file = written(pa.table({name: [1] for name in names}), table_style="light 1")
    assert [each.get("name") for each in table_of(file).iter(f"{MAIN}tableColumn")] == names
    assert [cell.value for cell in file.sheet[1]] == names


def test_formula_columns_are_columns_of_the_table() -> None:
    formulas = [{"header": "f", "formula": "={n}*2"}]
    file = per_sheet(7, table_style="light 1", formulas=formulas, totals={"f": "max"})
    assert table_of(file).get("ref") == "A1:D9"
    assert file.sheet["D9"].value == "=SUBTOTAL(104,Table1[f])"
    assert file.sheet["D8"].value == "=A8*2"


def test_a_large_table_needs_no_memory_for_its_cells() -> None:
    schema = pa.schema([(f"c{n}", pa.int8()) for n in range(10)])
    layout = Layout(Projection(schema), XlsxOptions.parse({"table_style": "light 1"}))
    shell = Shell(layout, [None] * 10, "Sheet1")
    tracemalloc.start()
    try:
        parts = shell.parts([Outline("a", 1_000_000), Outline("b", 7)])
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    refs = [ET.fromstring(parts[f"xl/tables/table{n}.xml"]).get("ref") for n in (1, 2)]
    assert refs == ["A1:J1000001", "A1:J8"]


# Conditional formats


def rules_of(file: File, sheet: int = 0) -> dict[str, list[Rule]]:
    """The rules of a sheet by their ranges."""
    return {
        str(each.sqref): each.rules for each in file.book.worksheets[sheet].conditional_formatting
    }


def rule_of(rule: dict[str, Any]) -> Rule:
    """The one rule of a workbook, on column `n`."""
    [[found]] = rules_of(per_sheet(7, conditional_formats=[{"column": "n", **rule}])).values()
    return found


def test_rules_reach_over_the_rows_of_each_sheet() -> None:
    rule = {"type": "duplicate", "column": "name", "style": BOLD}
    file = per_sheet(3, conditional_formats=[rule], title="x", totals={"n": "sum"})
    ranges = [list(rules_of(file, sheet)) for sheet in range(3)]
    assert ranges == [["B4:B6"], ["B4:B6"], ["B4"]]


@pytest.mark.parametrize("rows", [0, 1])
def test_a_rule_has_a_range_with_few_rows_too(rows: int) -> None:
    rules = [{"type": "unique", "column": "n", "style": BOLD}]
    batch = pa.record_batch({"n": pa.array(range(rows), pa.int8())})
    assert list(rules_of(written(batch, conditional_formats=rules))) == ["A2"]


@pytest.mark.parametrize(
    ("criteria", "operator"),
    [("=", "equal"), ("!=", "notEqual"), (">", "greaterThan"), (">=", "greaterThanOrEqual"),
     ("<", "lessThan"), ("<=", "lessThanOrEqual")],
)  # fmt: skip
def test_cells_are_compared_with_a_number(criteria: str, operator: str) -> None:
    rule = rule_of({"type": "cell", "criteria": criteria, "value": 1.5, "style": BOLD})
    assert (rule.type, rule.operator, rule.formula) == ("cellIs", operator, ["1.5"])


@pytest.mark.parametrize(
    ("criteria", "operator"), [("between", "between"), ("not between", "notBetween")]
)
def test_cells_are_compared_with_two_bounds(criteria: str, operator: str) -> None:
    bounds = {"value": -1, "maximum": 10}
    rule = rule_of({"type": "cell", "criteria": criteria, "style": BOLD, **bounds})
    assert (rule.operator, [float(each) for each in rule.formula]) == (operator, [-1, 10])


@pytest.mark.parametrize(
    ("value", "formula"),
    [("open", '"open"'), ('say "hi"', '"say ""hi"""'), ("=A1", '"=A1"'), ("5", '"5"'),
     ("<&>", '"<&>"'), ('"', '""""')],
)  # fmt: skip
def test_cells_are_compared_with_a_text_whatever_it_looks_like(value: str, formula: str) -> None:
    rule = rule_of({"type": "cell", "criteria": "=", "value": value, "style": BOLD})
    assert rule.formula == [formula]


@pytest.mark.parametrize(
    ("criteria", "kind", "formula"),
    [
        ("containing", "containsText", 'NOT(ISERROR(SEARCH("a""b",A2)))'),
        ("not containing", "notContainsText", 'ISERROR(SEARCH("a""b",A2))'),
        ("begins with", "beginsWith", 'LEFT(A2,3)="a""b"'),
        ("ends with", "endsWith", 'RIGHT(A2,3)="a""b"'),
    ],
)
def test_texts_are_searched_with_their_quotes(criteria: str, kind: str, formula: str) -> None:
    rule = rule_of({"type": "text", "criteria": criteria, "value": 'a"b', "style": BOLD})
    assert (rule.type, rule.text, rule.formula) == (kind, 'a"b', [formula])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"type": "top"}, (10, None, None)),
        ({"type": "bottom", "count": 3}, (3, None, True)),
        ({"type": "top", "count": 5, "percent": True}, (5, True, None)),
        ({"type": "bottom", "count": 100, "percent": True}, (100, True, True)),
    ],
)
def test_the_greatest_and_the_least_are_so_many_or_so_many_percent(
    asked: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    rule = rule_of({**asked, "style": BOLD})
    assert (rule.type, rule.rank, rule.percent, rule.bottom) == ("top10", *expected)


@pytest.mark.parametrize(
    ("kind", "found"),
    [("duplicate", "duplicateValues"), ("unique", "uniqueValues"), ("blank", "containsBlanks")],
)
def test_some_rules_need_nothing_but_a_look(kind: str, found: str) -> None:
    assert rule_of({"type": kind, "style": BOLD}).type == found


def test_a_rules_formula_stays_in_its_columns() -> None:
    formula = '=AND({x}<1,{name}="<a>",{n}>CONCAT({n}))'
    rule = rule_of({"type": "formula", "formula": formula, "style": BOLD})
    assert rule.formula == ['AND($C2<1,$B2="<a>",$A2>_xlfn.CONCAT($A2))']


def test_a_rule_may_stand_on_a_formula_column() -> None:
    rule = {"type": "cell", "column": "f", "criteria": ">", "value": 1, "style": BOLD}
    formulas = [{"header": "f", "formula": "={n}*2"}]
    file = per_sheet(7, formulas=formulas, conditional_formats=[rule])
    assert list(rules_of(file)) == ["D2:D8"]


@pytest.mark.parametrize("colors", [["#FF0000", "#00FF00"], ["#FF0000", "#FFFFFF", "#00FF00"]])
def test_a_colour_scale_has_two_or_three_colours(colors: list[str]) -> None:
    scale = rule_of({"type": "color_scale", "colors": colors}).colorScale
    assert [each.rgb for each in scale.color] == [f"FF{color[1:]}" for color in colors]
    assert [each.type for each in scale.cfvo] == ["min", "percentile", "max"][:: 4 - len(colors)]


def test_a_colour_scale_is_red_to_green_by_default() -> None:
    scale = rule_of({"type": "color_scale"}).colorScale
    assert [each.rgb for each in scale.color] == ["FFF8696B", "FFFFEB84", "FF63BE7B"]


def test_a_data_bar_has_a_name_of_its_own_on_every_sheet() -> None:
    bars = [{"type": "data_bar", "column": each, "color": "#00FF00"} for each in ("n", "x")]
    file = per_sheet(2, conditional_formats=bars)
    names = []
    for number in range(1, 5):
        part = file.parts[f"xl/worksheets/sheet{number}.xml"].decode()
        named = re.findall(r"<x14:id>([^<]*)</x14:id>", part)
        assert re.findall(r'<x14:cfRule type="dataBar" id="([^"]*)"', part) == named
        names += named
        ranges = ["A2", "C2"] if number == 4 else ["A2:A3", "C2:C3"]
        assert re.findall(r"<xm:sqref>([^<]*)<", part) == ranges
        assert part.count('<color rgb="FF00FF00"/>') == 2
    assert len(set(names)) == 8


def test_rules_keep_their_order_and_looks_on_every_sheet() -> None:
    styles = [{"bold": True}, {"color": "#FF0000"}, {"background": "#00FF00"}, {"border": "all"}]
    rules = [
        {"type": "cell", "column": "n", "criteria": ">", "value": n, "style": style}
        for n, style in enumerate(styles)
    ]
    file = per_sheet(3, conditional_formats=rules, table_style="light 1")
    for sheet in range(3):
        [found] = rules_of(file, sheet).values()
        assert [rule.priority for rule in found] == [1, 2, 3, 4]
        bold, color, background, border = (rule.dxf for rule in found)
        assert bold.font.b
        assert color.font.color.rgb == "FFFF0000"
        assert background.fill.bgColor.rgb == "FF00FF00"
        assert border.border.left.style == "thin"


def test_rules_on_dates_compare_with_their_day_numbers() -> None:
    rule = {"type": "cell", "column": "day", "criteria": ">", "value": 45351, "style": BOLD}
    file = written(pa.table({"day": [date(2024, 2, 29)]}), conditional_formats=[rule])
    [[found]] = rules_of(file).values()
    assert float(found.formula[0]) == 45351


# Lists to choose from


def test_a_list_is_offered_to_the_rows_of_each_sheet() -> None:
    lists = [{"column": "name", "values": ["open", "paid"], "error": "open or paid"}]
    file = per_sheet(3, validations=lists, totals={"n": "sum"})
    found = [sheet.data_validations.dataValidation for sheet in file.book]
    assert [[str(each.sqref) for each in sheet] for sheet in found] == [
        ["B2:B4"],
        ["B2:B4"],
        ["B2"],
    ]
    [each] = found[0]
    assert (each.type, each.formula1, each.error) == ("list", '"open,paid"', "open or paid")


def test_excel_has_words_of_its_own_for_other_values() -> None:
    file = per_sheet(7, validations=[{"column": "name", "values": ["a"]}])
    [each] = file.sheet.data_validations.dataValidation
    assert each.error is None
    assert each.showErrorMessage


@pytest.mark.parametrize(
    ("values", "formula"),
    [(['a"b', "c"], '"a""b,c"'), (["<&>"], '"<&>"'), (["=A1"], '"=A1"'),
     (["订单", "😀"], '"订单,😀"'), (["x" * 255], f'"{"x" * 255}"')],
)  # fmt: skip
def test_the_values_of_a_list_arrive_as_they_are(values: list[str], formula: str) -> None:
    file = per_sheet(7, validations=[{"column": "name", "values": values}])
    [each] = file.sheet.data_validations.dataValidation
    assert each.formula1 == formula


@pytest.mark.parametrize("rows", [0, 1])
def test_a_list_is_there_with_few_rows_too(rows: int) -> None:
    file = written(
        pa.record_batch({"n": pa.array(range(rows), pa.int8())}),
        validations=[{"column": "n", "values": ["1"]}],
        start_row=3,
    )
    assert [str(each.sqref) for each in file.sheet.data_validations.dataValidation] == ["A4"]


def test_a_formula_column_may_have_a_list() -> None:
    file = per_sheet(
        7,
        formulas=[{"header": "f", "formula": "={n}"}],
        validations=[{"column": "f", "values": ["1"]}],
    )
    assert [str(each.sqref) for each in file.sheet.data_validations.dataValidation] == ["D2:D8"]


# Pages and protection


def test_pages_are_as_asked_on_every_sheet() -> None:
    file = per_sheet(3, landscape=True, fit_to_width=True, repeat_header=True, start_row=3)
    for sheet in file.book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$3:$3"


def test_pages_are_excels_own_unless_asked() -> None:
    sheet = per_sheet(7).sheet
    assert sheet.page_setup.orientation in (None, "portrait")
    assert sheet.print_title_rows is None


def test_print_titles_name_sheets_that_need_quotes() -> None:
    names = ["O'Neill & <co>", "2024", "A1"]
    file = written(pa.table({"key": names}), split_by="key", repeat_header=True, autofilter=True)
    assert file.book.sheetnames == names
    assert [sheet.print_title_rows for sheet in file.book] == ["$1:$1"] * 3
    assert [sheet.auto_filter.ref for sheet in file.book] == ["A1:A2"] * 3


def test_locked_sheets_may_be_filtered_and_have_no_password() -> None:
    file = per_sheet(3, protection="locked")
    for sheet in file.book:
        assert sheet.protection.sheet
        assert sheet.protection.password is None
        assert not sheet.protection.autoFilter
        assert sheet.protection.insertRows


def test_recommended_is_a_question_that_excel_asks_and_locks_nothing() -> None:
    file = per_sheet(3, protection="recommended")
    assert b'readOnlyRecommended="1"' in file.parts["xl/workbook.xml"]
    assert not any(sheet.protection.sheet for sheet in file.book)


def test_nothing_is_protected_unless_asked() -> None:
    file = per_sheet(7)
    assert not file.sheet.protection.sheet
    assert b"readOnlyRecommended" not in file.parts["xl/workbook.xml"]

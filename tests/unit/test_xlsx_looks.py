from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from openpyxl.cell import Cell

from exporters import ColumnOptions
from exporters.xlsx.features import CellStyle
from exporters.xlsx.looks import written as in_xlsxwriters_terms
from tests.support.workbooks import File, written

ROWS = pa.table({"n": range(5), "day": [date(2024, 2, 29)] * 5, "flag": [True] * 5})

STYLE = {
    "bold": False,
    "italic": True,
    "underline": True,
    "font": "Arial",
    "size": 18,
    "color": "#112233",
    "background": "#DDEBF7",
    "align": "center",
    "wrap": True,
    "border": "all",
}


def of(**options: Any) -> File:
    return written(ROWS, rows_per_sheet=2, **options)


def assert_styled(cell: Cell) -> None:
    font = cell.font
    assert (font.bold, font.italic, font.underline) == (False, True, "single")
    assert (font.name, font.size, font.color.rgb) == ("Arial", 18, "FF112233")
    assert (cell.fill.fill_type, cell.fill.fgColor.rgb) == ("solid", "FFDDEBF7")
    assert (cell.alignment.horizontal, cell.alignment.wrap_text) == ("center", True)
    border = cell.border
    sides = {each.style for each in (border.left, border.right, border.top, border.bottom)}
    assert sides == {"thin"}


def test_every_key_of_a_style_has_a_test() -> None:
    assert set(STYLE) == set(CellStyle.model_fields)


def test_the_header_of_every_sheet_looks_as_asked() -> None:
    for sheet in of(header_style=STYLE).book:
        for cell in sheet[1]:
            assert_styled(cell)
        assert not sheet["A2"].font.italic


def test_the_title_of_every_sheet_looks_as_asked() -> None:
    for sheet in of(title="Orders", title_style=STYLE).book:
        assert sheet["A1"].value == "Orders"
        assert_styled(sheet["A1"])
        assert not sheet["A3"].font.italic


def test_a_title_is_bold_and_large_and_the_header_bold_over_a_line() -> None:
    sheet = of(title="Orders").sheet
    assert (sheet["A1"].font.bold, sheet["A1"].font.size) == (True, 14)
    assert sheet["A3"].font.bold
    assert sheet["A3"].border.bottom.style == "thin"


def test_what_a_style_leaves_out_stays_as_it_is() -> None:
    sheet = of(
        title="Orders", title_style={"color": "#FF0000"}, header_style={"italic": True}
    ).sheet
    assert (sheet["A1"].font.bold, sheet["A1"].font.size) == (True, 14)
    assert (sheet["A3"].font.bold, sheet["A3"].font.italic) == (True, True)


@pytest.mark.parametrize(
    ("border", "sides"),
    [("none", (None, None)), ("bottom", (None, "thin")), ("all", ("thin", "thin"))],
)
def test_a_header_has_the_border_asked_for(border: str, sides: tuple[str | None, ...]) -> None:
    found = of(header_style={"border": border}).sheet["A1"].border
    assert (found.left.style, found.bottom.style) == sides


def test_a_style_that_says_nothing_changes_nothing() -> None:
    assert in_xlsxwriters_terms(CellStyle()) == {}
    plain = of()
    assert of(header_style={}, title_style={}).parts == plain.parts


def test_columns_of_one_look_share_a_style() -> None:
    file = written(pa.table({"a": [date(2024, 1, 1)], "n": [1], "b": [date(2024, 1, 2)]}))
    assert file.sheet["A2"].style_id == file.sheet["C2"].style_id != file.sheet["B2"].style_id


def test_booleans_stand_in_the_middle_as_excel_shows_them() -> None:
    sheet = of().sheet
    assert sheet["C2"].value is True
    assert sheet["C2"].alignment.horizontal == "center"


def test_a_format_of_a_boolean_column_goes_before_ours() -> None:
    file = written(ROWS, [ColumnOptions("flag", format='"yes";;"no"')])
    assert file.sheet["A2"].number_format == '"yes";;"no"'


def test_formats_by_their_names_go_to_formulas_and_totals() -> None:
    formulas = [{"header": "f", "formula": "={n}", "format": "percent"}]
    file = written(ROWS, formulas=formulas, totals={"f": "sum"})
    assert [file.sheet[cell].number_format for cell in ("D2", "D7")] == ["0.00%", "0.00%"]


# What stays in view, what is hidden


@pytest.mark.parametrize(
    ("options", "pane"),
    [
        ({"freeze_columns": 2}, "C2"),
        ({"freeze_columns": 2, "freeze_header": False}, "C1"),
        ({"freeze_columns": 1, "title": "x"}, "B4"),
        ({"freeze_columns": 0, "freeze_header": False}, None),
    ],
)
def test_header_and_columns_stay_in_view(options: dict[str, Any], pane: str | None) -> None:
    assert [sheet.freeze_panes for sheet in of(**options).book] == [pane] * 3


@pytest.mark.parametrize("widths", ["auto", "none"])
def test_hidden_columns_are_there_but_not_shown(widths: str) -> None:
    file = of(hidden_columns=["day"], column_widths=widths)
    for sheet in file.book:
        dimensions = sheet.column_dimensions
        assert [dimensions[letter].hidden for letter in "ABC"] == [False, True, False]
        assert sheet["B2"].is_date


def test_a_formula_column_may_be_hidden() -> None:
    file = of(formulas=[{"header": "f", "formula": "={n}"}], hidden_columns=["f", "n"])
    assert [file.sheet.column_dimensions[each].hidden for each in "ABCD"] == [
        True,
        False,
        False,
        True,
    ]


# Titles


def test_a_title_stands_above_the_header_of_every_sheet() -> None:
    file = of(title="Orders <&> 订单")
    assert [rows[0][0] for rows in file.rows] == ["Orders <&> 订单"] * 3
    assert file.rows[0][1:3] == [(None, None, None), ("n", "day", "flag")]
    assert [row[0] for rows in file.rows for row in rows[3:]] == list(range(5))


@pytest.mark.parametrize("row", [2, 3, 10])
def test_a_title_stays_in_row_1_wherever_the_header_is(row: int) -> None:
    sheet = of(title="x", start_row=row).sheet
    assert (sheet["A1"].value, sheet.cell(row, 1).value, sheet.cell(row + 1, 1).value) == (
        "x",
        "n",
        0,
    )


def test_a_title_is_a_text_whatever_it_looks_like() -> None:
    file = of(title="=1+1")
    assert (file.sheet["A1"].value, file.sheet["A1"].data_type) == ("=1+1", "s")
    assert file.found("f") == []


# Properties


def test_the_file_says_of_itself_what_is_asked() -> None:
    said = {
        "title": "Orders",
        "subject": "Sales <&>",
        "author": "Ada",
        "manager": "Grace",
        "company": "Example",
        "category": "reports",
        "keywords": "a, b",
        "comments": "line\nend",
    }
    file = of(properties=said)
    found = file.book.properties
    names = {"author": "creator", "comments": "description"}
    for key in set(said) - {"manager", "company"}:
        assert getattr(found, names.get(key, key)) == said[key]
    app = file.parts["docProps/app.xml"].decode()
    assert "<Manager>Grace</Manager>" in app
    assert "<Company>Example</Company>" in app


def test_the_same_options_make_the_same_bytes() -> None:
    options = {"title": "x", "properties": {"author": "Ada"}, "style": "report"}
    assert of(**options).data == of(**options).data


# Styles by name


def test_a_report_has_a_coloured_header_filters_and_wide_pages() -> None:
    sheet = of(style="report").sheet
    assert sheet["A1"].fill.fgColor.rgb == "FF1F4E78"
    assert sheet["A1"].font.color.rgb == "FFFFFFFF"
    assert sheet.auto_filter.ref == "A1:C3"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$1:$1"


def test_banded_rows_are_a_table() -> None:
    [table] = of(style="banded").sheet.tables.values()
    assert table.tableStyleInfo.name == "TableStyleMedium2"
    assert table.tableStyleInfo.showRowStripes


def test_an_option_goes_before_that_of_the_style() -> None:
    sheet = of(style="report", landscape=False, header_style={"italic": True}).sheet
    assert sheet.page_setup.orientation in (None, "portrait")
    assert sheet["A1"].fill.fill_type is None


def test_plain_is_what_a_workbook_is_without_a_style() -> None:
    assert of(style="plain").data == of().data

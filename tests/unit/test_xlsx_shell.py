import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
import xlsxwriter

from exporters import ColumnOptions, XlsxOptions
from exporters.columns import Projection
from exporters.xlsx.layout import Layout
from exporters.xlsx.sheet_names import numbered_name
from exporters.xlsx.shell import PREFACE, Outline, Shell, after_rows

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

MIXED = pa.schema(
    [
        ("text", pa.string()),
        ("count", pa.int64()),
        ("day", pa.date32()),
        ("ratio", pa.float64()),
        ("at", pa.timestamp("us")),
        ("flag", pa.bool_()),
        ("time", pa.time32("s")),
        ("length", pa.duration("s")),
    ]
)


def columns_of(schema: pa.Schema, **formats: str) -> Projection:
    asked = [ColumnOptions(name, format=formats.get(name)) for name in schema.names]
    return Projection(schema, asked)


def shell_of(
    columns: Projection, widths: Sequence[float | None] | None = None, **options: Any
) -> Shell:
    layout = Layout(columns, XlsxOptions.parse(options))
    return Shell(layout, widths or [None] * len(layout.headers), layout.options.sheet_name)


def outlines(*rows: int) -> list[Outline]:
    """Sheets of so many data rows, with the names that they get by default."""
    return [Outline(numbered_name("Sheet1", at), each) for at, each in enumerate(rows, 1)]


def formats_of(shell: Shell) -> list[str]:
    """The number format behind each column's style index."""
    root = ET.fromstring(shell.parts(outlines(0))["xl/styles.xml"])
    named = {each.get("numFmtId"): each.get("formatCode") for each in root.iter(f"{MAIN}numFmt")}
    known = {"0": "General", "1": "0", "2": "0.00", "9": "0%", "46": "[h]:mm:ss"}
    found = root.find(f"{MAIN}cellXfs")
    assert found is not None
    return [str((known | named)[found[style].get("numFmtId")]) for style in shell.styles]  # type: ignore[index]


def whole(shell: Shell, index: int = 0, rows: int = 0) -> ET.Element:
    """A sheet without its data rows."""
    frame = shell.sheet(index, Outline(numbered_name("Sheet1", index + 1), rows))
    return ET.fromstring(frame.head + frame.tail)


def test_every_column_has_the_style_of_its_type() -> None:
    """Also dates behind columns without a style, which XlsxWriter leaves out of a row."""
    assert formats_of(shell_of(columns_of(MIXED))) == [
        "General",
        "General",
        "yyyy-mm-dd",
        "General",
        "yyyy-mm-dd hh:mm:ss",
        '"TRUE";"TRUE";"FALSE"',
        "hh:mm:ss",
        "[h]:mm:ss",
    ]


def test_plain_values_have_the_default_style() -> None:
    text, count, _, ratio, *_ = shell_of(columns_of(MIXED)).styles
    assert text == count == ratio == 0


def test_booleans_have_a_style_of_their_own() -> None:
    schema = pa.schema([("flag", pa.bool_()), ("count", pa.int8())])
    flag, count = shell_of(columns_of(schema)).styles
    assert flag != count


def test_columns_of_one_format_share_a_style() -> None:
    schema = pa.schema([("a", pa.date32()), ("n", pa.int8()), ("b", pa.date64())])
    first, _, second = shell_of(columns_of(schema)).styles
    assert first == second != 0


def test_a_format_asked_for_goes_before_that_of_the_type() -> None:
    columns = columns_of(MIXED, day="dd/mm/yy", ratio="0.00", text="@@", at="General")
    assert formats_of(shell_of(columns))[:5] == [
        "@@",
        "General",
        "dd/mm/yy",
        "0.00",
        "General",
    ]


def test_many_formats_are_told_apart() -> None:
    schema = pa.schema([(f"c{n}", pa.int64()) for n in range(300)])
    wishes = {f"c{n}": "0." + "0" * (n % 60) + '"x"' for n in range(0, 300, 2)}
    found = formats_of(shell_of(columns_of(schema, **wishes)))
    assert found == [wishes.get(f"c{n}", "General") for n in range(300)]


@pytest.mark.parametrize("kind", [pa.string(), pa.date32()])
@pytest.mark.parametrize("start_row", [1, 2, 1000])
def test_the_rows_begin_right_after_the_header(kind: pa.DataType, start_row: int) -> None:
    shell = shell_of(columns_of(pa.schema([("name", kind)])), start_row=start_row)
    frame = shell.sheet(0, *outlines(5))
    assert frame.head.endswith(b"</row>")
    assert frame.tail.startswith(b"</sheetData>")
    [row] = whole(shell).iter(f"{MAIN}row")
    assert row.get("r") == str(start_row)


def test_what_stands_before_the_rows_does_not_depend_on_them() -> None:
    shell = shell_of(columns_of(MIXED), autofilter=True)
    for index in (0, 3):
        name = numbered_name("Sheet1", index + 1)
        few, many = (shell.sheet(index, Outline(name, rows)).head for rows in (0, 1_000_000))
        assert few == many


def test_no_dimension_is_claimed() -> None:
    """openpyxl's read-only mode would believe it and stop there."""
    assert b"<dimension" not in shell_of(columns_of(MIXED)).sheet(0, *outlines(9)).head


def test_the_filter_covers_the_header_and_the_rows() -> None:
    shell = shell_of(columns_of(MIXED), autofilter=True, start_row=3)
    found = [
        sheet.find(f"{MAIN}autoFilter")
        for sheet in (whole(shell, 0, 10), whole(shell, 1, 4), whole(shell, 0, 0))
    ]
    assert [each is not None and each.get("ref") for each in found] == ["A3:H13", "A3:H7", "A3:H4"]
    workbook = shell.parts(outlines(10, 4))["xl/workbook.xml"].decode()
    ranges = re.findall(r"_FilterDatabase[^>]*>([^<]*)<", workbook)
    assert set(ranges) == {"Sheet1!$A$3:$H$13", "'Sheet1 (2)'!$A$3:$H$7"}


def test_only_the_first_sheet_is_selected() -> None:
    shell = shell_of(columns_of(MIXED))
    selected = [
        b"tabSelected" in shell.sheet(index, each).head
        for index, each in enumerate(outlines(1, 1, 1))
    ]
    assert selected == [True, False, False]


def test_the_header_stays_in_view() -> None:
    pane = whole(shell_of(columns_of(MIXED), start_row=3)).find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("ySplit"), pane.get("topLeftCell"), pane.get("state")) == ("3", "A4", "frozen")
    unfrozen = whole(shell_of(columns_of(MIXED), freeze_header=False))
    assert unfrozen.find(f".//{MAIN}pane") is None


def test_widths_are_those_given_and_none_is_excels_default() -> None:
    shell = shell_of(columns_of(MIXED), [10.0, None, 25.0, *[None] * 5])
    found = [(each.get("min"), each.get("width")) for each in whole(shell).iter(f"{MAIN}col")]
    assert found == [("1", "10.7109375"), ("3", "25.7109375")]


def test_the_parts_name_every_sheet() -> None:
    names = ["Orders", "Orders (2)", "Orders (3)"]
    parts = shell_of(columns_of(MIXED)).parts([Outline(name, 1) for name in names])
    assert re.findall(r'<sheet name="([^"]*)"', parts["xl/workbook.xml"].decode()) == names
    assert parts["[Content_Types].xml"].count(b"worksheet+xml") == 3


def test_sheets_are_not_among_the_parts() -> None:
    assert not [
        name for name in shell_of(columns_of(MIXED)).parts(outlines(1, 1)) if "sheets/" in name
    ]


def test_the_preface_is_the_same_for_any_number_of_rows_and_sheets() -> None:
    shell = shell_of(columns_of(MIXED), autofilter=True)
    few, many = shell.parts(outlines(0)), shell.parts(outlines(10, 20, 30))
    assert [few[name] for name in PREFACE] == [many[name] for name in PREFACE]


def test_every_part_stands_once_before_or_after_the_sheets() -> None:
    parts = shell_of(columns_of(MIXED)).parts(outlines(1))
    after = [name for name, _ in after_rows(parts)]
    assert sorted([*PREFACE, *after]) == sorted(parts)


def test_the_same_columns_make_the_same_bytes() -> None:
    first, second = (shell_of(columns_of(MIXED)).parts(outlines(3)) for _ in range(2))
    assert first == second


def test_a_shell_without_rows_is_what_xlsxwriter_writes() -> None:
    """Part by part; only the claimed dimension is left out."""
    shell = shell_of(columns_of(MIXED), freeze_header=False)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as workbook:
        header = {"bold": True, "bottom": 1, "valign": "top"}
        text = workbook.add_format(header)
        number = workbook.add_format(header | {"align": "right"})
        flag = workbook.add_format(header | {"align": "center"})
        sheet = workbook.add_worksheet("Sheet1")
        for place, name in enumerate(MIXED.names):
            look = {"text": text, "flag": flag}.get(name, number)
            sheet.write_string(0, place, name, look)
    with zipfile.ZipFile(buffer) as archive:
        expected = archive.read("xl/worksheets/sheet1.xml")
        relations = archive.read("xl/_rels/workbook.xml.rels")
    frame = shell.sheet(0, *outlines(0))
    assert frame.head + frame.tail == re.sub(rb"<dimension [^>]*/>", b"", expected)
    assert shell.parts(outlines(0))["xl/_rels/workbook.xml.rels"] == relations

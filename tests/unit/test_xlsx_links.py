import re
from typing import Any

import pyarrow as pa
import pytest

from exporters import ColumnOptions
from exporters.xlsx import links as module
from exporters.xlsx.links import MAX_ADDRESS, MAX_LINKS, granted, link_mask
from tests.support.workbooks import File, written

LINK = "https://example.com/"


def texts(values: list[str | None]) -> pa.Table:
    return pa.table({"n": range(len(values)), "page": pa.array(values, pa.string())})


def links_of(file: File, sheet: int = 0) -> dict[str, tuple[str | None, str | None]]:
    """Address and fragment of each cell of a sheet that is a link."""
    return {
        cell.coordinate: (cell.hyperlink.target, cell.hyperlink.location)
        for row in file.book.worksheets[sheet].iter_rows()
        for cell in row
        if cell.hyperlink
    }


def linked(value: str) -> tuple[str | None, str | None] | None:
    """Where the link of one text leads, if it is one; it is shown as it was sent."""
    file = written(texts([value]), urls=["page"])
    assert file.sheet["B2"].value == value
    return links_of(file).get("B2")


@pytest.mark.parametrize(
    "address",
    ["http://example.com", "https://example.com/a?b=c", "HTTPS://EXAMPLE.COM", "ftp://x/y", "ftps://x",
     "mailto:ada@example.com", "https://例子.测试/路", "http://a/😀", "http://x'y"],
)  # fmt: skip
def test_an_address_is_a_link(address: str) -> None:
    assert linked(address) == (address, None)


@pytest.mark.parametrize(
    "text",
    ["example.com", "www.example.com", "see http://example.com", " http://example.com", "http://",
     "mailto:", "file:///etc/passwd", "javascript:alert(1)", "internal:Sheet1!A1", "#A1", "=1+1",
     "http://a\nb", "http://a\tb", ""],
)  # fmt: skip
def test_anything_else_is_a_text(text: str) -> None:
    file = written(texts([text]), urls=["page"])
    assert links_of(file) == {}
    assert file.warnings == {}
    assert "xl/worksheets/_rels/sheet1.xml.rels" not in file.parts
    assert b"hyperlink" not in file.parts["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(
    ("address", "target", "fragment"),
    [
        ("http://a/b#c", "http://a/b", "c"),
        ("http://a/b#c#d e", "http://a/b", "c#d e"),
        ("http://a/#", "http://a/", None),
        ("http://a/b c", "http://a/b%20c", None),
        ("http://a/?b=1&c=<2>", "http://a/?b=1&c=%3c2%3e", None),
        ('http://a/"[b]^`{c}"', "http://a/%22%5bb%5d%5e%60%7bc%7d%22", None),
        ("http://a/100%", "http://a/100%25", None),
        ("http://a/100%25 b", "http://a/100%25%20b", None),
        ("http://a/&amp;", "http://a/&amp;", None),
        ("mailto:a@b.c?subject=d e", "mailto:a@b.c?subject=d%20e", None),
    ],
)
def test_an_address_is_escaped_as_excel_does_and_parted_from_its_fragment(
    address: str, target: str, fragment: str | None
) -> None:
    assert linked(address) == (target, fragment)


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        (LINK + "x" * (MAX_ADDRESS - len(LINK)), True),
        (LINK + "x" * (MAX_ADDRESS - len(LINK) + 1), False),
        (LINK + " " * ((MAX_ADDRESS - len(LINK)) // 3), True),
        (LINK + " " * ((MAX_ADDRESS - len(LINK)) // 3 + 1), False),
    ],
)
def test_an_address_is_a_link_as_long_as_excel_takes_it_once_escaped(
    address: str, is_link: bool
) -> None:
    assert (linked(address) is not None) is is_link


def test_links_are_blue_and_underlined_and_other_texts_are_not() -> None:
    sheet = written(texts([LINK, "x", None]), urls=["page"]).sheet
    fonts = [(sheet[cell].font.underline, sheet[cell].font.color.rgb) for cell in ("B2", "B3")]
    assert fonts[0] == ("single", "FF0563C1")
    assert fonts[1][0] is None


def test_texts_are_links_only_in_the_columns_asked_for() -> None:
    table = pa.table({"a": [LINK], "b": [LINK]})
    assert list(links_of(written(table, urls=["b"]))) == ["B2"]
    assert links_of(written(table)) == {}


def test_a_link_is_found_by_the_streams_name_of_a_renamed_column() -> None:
    file = written(texts([LINK]), [ColumnOptions("page", "Page")], urls=["page"])
    assert list(links_of(file)) == ["A2"]


def test_links_of_dictionaries_are_links() -> None:
    table = pa.table({"page": pa.array([LINK, None, LINK + "2", LINK]).dictionary_encode()})
    assert list(links_of(written(table, urls=["page"]))) == ["A2", "A4", "A5"]


def test_every_link_of_every_block_and_sheet_leads_where_it_says() -> None:
    rows = 50_000
    pages = [None if n % 5 == 0 else "x" if n % 3 == 0 else f"{LINK}{n}" for n in range(rows)]
    file = written(
        texts(pages).to_batches(max_chunksize=7_001), urls=["page"], rows_per_sheet=20_000
    )
    assert file.warnings == {}
    for sheet in range(3):
        start = 20_000 * sheet
        expected = {
            f"B{row + 2}": (page, None)
            for row, page in enumerate(pages[start : start + 20_000])
            if page and page != "x"
        }
        assert links_of(file, sheet) == expected


def test_link_columns_with_escaped_texts_and_cut_texts_stay_readable() -> None:
    long = "http://a/" + "x" * 40_000
    file = written(texts(["<a>", f"{LINK}<&>", long, " edge "]), urls=["page"])
    assert file.rows[0][1:] == [(0, "<a>"), (1, f"{LINK}<&>"), (2, long[:32_767]), (3, " edge ")]
    assert list(links_of(file)) == ["B3"]
    assert file.warnings == {"CELLS_CUT": 1}


# The room of a sheet


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """A sheet takes four links."""
    monkeypatch.setattr(module, "MAX_LINKS", 4)
    return 4


def test_links_past_the_room_of_a_sheet_are_texts(few: int) -> None:
    file = written(texts([f"{LINK}{n}" for n in range(7)]), urls=["page"])
    assert list(links_of(file)) == ["B2", "B3", "B4", "B5"]
    assert file.rows[0][7] == (6, f"{LINK}6")
    assert file.warnings == {"LINKS_AS_TEXT": 3}
    assert file.sheet["B6"].font.underline is None


def test_as_many_links_as_there_is_room_for_need_no_warning(few: int) -> None:
    file = written(texts([LINK, None, LINK, "x", LINK, LINK]), urls=["page"])
    assert list(links_of(file)) == ["B2", "B4", "B6", "B7"]
    assert file.warnings == {}


def test_every_sheet_has_room_of_its_own(few: int) -> None:
    file = written(texts([LINK] * 11), urls=["page"], rows_per_sheet=5)
    assert [len(links_of(file, sheet)) for sheet in range(3)] == [4, 4, 1]
    assert file.warnings == {"LINKS_AS_TEXT": 2}


def test_columns_share_the_room_column_by_column(few: int) -> None:
    table = pa.table({"a": [LINK] * 3, "b": [LINK] * 3})
    file = written(table, urls=["b", "a"])
    assert sorted(links_of(file)) == ["A2", "A3", "A4", "B2"]
    assert file.warnings == {"LINKS_AS_TEXT": 2}


def test_columns_share_the_room_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINKS", 25_000)
    table = pa.table({"a": [LINK] * 40_000, "b": [LINK] * 40_000})
    file = written(table, urls=["a", "b"])
    assert len(re.findall(b"<hyperlink ", file.parts["xl/worksheets/sheet1.xml"])) == 25_000
    assert file.warnings == {"LINKS_AS_TEXT": 55_000}


def test_a_sheet_takes_65_530_links() -> None:
    rows = 70_000
    table = pa.table({"page": [f"{LINK}{n}" for n in range(rows)]})
    file = written(table.to_batches(max_chunksize=9_999), urls=["page"])
    sheet = file.parts["xl/worksheets/sheet1.xml"]
    ids = re.findall(rb'<hyperlink ref="(A\d+)" r:id="(A\d+)"/>', sheet)
    assert ids == [(cell, cell) for cell in (b"A%d" % (n + 2) for n in range(MAX_LINKS))]
    relationships = file.parts["xl/worksheets/_rels/sheet1.xml.rels"]
    found = re.findall(rb'<Relationship Id="(A\d+)" Type="[^"]*" Target="([^"]*)"', relationships)
    assert found == [(b"A%d" % (n + 2), f"{LINK}{n}".encode()) for n in range(MAX_LINKS)]
    assert file.warnings == {"LINKS_AS_TEXT": rows - MAX_LINKS}


def test_room_is_granted_column_after_column() -> None:
    masks = {0: pa.array([True, False, True]), 3: pa.array([True, True, True])}
    kept = granted(masks, 4)
    assert [each.to_pylist() for each in kept.values()] == [
        [True, False, True],
        [True, True, False],
    ]
    assert [sum(each.to_pylist()) for each in granted(masks, 1).values()] == [1, 0]
    assert granted(masks, 5) == masks


def test_a_null_is_no_link() -> None:
    assert link_mask(pa.array([None, LINK, None])).to_pylist() == [False, True, False]
    assert link_mask(pa.array([], pa.string())).to_pylist() == []


# Beside other features


def all_at_once(**options: Any) -> File:
    pages = [f"{LINK}{n}#{n}" for n in range(5)]
    return written(texts(pages), urls=["page"], rows_per_sheet=2, **options)


def test_links_and_tables_share_the_relationships_of_their_sheet() -> None:
    file = all_at_once(table_style="light 1", autofilter=True, totals={"n": "sum"})
    for number, sheet in enumerate(file.book, 1):
        [table] = sheet.tables.values()
        last = {1: "B4", 2: "B4", 3: "B3"}[number]
        assert (table.name, table.ref) == (f"Table{number}", f"A1:{last}")
        part = file.parts[f"xl/worksheets/_rels/sheet{number}.xml.rels"].decode()
        assert re.findall(r"tables/table(\d+)\.xml", part) == [str(number)]
        assert len(links_of(file, number - 1)) == (1 if number == 3 else 2)
    assert links_of(file, 2) == {"B2": (f"{LINK}4", "4")}


def test_a_sheet_without_links_keeps_its_table() -> None:
    table = texts([LINK, "x", LINK])
    file = written(table, urls=["page"], rows_per_sheet=1, table_style="light 1")
    assert [list(links_of(file, sheet)) for sheet in range(3)] == [["B2"], [], ["B2"]]
    assert [list(sheet.tables) for sheet in file.book] == [["Table1"], ["Table2"], ["Table3"]]


def test_links_stand_where_the_schema_has_them() -> None:
    """Behind what is asked of the cells, before the page (CT_Worksheet)."""
    file = all_at_once(
        table_style="light 1",
        conditional_formats=[{"type": "duplicate", "column": "n", "style": {"bold": True}}],
        validations=[{"column": "n", "values": ["1"]}],
        protection="locked",
        landscape=True,
    )
    order = [each.tag.rpartition("}")[2] for each in file.xml(3)]
    assert order[order.index("sheetData") :] == [
        "sheetData",
        "sheetProtection",
        "conditionalFormatting",
        "dataValidations",
        "hyperlinks",
        "pageMargins",
        "pageSetup",
        "tableParts",
    ]

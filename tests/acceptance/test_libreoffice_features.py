"""LibreOffice knows what a workbook has around its rows, and calculates what it is to calculate."""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest

from exporters import ColumnOptions, Workers, XlsxOptions, open_exporter
from tests.support.fates import boolean, number, text
from tests.support.libreoffice import (
    CALC,
    STYLE,
    TABLE,
    Cell,
    Sheets,
    all_cells,
    converted,
    documents,
)

DAY = dt.date(2026, 1, 1)
LAST_MOMENT = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)

SALES = pa.record_batch(
    {
        "region": ["N", "N", "E/W", "E/W"],
        "名称 [a]#'1": ["Ada", "Bob", None, "Ada"],
        "qty": [1, 2, None, 4],
        "price": [1.5, 2.25, 3.0, None],
        "day": [DAY, None, DAY + dt.timedelta(days=30), DAY],
        "id": [10**15, 10**15 + 1, 5, 7],
        "none": pa.array([None] * 4, pa.float64()),
        "span": [dt.timedelta(hours=30), None, dt.timedelta(hours=6), dt.timedelta(0)],
        "at": pa.array([LAST_MOMENT, None, None, None], pa.timestamp("us")),
        "paid": [True, False, None, True],
    }
)
LETTERS = dict(zip([*SALES.schema.names, "value", "word", "late"], "ABCDEFGHIJKLM", strict=True))

CALCULATED: Mapping[str, Any] = {
    "formulas": [
        {"header": "value", "formula": "={qty}*{price}", "format": "number"},
        {"header": "word", "formula": """=CONCAT({名称 [a]#'1},"&<",IF({paid},"yes","no"))"""},
        {"header": "late", "formula": "={day}>DATE(2026,1,15)"},
    ],
    "totals": {
        "名称 [a]#'1": "count",
        "qty": "sum",
        "price": "average",
        "day": "max",
        "id": "sum",
        "none": "average",
        "span": "sum",
        "value": "sum",
        "word": "count",
    },
    "totals_label": "合计",
}
BOOKS: Mapping[str, Mapping[str, Any]] = {
    "totals": CALCULATED,
    "table": CALCULATED | {"table_style": "medium 2", "autofilter": True},
    "tables": {
        "split_by": "region",
        "sheet_names": {"N": "North 'x' & y"},
        "table_style": "light 1",
        "totals": {"qty": "sum", "id": "min"},
    },
    "numbered": {"rows_per_sheet": 3, "sheet_name": "订单", "autofilter": True, "start_row": 2},
}

LINKS = pa.record_batch(
    {
        "first": ["https://example.com/a b?x=1&y=<2>#part one", "no address", None],
        "second": ["mailto:ada@example.com", "http://example.com/#", "HTTPS://E.com/100%#a#b"],
        "text": ["http://example.com/", None, None],
    }
)
TARGETS = {
    "A2": "https://example.com/a%20b?x=1&y=%3c2%3e#part one",
    "B2": "mailto:ada@example.com",
    "B3": "http://example.com/",
    "B4": "HTTPS://E.com/100%25#a#b",
}

STYLED: Mapping[str, Any] = {"style": {"bold": True, "background": "#FFC7CE"}}
BETWEEN = {"criteria": "between", "value": 1, "maximum": 2}
DRESSED: Mapping[str, Any] = {
    "title": "Sales 销售 & more",
    "hidden_columns": ["id", "none"],
    "validations": [{"column": "region", "values": ["N", 'say "x"'], "error": "choose & <x>"}],
    "autofilter": True,
    "landscape": True,
    "fit_to_width": True,
    "repeat_header": True,
    "protection": "locked",
    "freeze_columns": 2,
    "properties": {"title": "T & <x>", "author": "漢"},
    "conditional_formats": [
        {"type": "color_scale", "column": "qty"},
        {"type": "color_scale", "column": "id", "colors": ["#FFFFFF", "#FF0000"]},
        {"type": "data_bar", "column": "price"},
        {"type": "cell", "column": "qty", "criteria": ">=", "value": 2, **STYLED},
        {"type": "cell", "column": "qty", **BETWEEN, **STYLED},
        {"type": "cell", "column": "region", "criteria": "=", "value": 'a "b"', **STYLED},
        {"type": "text", "column": "region", "criteria": "begins with", "value": "N", **STYLED},
        {"type": "top", "column": "price", "count": 2, **STYLED},
        {"type": "bottom", "column": "price", "percent": True, **STYLED},
        {"type": "duplicate", "column": "day", **STYLED},
        {"type": "unique", "column": "day", **STYLED},
        {"type": "blank", "column": "span", **STYLED},
        {"type": "formula", "column": "at", "formula": "={qty}>1", **STYLED},
    ],
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All workbooks of this file by name."""
    directory = tmp_path_factory.mktemp("workbooks")
    batches = {"links": (LINKS, {"urls": ["first", "second"]}), "dressed": (SALES, DRESSED)}
    batches |= {name: (SALES, options) for name, options in BOOKS.items()}
    with Workers(threads=1) as workers:
        return {
            name: _written(directory / f"{name}.xlsx", batch, options, workers)
            for name, (batch, options) in batches.items()
        }


def _written(
    path: Path, batch: pa.RecordBatch, options: Mapping[str, Any], workers: Workers
) -> Path:
    columns = [ColumnOptions(name) for name in batch.schema.names]
    parsed = XlsxOptions.parse(options)
    with (
        path.open("wb") as sink,
        open_exporter("xlsx", sink, batch.schema, columns, parsed, workers) as exporter,
    ):
        exporter.write_batch(batch)
    return path


@pytest.fixture(scope="module")
def books(paths: dict[str, Path]) -> dict[str, Sheets]:
    """Their cells, formulas with the values in the file."""
    return dict(zip(paths, all_cells(list(paths.values())), strict=True))


@pytest.fixture(scope="module")
def recalculated(paths: dict[str, Path]) -> dict[str, Sheets]:
    """The cells of those with formulas, as LibreOffice calculates them."""
    names = ["totals", "table", "tables"]
    found = all_cells([paths[name] for name in names], recalculate=True)
    return dict(zip(names, found, strict=True))


@pytest.fixture(scope="module")
def known(paths: dict[str, Path]) -> dict[str, ET.Element]:
    """All that LibreOffice knows of them."""
    return dict(zip(paths, documents(list(paths.values())), strict=True))


ROWS = {
    "value": ["1.50", "4.50", "0.00", "0.00"],
    "word": ["Ada&<yes", "Bob&<no", "&<no", "Ada&<yes"],
    "late": ["FALSE", "FALSE", "TRUE", "FALSE"],
}
TOTALS = {
    "region": "合计",
    "名称 [a]#'1": "3",
    "qty": "7",
    "price": "2.25",
    "day": "2026-01-31",
    "id": "12",
    "none": "#DIV/0!",
    "span": "36:00:00",
    "value": "6.00",
    "word": "4",
}


@pytest.mark.parametrize("name", ["totals", "table"])
def test_formulas_and_totals_are_calculated(name: str, recalculated: dict[str, Sheets]) -> None:
    sheet = recalculated[name]["Sheet1"]
    for column, shown in ROWS.items():
        assert [sheet[f"{LETTERS[column]}{row}"].shown for row in range(2, 6)] == shown
    totals = {
        column: sheet[cell].shown
        for column, letter in LETTERS.items()
        if (cell := f"{letter}6") in sheet
    }
    assert totals == TOTALS


@pytest.mark.parametrize("name", ["totals", "table", "tables"])
def test_totals_in_the_file_are_those_that_are_calculated(
    name: str, books: dict[str, Sheets], recalculated: dict[str, Sheets]
) -> None:
    kept, calculated = (_totals(found[name]) for found in (books, recalculated))
    assert kept == calculated
    assert kept


def _totals(sheets: Sheets) -> dict[tuple[str, str], Cell]:
    return {
        (name, place): cell
        for name, sheet in sheets.items()
        for place, cell in sheet.items()
        if "SUBTOTAL" in (cell.formula or "")
    }


def test_a_total_is_a_subtotal_of_its_column(recalculated: dict[str, Sheets]) -> None:
    """SUBTOTAL leaves out what a filter hides."""
    plain, table = (recalculated[name]["Sheet1"]["C6"].formula for name in ("totals", "table"))
    assert plain == "of:=SUBTOTAL(109;[.C2:.C5])"
    assert table == "of:=SUBTOTAL(109;[$Sheet1.$C$2:.$C$5])"


def test_each_value_has_a_sheet_with_its_rows_and_totals(recalculated: dict[str, Sheets]) -> None:
    sheets = recalculated["tables"]
    assert list(sheets) == ["North 'x' & y", "E_W"]
    for name, region, rows, total, least in (
        ("North 'x' & y", "N", ["1", "2"], "3", "0"),
        ("E_W", "E/W", ["4"], "4", "5"),
    ):
        sheet = sheets[name]
        assert [sheet[cell] for cell in ("A2", "A3")] == [text(region)] * 2
        assert [sheet[cell].shown for cell in ("C2", "C3") if cell in sheet] == rows
        assert (sheet["C4"].shown, sheet["F4"].shown) == (total, least)


def test_rows_go_on_in_sheets_with_numbers(books: dict[str, Sheets]) -> None:
    sheets = books["numbered"]
    assert list(sheets) == ["订单", "订单 (2)"]
    for sheet, quantities in zip(sheets.values(), (["1", "2", None], ["4"]), strict=True):
        assert sheet["C2"] == text("qty")
        found = [sheet.get(f"C{row}") for row in range(3, 6)]
        expected = [None if each is None else number(each) for each in quantities]
        assert found == expected + [None] * (3 - len(expected))


def test_links_lead_to_their_addresses(books: dict[str, Sheets]) -> None:
    sheet = books["links"]["Sheet1"]
    assert {place: cell.link for place, cell in sheet.items() if cell.link} == TARGETS
    columns = {"A": LINKS["first"], "B": LINKS["second"], "C": LINKS["text"]}
    for letter, column in columns.items():
        shown = [
            sheet[at].shown if (at := f"{letter}{row}") in sheet else None for row in (2, 3, 4)
        ]
        assert shown == column.to_pylist()


def test_the_last_microsecond_of_9999_stays_in_9999(books: dict[str, Sheets]) -> None:
    """What LibreOffice shows it rounds to the second in the last half of one before midnight."""
    assert books["totals"]["Sheet1"]["I2"].value == "9999-12-31T23:59:59"


def test_booleans_are_words(books: dict[str, Sheets], paths: dict[str, Path]) -> None:
    """Also in HTML, where those without a number format of their own are 1 and 0."""
    sheet = books["totals"]["Sheet1"]
    assert [sheet[at] for at in ("J2", "J3", "J5")] == [
        boolean(each) for each in ("TRUE", "FALSE", "TRUE")
    ]
    with converted([paths["numbered"]], "html") as directory:
        page = (directory / "0.html").read_text()
    assert re.findall(r">(TRUE|FALSE|[01])<", page) == ["1", "TRUE", "FALSE", "TRUE"]


def test_hidden_columns_are_there_but_not_shown(
    books: dict[str, Sheets], known: dict[str, ET.Element]
) -> None:
    columns = [
        each.get(f"{TABLE}visibility")
        for each in known["dressed"].iter(f"{TABLE}table-column")
        for _ in range(min(int(each.get(f"{TABLE}number-columns-repeated", "1")), 10))
    ]
    assert [place for place, each in enumerate(columns) if each == "collapse"] == [5, 6]
    assert books["dressed"]["Sheet1"]["F6"] == number("5")


def test_cells_offer_their_list_of_values(known: dict[str, ET.Element]) -> None:
    document = known["dressed"]
    [rule] = document.iter(f"{TABLE}content-validation")
    condition = rule.get(f"{TABLE}condition")
    assert condition == 'of:cell-content-is-in-list("N";"say ""x""")'
    [message] = rule.iter(f"{TABLE}error-message")
    assert "".join(message.itertext()).strip() == "choose & <x>"
    cells = [each for each in document.iter() if f"{TABLE}content-validation-name" in each.attrib]
    assert sum(int(each.get(f"{TABLE}number-columns-repeated", "1")) for each in cells) == 4


@pytest.mark.parametrize(
    ("name", "ranges"),
    [
        ("dressed", ["Sheet1.A3:Sheet1.J7"]),
        ("numbered", ["订单.A2:订单.J5", "'订单 (2)'.A2:'订单 (2)'.J3"]),
        ("table", ["Sheet1.A1:Sheet1.M6"]),
        ("tables", []),
        ("totals", []),
    ],
)
def test_filter_buttons_stand_over_the_rows(
    name: str, ranges: list[str], known: dict[str, ET.Element]
) -> None:
    found = [
        each.get(f"{TABLE}target-range-address")
        for each in known[name].iter(f"{TABLE}database-range")
        if each.get(f"{TABLE}display-filter-buttons") == "true"
    ]
    assert found == ranges


def test_every_conditional_format_is_known(known: dict[str, ET.Element]) -> None:
    formats = list(known["dressed"].iter(f"{CALC}conditional-format"))
    found = {
        (each.get(f"{CALC}target-range-address"), rule.tag.removeprefix(CALC))
        if rule.tag != f"{CALC}condition"
        else (each.get(f"{CALC}target-range-address"), rule.get(f"{CALC}value"))
        for each in formats
        for rule in each
    }
    columns = {column: f"Sheet1.{letter}4:Sheet1.{letter}7" for column, letter in LETTERS.items()}
    assert found == {
        (columns["qty"], "color-scale"),
        (columns["id"], "color-scale"),
        (columns["price"], "data-bar"),
        (columns["qty"], ">=2"),
        (columns["qty"], "between(1,2)"),
        (columns["region"], '="a "b""'),  # as LibreOffice writes it
        (columns["region"], 'begins-with("N")'),
        (columns["price"], "top-elements(2)"),
        (columns["price"], "bottom-percent(10)"),
        (columns["day"], "duplicate"),
        (columns["day"], "unique"),
        (columns["span"], "formula-is(LEN(TRIM([.H4]))=0)"),
        (columns["at"], "formula-is([.$C4]>1)"),
    }


def test_pages_are_as_asked(known: dict[str, ET.Element]) -> None:
    document = known["dressed"]
    [layout] = [
        each
        for each in document.iter(f"{STYLE}page-layout-properties")
        if each.get(f"{STYLE}print-orientation") == "landscape"
    ]
    assert layout.get(f"{STYLE}scale-to-X") == "1"
    [repeated] = document.iter(f"{TABLE}table-header-rows")
    assert [text for text in repeated.itertext() if text.strip()] == SALES.schema.names


def test_a_locked_sheet_is_protected(known: dict[str, ET.Element]) -> None:
    for name, document in known.items():
        protected = [each.get(f"{TABLE}protected") for each in document.iter(f"{TABLE}table")]
        assert set(protected) == ({"true"} if name == "dressed" else {None})


def test_a_title_stands_above_the_header(books: dict[str, Sheets]) -> None:
    sheet = books["dressed"]["Sheet1"]
    assert sheet["A1"] == text("Sales 销售 & more")
    assert not [place for place in sheet if place.endswith("2") and len(place) == 2]
    assert sheet["A3"] == text("region")


def test_the_file_says_what_it_is(known: dict[str, ET.Element]) -> None:
    said = {each.tag.rpartition("}")[2]: each.text for each in known["dressed"][0]}
    assert (said["title"], said["initial-creator"]) == ("T & <x>", "漢")

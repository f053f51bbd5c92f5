"""LibreOffice has and shows in every cell what docs/formats.md promises."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl.utils import get_column_letter

from export_client import ExportClient
from exporters import ColumnOptions, Workers, XlsxOptions, open_exporter
from tests.property.strategies import KINDS
from tests.support.fates import COLUMNS, NOON, ROWS, boolean, number, text
from tests.support.libreoffice import Cell, Sheet, cells, csv_rows, exact, pdf
from tests.support.process import served
from tests.support.site import Site

NO_ROWS = pa.record_batch({"id": pa.array([], pa.int64())})


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workbooks")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=1) as workers:
        yield workers


Write = Callable[..., Path]


@pytest.fixture(scope="module")
def write(directory: Path, workers: Workers) -> Write:
    """Writes a workbook with options, by the name of its file."""

    def write(
        name: str, batch: pa.RecordBatch, columns: Sequence[ColumnOptions] = (), **options: Any
    ) -> Path:
        path = directory / name
        parsed = XlsxOptions(**options)
        with (
            path.open("wb") as sink,
            open_exporter("xlsx", sink, batch.schema, columns, parsed, workers) as exporter,
        ):
            exporter.write_batch(batch)
        return path

    return write


@pytest.fixture(scope="module")
def sheet(write: Write) -> Sheet:
    """The sheet of all `COLUMNS`."""
    batch = pa.record_batch({column.name: column.array(ROWS) for column in COLUMNS})
    sheets = cells(write("types.xlsx", batch))
    assert list(sheets) == ["Sheet1"]
    return sheets["Sheet1"]


@pytest.mark.parametrize("place", range(len(COLUMNS)), ids=[str(column) for column in COLUMNS])
def test_every_type_is_what_was_promised(place: int, sheet: Sheet) -> None:
    letter = get_column_letter(place + 1)
    found = [sheet.get(f"{letter}{row}") for row in range(1, ROWS + 2)]
    assert found == COLUMNS[place].cells(ROWS)


def test_nothing_stands_beside_the_columns(sheet: Sheet) -> None:
    expected = [cell for column in COLUMNS for cell in column.cells(ROWS)]
    assert len(sheet) == len(expected) - expected.count(None)


def test_every_supported_type_is_among_the_columns() -> None:
    assert {column.type.id for column in COLUMNS} >= {kind.type.id for kind in KINDS}


def test_every_second_of_a_day_is_shown(write: Write) -> None:
    """LibreOffice cuts what it shows to the second: no number may lie below its second."""
    seconds = range(86_400)
    day = 19_782 * 86_400  # 2024-02-29
    batch = pa.record_batch(
        {
            "at": pa.array([day + second for second in seconds], pa.timestamp("s")),
            "zoned": pa.array([day + second for second in seconds], pa.timestamp("s", "+00:00")),
            "time": pa.array(seconds, pa.time32("s")),
            "span": pa.array([864_000 + second for second in seconds], pa.duration("s")),
        }
    )
    [sheets] = csv_rows([write("seconds.xlsx", batch)], as_shown=True)
    clocks = [f"{each // 60 % 60:02d}:{each % 60:02d}" for each in seconds]
    assert sheets["Sheet1"][1:] == [
        [
            f"2024-02-29 {second // 3600:02d}:{clock}",
            f"2024-02-29 {second // 3600:02d}:{clock}",
            f"{second // 3600:02d}:{clock}",
            f"{240 + second // 3600}:{clock}",
        ]
        for second, clock in zip(seconds, clocks, strict=True)
    ]


def test_numbers_are_there_to_the_last_bit_and_moments_to_the_millisecond(write: Write) -> None:
    floats = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 123456789.12345678, 2.0**53 + 2]
    moments = [NOON.replace(microsecond=each * 1000) for each in (1, 10, 123, 500, 998, 999)]
    batch = pa.record_batch(
        {
            "float": pa.array(floats),
            "at": pa.array(moments, pa.timestamp("us")),
            "time": pa.array([moment.time() for moment in moments], pa.time64("us")),
        }
    )
    header, *rows = exact(write("exact.xlsx", batch))["Sheet1"]
    assert header == ["float", "at", "time"]
    assert rows == [
        [value, moment, moment.time()] for value, moment in zip(floats, moments, strict=True)
    ]


def test_sheets_rows_and_formats_are_as_the_options_say(write: Write) -> None:
    name = "订单 & 'x' 100%"
    batch = pa.record_batch(
        {
            "id": pa.array([10**15, None, 3]),
            "price": pa.array([12.5, 0.125, None]),
            "day": pa.array([dt.date(2024, 2, 29), None, None]),
            "at": pa.array([NOON, None, NOON], pa.timestamp("s", "UTC")),
        }
    )
    path = write(
        "options.xlsx",
        batch,
        [
            ColumnOptions(name="id"),
            ColumnOptions(name="price", header="Price", format="0.00"),
            ColumnOptions(name="day"),
            ColumnOptions(name="at"),
        ],
        sheet_name=name,
        rows_per_sheet=2,
        start_row=3,
        date_format="dd/mm/yyyy",
        datetime_format="dd.mm.yy hh:mm",
        timezone="+08:00",
        long_numbers="number",
    )
    header = {"A3": text("id"), "B3": text("Price"), "C3": text("day"), "D3": text("at")}
    noon = Cell("date", "2024-02-29T20:00:00", "29.02.24 20:00")
    assert cells(path) == {
        name: header
        | {
            "A4": number("1000000000000000"),
            "B4": Cell("float", 12.5, "12.50"),
            "C4": Cell("date", "2024-02-29", "29/02/2024"),
            "D4": noon,
            "B5": Cell("float", 0.125, "0.13"),
        },
        f"{name} (2)": header | {"A4": number("3"), "D4": noon},
    }


def test_a_workbook_without_rows_has_its_header(write: Write) -> None:
    assert csv_rows([write("empty.xlsx", NO_ROWS)], as_shown=True) == [{"Sheet1": [["id"]]}]


def test_an_export_of_the_python_client_is_what_was_sent(site: Site, tmp_path: Path) -> None:
    ids = ["620000000000000001", "007", "=1+1"]
    table = pa.table({"订单号": ids, "total": [12.5, None, 3.0], "paid": [True, False, None]})
    with served(site) as server, ExportClient(server.flight) as client:
        task = client.export(table, "订单.xlsx", autofilter=True)
        client.download(task, tmp_path / "订单.xlsx")
    assert cells(tmp_path / "订单.xlsx") == {
        "Sheet1": {
            "A1": text("订单号"), "B1": text("total"), "C1": text("paid"),
            "A2": text(ids[0]), "B2": number("12.5"), "C2": boolean("TRUE"),
            "A3": text(ids[1]), "C3": boolean("FALSE"),
            "A4": text(ids[2]), "B4": number("3"),
        }
    }  # fmt: skip


def test_the_input_line_has_the_same_texts_and_numbers(write: Write) -> None:
    batch = pa.record_batch({"id": ["007", "=1+1", " x\ty "], "n": [999_999_999_999_999, None, -1]})
    [sheets] = csv_rows([write("input.xlsx", batch)], as_shown=False)
    assert sheets == {
        "Sheet1": [["id", "n"], ["007", "999999999999999"], ["=1+1", ""], [" x\ty ", "-1"]]
    }


def test_it_can_be_printed(write: Write) -> None:
    assert pdf(write("printed.xlsx", NO_ROWS)).startswith(b"%PDF-")

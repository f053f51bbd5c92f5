"""What is written as a workbook is what openpyxl and calamine read, under the documented fates."""

import ctypes
import datetime as dt
import io
import math
import re
from decimal import Decimal
from functools import cache
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import to_excel
from python_calamine import CalamineWorkbook

from exporters import Workers, XlsxOptions, open_exporter
from tests.property.strategies import DAY, TEXTS, UNITS, Kind, Raw, Sent, tables

UNIX_EPOCH = 25_569
FIRST_DAY, LAST_DAY = 61, 2_958_465
MILLISECOND = 0.001 / DAY

OPTIONS = st.builds(
    XlsxOptions,
    start_row=st.sampled_from([1, 2, 7]),
    freeze_header=st.booleans(),
    autofilter=st.booleans(),
    column_widths=st.sampled_from(["auto", "none"]),
    timezone=st.sampled_from([None, "UTC", "America/New_York", "+05:45"]),
    long_numbers=st.sampled_from(["text", "number"]),
    compression=st.sampled_from(["fast", "balanced", "small"]),
    rows_per_sheet=st.sampled_from([1, 3, 1000]),
)

Cell = Any
"""None, a bool, a text, a float or a `Serial`."""


class Serial(float):
    """A day number, equal to another within a millisecond, which is what readers keep.

    calamine rounds a time of day just before midnight to the midnight before.
    """

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Serial):
            return False
        apart = abs(float(self) - float(other))
        wrapped = max(self, other) <= 1 and 1 - apart <= MILLISECOND
        return apart <= MILLISECOND or wrapped


class Single(float):
    """A 32-bit float, equal to any number that rounds to it: cells hold its shortest decimal."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and ctypes.c_float(other).value == float(self)


@cache
def workers() -> Workers:
    return Workers(threads=2)


def written(sent: Sent, options: XlsxOptions) -> bytes:
    sink = io.BytesIO()
    with open_exporter("xlsx", sink, sent.schema, (), options, workers()) as exporter:
        for batch in sent.batches:
            exporter.write_batch(batch)
    assert exporter.rows_written == sent.rows
    assert exporter.sheets == max(1, math.ceil(sent.rows / options.rows_per_sheet))
    return sink.getvalue()


# What a cell must be.


def fate(kind: Kind, value: Raw, options: XlsxOptions) -> Cell:
    if value is None or isinstance(value, bool | str):
        return value
    types, sent = pa.types, kind.type
    if types.is_floating(sent):
        if not math.isfinite(value):
            return None
        return float(value) if types.is_float64(sent) else Single(value)
    if types.is_integer(sent):
        return number(Decimal(value), options)
    if types.is_decimal(sent):
        return number(value, options)
    if types.is_date32(sent):
        return day(value)
    if types.is_date64(sent):
        return day(value // (DAY * 1000))
    unit = sent.unit
    if types.is_timestamp(sent):
        return moment(value, unit, sent.tz and (options.timezone or sent.tz))
    if value < 0:
        return duration(-value, unit)
    return Serial(value / (DAY * UNITS[unit]))


def number(value: Decimal, options: XlsxOptions) -> Cell:
    """Zeros at the end of a scale are not counted: Excel loses nothing by them."""
    if options.long_numbers == "number":
        return float(value)
    text = f"{value:f}"
    digits = text.rstrip("0") if "." in text else text
    return text if len(re.sub("[-.]", "", digits).lstrip("0")) > 15 else float(value)


def day(value: int) -> Cell:
    serial = value + UNIX_EPOCH
    if FIRST_DAY <= serial <= LAST_DAY:
        return Serial(serial)
    return (dt.date(1970, 1, 1) + dt.timedelta(days=value)).isoformat()


def moment(value: int, unit: str, zone: str | None) -> Cell:
    seconds, fraction = divmod(value, UNITS[unit])
    wall = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    if zone:
        wall = wall.replace(tzinfo=dt.UTC).astimezone(tz(zone)).replace(tzinfo=None)
    serial = (wall - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)
    if FIRST_DAY <= serial < LAST_DAY + 1:
        return Serial(serial + fraction / UNITS[unit] / DAY)
    nanoseconds = f"{fraction * 10**9 // UNITS[unit]:09d}"
    digits = re.sub("(000)+$", "", nanoseconds)  # by threes, as polars writes them
    digits = f".{digits}" if digits else ""
    return wall.isoformat(" ") + digits


def tz(name: str) -> dt.tzinfo:
    if name[0] not in "+-":
        return ZoneInfo(name)
    minutes = int(name[1:3]) * 60 + int(name[4:])
    return dt.timezone(dt.timedelta(minutes=-minutes if name[0] == "-" else minutes))


def duration(size: int, unit: str) -> str:
    seconds, fraction = divmod(size, UNITS[unit])
    digits = f".{fraction:0{len(str(UNITS[unit])) - 1}d}".rstrip("0") if fraction else ""
    return f"-{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{digits}"


# What a reader says that it is.


def as_cell(value: object) -> Cell:
    if isinstance(value, dt.date | dt.datetime | dt.time | dt.timedelta):
        return Serial(to_excel(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def unescaped(value: Cell) -> Cell:
    """openpyxl leaves `_xHHHH_` in inline texts as it is, unlike Excel and calamine."""
    if not isinstance(value, str):
        return value
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), value)


def nonchars(value: object) -> object:
    if not isinstance(value, str):
        return value
    return value.replace("_xFFFE_", "\ufffe").replace("_xFFFF_", "\uffff")


def by_openpyxl(data: bytes, options: XlsxOptions) -> list[list[list[Cell]]]:
    """Dates as the numbers that openpyxl converts: it fails for times just before midnight."""
    with patch("openpyxl.worksheet._reader.from_excel", lambda value, *_, **__: Serial(value)):
        book = openpyxl.load_workbook(io.BytesIO(data))
    return [
        [
            [unescaped(as_cell(value)) for value in row]
            for row in sheet.iter_rows(min_row=options.start_row, values_only=True)
        ]
        for sheet in book.worksheets
    ]


def by_calamine(data: bytes, options: XlsxOptions) -> list[list[list[Cell]]]:
    """Texts unescaped by calamine, but for the two characters that are none."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [
        [
            [as_cell(nonchars(value)) for value in row]
            for row in book.get_sheet_by_index(index).to_python(skip_empty_area=False)
        ][options.start_row - 1 :]
        for index in range(len(book.sheet_names))
    ]


def expected(sent: Sent, options: XlsxOptions) -> list[list[list[Cell]]]:
    rows = [
        [fate(kind, value, options) for kind, value in zip(sent.kinds, row, strict=True)]
        for row in zip(*sent.columns, strict=True)
    ]
    size = options.rows_per_sheet
    return [
        [list(sent.schema.names), *rows[start : start + size]]
        for start in range(0, max(len(rows), 1), size)
    ]


def without_empty(sheets: list[list[list[Cell]]]) -> list[dict[tuple[int, int], Cell]]:
    """The cells that are there, by place; an empty text is as good as none to some readers."""
    return [
        {
            (row, column): value
            for row, values in enumerate(sheet)
            for column, value in enumerate(values)
            if value not in (None, "")
        }
        for sheet in sheets
    ]


@given(tables(), OPTIONS)
@settings(max_examples=200, deadline=None)
def test_openpyxl_and_calamine_read_every_cell(sent: Sent, options: XlsxOptions) -> None:
    data = written(sent, options)
    cells = without_empty(expected(sent, options))
    assert without_empty(by_openpyxl(data, options)) == cells
    assert without_empty(by_calamine(data, options)) == cells


@given(st.lists(TEXTS, min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_every_text_comes_back_as_a_text(texts: list[str]) -> None:
    """Whatever it looks like: a formula, a number, an escape, nothing but spaces."""
    batch = pa.record_batch({"text": pa.array(texts), "row": range(len(texts))})
    sink = io.BytesIO()
    with open_exporter("xlsx", sink, batch.schema, (), XlsxOptions(), workers()) as exporter:
        exporter.write_batch(batch)
    sheet = openpyxl.load_workbook(sink).active
    cells = [sheet.cell(row + 2, 1) for row in range(len(texts))]
    assert [unescaped(cell.value or "") for cell in cells] == texts
    assert {cell.data_type for cell in cells} <= {"inlineStr", "s", "n"}
    assert b"<f>" not in sink.getvalue()

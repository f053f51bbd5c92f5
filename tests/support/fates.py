"""Values of every supported type, and what LibreOffice must have and show of each in a workbook.

Written down from docs/formats.md, or computed in plain Python.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tests.support.libreoffice import Cell

UNITS = ("s", "ms", "us", "ns")


# What LibreOffice must have in a cell that shows a text.


def text(shown: str) -> Cell:
    return Cell("string", shown, shown)


def number(shown: str) -> Cell:
    return Cell("float", float(shown), shown)


def boolean(shown: str) -> Cell:
    return Cell("boolean", shown == "TRUE", shown)


def day(shown: str) -> Cell:
    return Cell("date", shown, shown)


def moment(shown: str) -> Cell:
    """LibreOffice has midnight as a date."""
    return Cell("date", shown.removesuffix(" 00:00:00").replace(" ", "T"), shown)


def clock(shown: str, milliseconds: int = 0) -> Cell:
    """The fraction of a second is not shown."""
    hours, minutes, seconds = map(int, shown.split(":"))
    value = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
    return Cell("time", value, shown)


@dataclass(frozen=True)
class Column:
    """Values to send, and the cells that they must be; None is no cell."""

    name: str
    type: pa.DataType
    fates: Sequence[tuple[Any, Cell | None]]
    encode: Callable[[pa.Array], pa.Array] = lambda array: array

    def __str__(self) -> str:
        return self.name

    def array(self, rows: int) -> pa.Array:
        sent = [value for value, _ in self.fates]
        return self.encode(pa.array(sent + [None] * (rows - len(sent)), self.type))

    def cells(self, rows: int) -> list[Cell | None]:
        """The header, the values, and no cells for nulls to the last row."""
        expected = [text(self.name), *(cell for _, cell in self.fates)]
        return expected + [None] * (rows + 1 - len(expected))


SMALL = [(127, number("127")), (None, None), (0, number("0")), (42, number("42"))]
LONG = [
    (999_999_999_999_999, number("999999999999999")),
    (10**15, text("1000000000000000")),
    (620_000_000_000_000_001, text("620000000000000001")),
]
FLOATS = [
    (1.5, number("1.5")),
    (-0.25, number("-0.25")),
    (None, None),
    (float("nan"), None),
    (float("-inf"), None),
    (100.0, number("100")),
]
MONEY = [(Decimal("12.50"), number("12.5")), (None, None), (Decimal("-0.01"), number("-0.01"))]
LONG_MONEY = [
    (Decimal("1234567890123.45"), number("1234567890123.45")),
    (Decimal("12345678901234.56"), text("12345678901234.56")),
]
LIKE_OTHER_THINGS = [
    "007", "12345678901234567890", "1.50", "1e5", "-1", "TRUE", "NULL", "2024-02-29", "12:00",
    "=1+1", "+SUM(A1)", "@x", "{=1}", "'quoted", '"', 'say "hi"', "<b>&amp;</b>", "50%", "#N/A",
    "http://example.com/?a=1&b=2", "_x000A_", "_x005F_", "_x005F_x000A_", "_x000a_x", "#REF!",
]  # fmt: skip
OF_ODD_CHARACTERS = [
    "漢字", "𠮷野家", "订单，已付款。", "😀", "\U0001f469\u200d\U0001f467", "e\u0301é", "\u202eabc",
    "\ufeffx", "\u2028", "\xa0x\xa0", "\x00", "\x01\x1f\x7f\x85", "\ufffe\uffff",
    "  padded  ", " ", "a  b", "\ta\t\tb\t", "\n", "a\nb\n\nc", "\n\n a",
]  # fmt: skip
TEXTS = [
    *((value, text(value)) for value in LIKE_OTHER_THINGS + OF_ODD_CHARACTERS),
    ("", None),  # LibreOffice has no empty texts
    (None, None),
    ("a\r\nb\rc", text("a\nb\nc")),  # nor carriage returns
    ("x" * 32_768, text("x" * 32_767)),
]
NAMES = [("Ada", text("Ada")), ("Ada", text("Ada")), (None, None), ("漢", text("漢"))]
DAYS = [
    (dt.date(2024, 2, 29), day("2024-02-29")),
    (dt.date(1900, 3, 1), day("1900-03-01")),
    (None, None),
    (dt.date(9999, 12, 31), day("9999-12-31")),
    (dt.date(1900, 2, 28), text("1900-02-28")),
    (dt.date(1, 1, 1), text("0001-01-01")),
]
CLOCKS = [
    (dt.time(18), clock("18:00:00")),
    (dt.time(0), clock("00:00:00")),
    (None, None),
    (dt.time(23, 59, 59), clock("23:59:59")),
]
NOON = dt.datetime(2024, 2, 29, 12)
MOMENTS = [
    (NOON, moment("2024-02-29 12:00:00")),
    (dt.datetime(2024, 1, 1, 8), moment("2024-01-01 08:00:00")),
    (None, None),
    (dt.datetime(2024, 1, 1), moment("2024-01-01 00:00:00")),
    (dt.datetime(1900, 3, 1), moment("1900-03-01 00:00:00")),
    (dt.datetime(1899, 12, 31, 12), text("1899-12-31 12:00:00")),
]
LAST_MOMENT = (dt.datetime(9999, 12, 31, 23, 59, 59), moment("9999-12-31 23:59:59"))
SPANS = [
    (dt.timedelta(hours=36), clock("36:00:00")),
    (dt.timedelta(hours=100, seconds=1), clock("100:00:01")),
    (None, None),
    (dt.timedelta(0), clock("0:00:00")),
    (dt.timedelta(days=20_000, seconds=59), clock("480000:00:59")),
    (dt.timedelta(hours=-36), text("-36:00:00")),
]


def of_parts(unit: str, most: dt.datetime) -> list[tuple[Any, Cell | None]]:
    """A moment with a fraction of a second, which the screen does not show."""
    return [] if unit == "s" else [(most, moment(most.isoformat(" ", "seconds")))]


COLUMNS = (
    Column("bool", pa.bool_(), [(True, boolean("TRUE")), (None, None), (False, boolean("FALSE"))]),
    Column("int8", pa.int8(), [*SMALL, (-128, number("-128"))]),
    Column("int16", pa.int16(), [*SMALL, (-(2**15), number("-32768"))]),
    Column("int32", pa.int32(), [*SMALL, (-(2**31), number("-2147483648"))]),
    Column("int64", pa.int64(), [*SMALL, *LONG, (-(2**63), text("-9223372036854775808"))]),
    Column("uint8", pa.uint8(), [*SMALL, (255, number("255"))]),
    Column("uint16", pa.uint16(), [*SMALL, (2**16 - 1, number("65535"))]),
    Column("uint32", pa.uint32(), [*SMALL, (2**32 - 1, number("4294967295"))]),
    Column("uint64", pa.uint64(), [*SMALL, *LONG, (2**64 - 1, text("18446744073709551615"))]),
    Column("float16", pa.float16(), [*FLOATS, (0.1, number("0.099975586"))]),
    Column("float32", pa.float32(), [*FLOATS, (0.1, number("0.1")), (2.0**24, number("16777216"))]),
    Column(
        "float64",
        pa.float64(),
        [
            *FLOATS,
            (0.1 + 0.2, number("0.3")),  # of 15 digits; the rest is in the test of exact numbers
            (1 / 3, number("0.333333333333333")),
            (1e300, number("1E+300")),
            (-1e-300, number("-1E-300")),
        ],
    ),
    Column("decimal32", pa.decimal32(9, 2), MONEY),
    Column("decimal64", pa.decimal64(18, 2), [*MONEY, *LONG_MONEY]),
    Column("decimal128", pa.decimal128(38, 2), [*MONEY, *LONG_MONEY]),
    Column("decimal256", pa.decimal256(38, 2), [*MONEY, *LONG_MONEY]),
    Column("string", pa.string(), TEXTS),
    Column("large_string", pa.large_string(), TEXTS),
    Column("string_view", pa.string_view(), TEXTS),
    Column("dictionary", pa.string(), NAMES, lambda array: array.dictionary_encode()),
    Column("run_end_encoded", pa.string(), NAMES, pc.run_end_encode),
    Column("null", pa.null(), [(None, None)]),
    Column("date32", pa.date32(), DAYS),
    Column("date64", pa.date64(), DAYS),
    Column("time32[s]", pa.time32("s"), CLOCKS),
    *(
        Column(str(kind), kind, [*CLOCKS, (dt.time(7, 59, 59, 999_000), clock("07:59:59", 999))])
        for kind in (pa.time32("ms"), pa.time64("us"), pa.time64("ns"))
    ),
    *(
        Column(
            f"timestamp[{unit}]",
            pa.timestamp(unit),
            [
                *MOMENTS,
                *of_parts(unit, NOON.replace(microsecond=123_000)),
                *([] if unit == "ns" else [LAST_MOMENT]),  # whose years end in 2262
            ],
        )
        for unit in UNITS
    ),
    *(
        Column(f"timestamp[{unit}, {zone}]", pa.timestamp(unit, zone), [(NOON, moment(shown))])
        for unit in UNITS
        for zone, shown in {
            "UTC": "2024-02-29 12:00:00",
            "+06:00": "2024-02-29 18:00:00",
            "Asia/Dhaka": "2024-02-29 18:00:00",
            "America/New_York": "2024-02-29 07:00:00",
        }.items()
    ),
    *(Column(f"duration[{unit}]", pa.duration(unit), SPANS) for unit in UNITS),
)
ROWS = max(len(column.fates) for column in COLUMNS)

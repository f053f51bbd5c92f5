"""Tables that an exporter must take: every supported type, nulls, encodings, sliced batches.

A `Kind` knows values as *raw* Python values that lose nothing (whole numbers of the unit for dates
and times, which `datetime` would cut to microseconds) and how its CSV text is read back. The
reading is written here in plain Python, apart from the libraries that the exporters use.
"""

import ctypes
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from tests.property.spelled import SPELLED_SCALARS, Arrays, Scalars, nested, scalars, spelled

Raw = Any

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNIX_DAY = date(1970, 1, 1).toordinal()
DAY = 86_400
EXACT = Context(prec=80)


@dataclass(frozen=True)
class Kind:
    """A type to send: its values, how they are encoded, and how a cell of CSV is read back."""

    name: str
    type: pa.DataType
    values: st.SearchStrategy[Raw]
    read: Callable[[str], Raw]
    encode: Callable[[pa.Array], pa.Array] = lambda array: array
    arrays: Arrays | None = None
    """What is drawn instead of values where these become text: the text is what is compared."""

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sent:
    """A stream: what it holds, and the batches that it comes in."""

    kinds: tuple[Kind, ...]
    columns: tuple[list[Raw], ...]
    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]

    @property
    def rows(self) -> int:
        return len(self.columns[0])


def same(got: Raw, sent: Raw) -> bool:
    """Equality under which NaN is itself and True is not 1."""
    both_nan = got != got and sent != sent
    return type(got) is type(sent) and (got == sent or both_nan)


def single(text: str) -> float:
    """The 32-bit float nearest to a number's text."""
    return ctypes.c_float(float(text)).value


def half(text: str) -> float:
    """The 16-bit float nearest to a number's text."""
    return float(struct.unpack("e", struct.pack("e", float(text)))[0])


# How a cell of each kind is read back.

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d)(?:\.(\d+))?")
_TIMESTAMP = re.compile(r"(\S+) ([\d:.]+)(?:Z|([+-])(\d\d):?(\d\d))?")


def read_bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def read_day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - UNIX_DAY


def read_clock(unit: str) -> Callable[[str], int]:
    """`[-]H:MM:SS[.fraction]` in units."""

    def read(text: str) -> int:
        match = _CLOCK.fullmatch(text.removeprefix("-"))
        assert match, text
        hours, minutes, seconds = (int(part) for part in match.group(1, 2, 3))
        fraction = Decimal(f"0.{match[4] or 0}") * UNITS[unit]
        assert fraction == int(fraction), text
        size = (hours * 3600 + minutes * 60 + seconds) * UNITS[unit] + int(fraction)
        return -size if text.startswith("-") else size

    return read


def read_timestamp(unit: str) -> Callable[[str], int]:
    """Date, time and, for zoned ones, `Z` or an offset; in units since 1970, UTC."""

    def read(text: str) -> int:
        match = _TIMESTAMP.fullmatch(text)
        assert match, text
        day, clock, sign, hours, minutes = match.groups()
        wall = read_day(day) * DAY * UNITS[unit] + read_clock(unit)(clock)
        offset = int(f"{sign}1") * (int(hours) * 60 + int(minutes)) if sign else 0
        return wall - offset * 60 * UNITS[unit]

    return read


# What is sent.

TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="ab ,;\t\r\n\"'&<>=_x0A\x01\x1f\ufffe漢é😀", max_size=12),
    st.sampled_from(
        [
            "", " ", "  padded  ", "\tx\n", "=1+1", "+SUM(A1)", "-1", "@x", "{=1}", "007", "1e5",
            "TRUE", "NULL", "\\N", "_x000A_", "_x005F_", "_x0001_x0002_", "a_x", "\x00", "\x7f\x85",
            "\u2028", "\ufeffx", "http://example.com/?a=1&b=2", "12345678901234567890", "𠮷野家",
        ]
    ),
)  # fmt: skip


def whole(least: int, most: int) -> st.SearchStrategy[int]:
    """Whole numbers between bounds: the bounds themselves and 15 digits are likely."""
    edges = [least, most, 0, 10**15 - 1, 10**15, -(10**15)]
    return st.integers(least, most) | st.sampled_from([n for n in edges if least <= n <= most])


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return whole(-most, most).map(lambda units: Decimal(units).scaleb(-scale, EXACT))


def instants(unit: str, zone: str | None) -> st.SearchStrategy[int]:
    """Units since 1970: of the last decades, or anywhere in the years 1 to 9999 that fit
    but for a day, which pyarrow's reader of CSV needs.

    Zoned ones are kept to 1930 to 2037, where every database of zones has the same rules, and
    where no local mean time has an offset with seconds, which `+HHMM` cannot say.
    """
    first, last = (date(1930, 1, 1), date(2037, 12, 31)) if zone else (date.min, date.max)
    day = DAY * UNITS[unit]
    start = (first.toordinal() - UNIX_DAY + 1) * day
    end = (last.toordinal() - UNIX_DAY) * day
    anywhere = st.integers(max(start, -(2**63) + day), min(end, 2**63 - day))
    return st.integers(0, 2**30 * UNITS[unit]) | anywhere


def dictionary(array: pa.Array) -> pa.Array:
    return array.dictionary_encode()


def run_ends(array: pa.Array) -> pa.Array:
    return pc.run_end_encode(array)


def _integers() -> list[Kind]:
    kinds = []
    for bits in (8, 16, 32, 64):
        signed = whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        kinds.append(Kind(f"int{bits}", getattr(pa, f"int{bits}")(), signed, int))
        unsigned = whole(0, 2**bits - 1)
        kinds.append(Kind(f"uint{bits}", getattr(pa, f"uint{bits}")(), unsigned, int))
    return kinds


def _floats() -> list[Kind]:
    return [
        Kind("float16", pa.float16(), st.floats(width=16), half),
        Kind("float32", pa.float32(), st.floats(width=32), single),
        Kind("float64", pa.float64(), st.floats(), float),
    ]


def _decimals() -> list[Kind]:
    makers = {32: pa.decimal32, 64: pa.decimal64, 128: pa.decimal128, 256: pa.decimal256}
    shapes = [
        (32, 9, 4),
        (64, 15, 2),
        (64, 18, 0),
        (128, 38, 10),
        (128, 20, 20),
        (256, 38, 3),
        (256, 76, 20),
    ]
    return [
        Kind(
            f"decimal{bits}({precision},{scale})",
            makers[bits](precision, scale),
            decimals(precision, scale),
            Decimal,
        )
        for bits, precision, scale in shapes
    ]


def _texts() -> list[Kind]:
    return [
        Kind("string", pa.string(), TEXTS, str),
        Kind("large_string", pa.large_string(), TEXTS, str),
        Kind("string_view", pa.string_view(), TEXTS, str),
        Kind("dictionary", pa.string(), TEXTS, str, dictionary),
        Kind("run_end_encoded", pa.string(), TEXTS, str, run_ends),
        Kind("null", pa.null(), st.none(), str),
    ]


def _temporals() -> list[Kind]:
    days = st.integers(
        date(1, 1, 1).toordinal() - UNIX_DAY, date(9999, 12, 31).toordinal() - UNIX_DAY
    )
    kinds = [
        Kind("date32", pa.date32(), days, read_day),
        Kind(
            "date64",
            pa.date64(),
            days.map(lambda day: day * DAY * 1000),
            lambda text: read_day(text) * DAY * 1000,
        ),
    ]
    for unit, scale in UNITS.items():
        time = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
        kinds.append(Kind(f"time({unit})", time, whole(0, DAY * scale - 1), read_clock(unit)))
        kinds.append(
            Kind(
                f"duration({unit})",
                pa.duration(unit),
                whole(-(10**8) * scale, 10**8 * scale),
                read_clock(unit),
            )
        )
        kinds.extend(
            Kind(
                f"timestamp({unit},{zone})",
                pa.timestamp(unit, zone),
                instants(unit, zone),
                read_timestamp(unit),
            )
            for zone in (None, "UTC", "Asia/Shanghai", "-03:30")
        )
    return kinds


def _scalars_within() -> Scalars:
    """All that can stand in a nested value. Python's own times end with microseconds."""
    plain = [
        scalars(
            kind.type,
            kind.values.map(_whole_microseconds) if "ns" in kind.name else kind.values,
        )
        for kind in PLAIN
        if kind.name not in ("dictionary", "run_end_encoded")
    ]
    spelled = {**SPELLED_SCALARS}
    extensions = [
        spelled.pop("uuid"),
        scalars(pa.bool8(), st.integers(0, 1)),
        scalars(pa.json_(), TEXTS),
    ]
    return Scalars([*plain, *spelled.values()], extensions)


def _whole_microseconds(nanoseconds: int) -> int:
    return nanoseconds // 1000 * 1000


PLAIN = (
    Kind("bool", pa.bool_(), st.booleans(), read_bool),
    *_integers(),
    *_floats(),
    *_decimals(),
    *_texts(),
    *_temporals(),
)

NESTED = Kind("nested", pa.string(), st.nothing(), str, arrays=nested(_scalars_within(), depth=3))

KINDS: Sequence[Kind] = (
    *PLAIN,
    *(
        Kind(name, pa.string(), st.nothing(), str, arrays=arrays)
        for name, arrays in SPELLED_SCALARS.items()
    ),
    *[NESTED] * 10,  # as likely as the temporals
)

OF_PYTHON = tuple(
    replace(kind, values=kind.values.map(_whole_microseconds)) if "ns" in kind.name else kind
    for kind in KINDS
)
"""Only with values that Python's own classes can hold."""


@st.composite
def tables(
    draw: st.DrawFn, *, kinds: Sequence[Kind] = KINDS, max_columns: int = 4, max_rows: int = 12
) -> Sent:
    """A stream of a few columns; its batches are slices, cut at any rows."""
    kinds = tuple(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=max_columns)))
    rows = draw(st.integers(0, max_rows))
    drawn = [draw(_columns(kind, rows)) for kind in kinds]
    whole_batch = pa.record_batch(
        [array for _, array in drawn], names=[f"c{place}" for place in range(len(kinds))]
    )
    cuts = sorted({0, rows, *draw(st.lists(st.integers(0, rows), max_size=3))})
    batches = [whole_batch.slice(start, end - start) for start, end in pairwise(cuts)]
    columns = tuple(values for values, _ in drawn)
    return Sent(kinds, columns, whole_batch.schema, tuple(batches))


def _columns(kind: Kind, rows: int) -> st.SearchStrategy[tuple[list[Raw], pa.Array]]:
    """What a column of `kind` holds, and the array that is sent."""
    if kind.arrays is not None:
        return kind.arrays(rows).map(
            lambda array: ([spelled(array.type, each) for each in array.to_pylist()], array)
        )
    values = st.lists(st.none() | kind.values, min_size=rows, max_size=rows)
    return values.map(lambda each: (each, kind.encode(pa.array(each, kind.type))))

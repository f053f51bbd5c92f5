"""Values that become text: binary, intervals, UUIDs, and all that is nested.

Arrays are built as a sender might: buffers hold something under nulls, views share their values in
any order. What their text must be is written here in plain Python, from `to_pylist()`.
"""

import base64
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

Value = Any
Arrays = Callable[[int], st.SearchStrategy[pa.Array]]
"""Strategies of arrays of so many rows."""

DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


# What the text of a value must be.


def spelled(kind: pa.DataType, value: Value) -> str | None:
    """The text of a cell."""
    if value is None or isinstance(value, str):
        return value
    if is_nested(kind):
        return json_text(kind, value)
    text = json_text(kind, value)
    return json.loads(text) if text[0] == '"' else text


def json_text(kind: pa.DataType, value: Value) -> str:
    """The JSON of a value within a nested one."""
    types = pa.types
    if value is None:
        return "null"
    if isinstance(kind, pa.BaseExtensionType):
        return (
            json_text(kind.storage_type, value)
            if not types.is_int8(kind.storage_type)
            else ("true" if value else "false")
        )
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return json_text(kind.value_type, value)
    if types.is_struct(kind):
        pairs = [f"{quoted(each.name)}:{json_text(each.type, value[each.name])}" for each in kind]
        return "{" + ",".join(pairs) + "}"
    if types.is_map(kind):
        pairs = [
            f"{key_text(kind.key_type, key)}:{json_text(kind.item_type, item)}"
            for key, item in value
        ]
        return "{" + ",".join(pairs) + "}"
    if is_nested(kind):
        return "[" + ",".join(json_text(kind.value_type, each) for each in value) + "]"
    return scalar_text(kind, value)


def key_text(kind: pa.DataType, key: Value) -> str:
    text = json_text(kind, key)
    return text if text[0] == '"' else quoted(text)


def scalar_text(kind: pa.DataType, value: Value) -> str:
    types = pa.types
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(kind, value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return quoted(base64.b64encode(value).decode())
    if isinstance(value, timedelta):
        return quoted(clock(value // timedelta(microseconds=1)))
    if types.is_interval(kind):
        return quoted(period(*value))
    if types.is_time(kind) or types.is_timestamp(kind):
        return quoted(iso(kind, value))
    return quoted(str(value))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def float_text(kind: pa.DataType, value: float) -> str:
    """In polars' spelling, of which only the value is known to Python."""
    if not math.isfinite(value):
        return "null"
    width = pa.float64() if pa.types.is_float64(kind) else pa.float32()
    text = str(pl.Series(pa.array([value], width)).cast(pl.String)[0])
    assert "." in text or "e" in text
    assert pa.scalar(float(text), width).as_py() == value
    return text


def clock(microseconds: int) -> str:
    seconds, fraction = divmod(abs(microseconds), 10**6)
    digits = f".{fraction:06d}".rstrip("0") if fraction else ""
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{digits}"


def iso(kind: pa.DataType, value: Value) -> str:
    """Python's spelling, with as many digits as the unit has and `Z` for UTC."""
    digits = DIGITS[kind.unit]
    text = value.isoformat(timespec="microseconds")
    place = text.index(".")
    fraction, offset = text[place + 1 : place + 7].ljust(9, "0"), text[place + 7 :]
    if pa.types.is_timestamp(kind) and kind.tz == "UTC":
        offset = "Z"
    return text[:place] + ("." + fraction[:digits] if digits else "") + offset


def period(months: int, days: int, nanoseconds: int) -> str:
    years, months = divmod(abs(months), 12) if months >= 0 else [-n for n in divmod(-months, 12)]
    date = "".join(f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (days, "D")) if n)
    sign = "-" if nanoseconds < 0 else ""
    minutes, rest = divmod(abs(nanoseconds), 60 * 10**9)
    parts = [f"{sign}{n}{unit}" for n, unit in ((minutes // 60, "H"), (minutes % 60, "M")) if n]
    if rest:
        parts.append(f"{sign}{Decimal(rest).scaleb(-9).normalize():f}S")
    time = "T" + "".join(parts) if parts else ""
    return f"P{date}{time}" if date or time else "PT0S"


def is_nested(kind: pa.DataType) -> bool:
    """Apart from the function of the same name that the exporters use."""
    return str(kind).startswith(("list", "large_list", "fixed_size_list", "struct", "map"))


# What is sent.


def scalars(kind: pa.DataType, values: st.SearchStrategy[Value]) -> Arrays:
    def build(rows: int) -> st.SearchStrategy[pa.Array]:
        sent = st.lists(st.none() | values, min_size=rows, max_size=rows)
        if not isinstance(kind, pa.BaseExtensionType):
            return sent.map(lambda each: pa.array(each, kind))
        return sent.map(
            lambda each: pa.ExtensionArray.from_storage(kind, pa.array(each, kind.storage_type))
        )

    return build


def _int(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


INTERVALS = st.tuples(
    st.sampled_from([0, 1, 11, 12, -14, -(2**31)]) | _int(32),
    st.sampled_from([0, 0, -1]) | _int(32),
    st.sampled_from([0, 0, 10**9, -1, 3600 * 10**9, 90 * 10**9]) | _int(64),
)

SPELLED_SCALARS: dict[str, Arrays] = {
    "binary": scalars(pa.binary(), st.binary(max_size=8)),
    "large_binary": scalars(pa.large_binary(), st.binary(max_size=8)),
    "binary_view": scalars(pa.binary_view(), st.binary(max_size=20)),
    "fixed_size_binary": scalars(pa.binary(3), st.binary(min_size=3, max_size=3)),
    "interval": scalars(pa.month_day_nano_interval(), INTERVALS),
    "uuid": scalars(pa.uuid(), st.binary(min_size=16, max_size=16)),
}


def masks(rows: int) -> st.SearchStrategy[pa.Array]:
    """Which rows are null."""
    return st.lists(st.booleans(), min_size=rows, max_size=rows).map(
        lambda nulls: pa.array(nulls, pa.bool_())
    )


@st.composite
def lists(draw: st.DrawFn, rows: int, values: Arrays, *, large: bool) -> pa.Array:
    """Null rows may have values too."""
    sizes = draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    ends = [sum(sizes[:place]) for place in range(rows + 1)]
    make, width = (pa.LargeListArray, pa.int64()) if large else (pa.ListArray, pa.int32())
    flat = draw(values(ends[-1]))
    return make.from_arrays(pa.array(ends, width), flat, mask=draw(masks(rows)))


@st.composite
def list_views(draw: st.DrawFn, rows: int, values: Arrays, *, large: bool) -> pa.Array:
    """Rows that share values, in any order."""
    count = draw(st.integers(0, 5))
    starts = draw(st.lists(st.integers(0, count), min_size=rows, max_size=rows))
    sizes = [draw(st.integers(0, count - start)) for start in starts]
    make, width = (pa.LargeListViewArray, pa.int64()) if large else (pa.ListViewArray, pa.int32())
    flat = draw(values(count))
    bounds = pa.array(starts, width), pa.array(sizes, width)
    return make.from_arrays(*bounds, flat, mask=draw(masks(rows)))


@st.composite
def fixed_lists(draw: st.DrawFn, rows: int, values: Arrays) -> pa.Array:
    size = draw(st.integers(1, 2))
    flat = draw(values(rows * size))
    return pa.FixedSizeListArray.from_arrays(flat, size, mask=draw(masks(rows)))


@st.composite
def maps(draw: st.DrawFn, rows: int, keys: Arrays, values: Arrays) -> pa.Array:
    """Keys are never null; null rows are empty."""
    names = draw(keys(rows * 2))
    names = names if names.null_count == 0 else names.slice(0, 0)
    items = draw(values(len(names)))
    ends = sorted(draw(st.lists(st.integers(0, len(names)), min_size=rows + 1, max_size=rows + 1)))
    mask = draw(masks(rows))
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), names, items, mask=mask)


@st.composite
def structs(draw: st.DrawFn, rows: int, fields: Sequence[Arrays]) -> pa.Array:
    names = draw(
        st.lists(
            st.sampled_from(["a", "b", 'q"', "\\n\n", "é漢", "", "&<_x0041_"]),
            unique=True,
            min_size=len(fields),
            max_size=len(fields),
        )
    )
    mask = draw(masks(rows))
    if not fields:
        return pa.array([None if null else {} for null in mask.to_pylist()], pa.struct([]))
    return pa.StructArray.from_arrays([draw(each(rows)) for each in fields], names, mask=mask)


@st.composite
def dictionaries(draw: st.DrawFn, rows: int, values: st.SearchStrategy[Arrays]) -> pa.Array:
    dictionary = draw(draw(values)(draw(st.integers(1, 3))))
    places = st.none() | st.integers(0, len(dictionary) - 1)
    indices = draw(st.lists(places, min_size=rows, max_size=rows))
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), dictionary)


@st.composite
def run_ends(draw: st.DrawFn, rows: int, values: st.SearchStrategy[Arrays]) -> pa.Array:
    cuts = {rows, *draw(st.lists(st.integers(1, max(rows, 1)), max_size=3))} if rows else set()
    ends = sorted(cut for cut in cuts if cut <= rows)
    return pa.RunEndEncodedArray.from_arrays(
        pa.array(ends, pa.int32()), draw(draw(values)(len(ends)))
    )


@dataclass(frozen=True)
class Scalars:
    """What can stand in a nested value."""

    plain: Sequence[Arrays]
    extensions: Sequence[Arrays]

    def any(self, rows: int) -> st.SearchStrategy[pa.Array]:
        return _one(rows, [*self.plain, *self.extensions])

    def simple(self, rows: int) -> st.SearchStrategy[pa.Array]:
        return _one(rows, self.plain)


def _one(rows: int, arrays: Sequence[Arrays]) -> st.SearchStrategy[pa.Array]:
    return st.sampled_from(arrays).flatmap(lambda each: each(rows))


def nested(scalars: Scalars, depth: int) -> Arrays:
    """Arrays of any nested type, with at most `depth` levels."""

    def build(rows: int) -> st.SearchStrategy[pa.Array]:
        inner = any_value(scalars, depth - 1)
        return st.one_of(
            lists(rows, inner, large=False),
            lists(rows, inner, large=True),
            list_views(rows, inner, large=False),
            list_views(rows, inner, large=True),
            fixed_lists(rows, inner),
            maps(rows, any_value(scalars, 0), inner),
            st.integers(0, 3).flatmap(lambda count: structs(rows, [inner] * count)),
        )

    return build


def any_value(scalars: Scalars, depth: int) -> Arrays:
    """Arrays of scalars or, while there is depth, nested ones; encoded or not.

    Runs are of few types: with extensions or dictionaries in them, pyarrow 26 dies of
    `to_pylist()`, and Arrow cannot put them together.
    """
    simple = Scalars(scalars.plain, ())

    def build(rows: int) -> st.SearchStrategy[pa.Array]:
        if depth < 1:
            return scalars.any(rows)
        deeper = nested(scalars, depth)
        return st.one_of(
            scalars.any(rows),
            deeper(rows),
            dictionaries(rows, st.sampled_from([scalars.simple, deeper])),
            run_ends(rows, st.sampled_from([scalars.simple, nested(simple, 1)])),
        )

    return build

"""Columns as another kind of value than the stream's, where the caller asks for it.

What a kind becomes is known before any data; a value that does not fit is refused, never dropped
or rounded. Empty text is no value.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from exporters.calendar_texts import timestamp_texts
from exporters.durations import texts_of
from exporters.errors import InvalidData, InvalidOptions
from exporters.zones import wall_clock

ColumnType = Literal["string", "number", "date", "datetime", "boolean"]

_TOO_LONG: Final = r"^[-+]?0*\.?0*[1-9](\.?[0-9]){15,}"
"""A number with more digits than a double keeps, not counting zeros at its front."""

_FILLING_ZEROS: Final = r"(\.[0-9]*?)0+$"


def cast_type(kind: pa.DataType, wanted: ColumnType, column: str) -> pa.DataType:
    """What canonical `kind` becomes. Raises `InvalidOptions` where it cannot be `wanted`."""
    target = _TARGETS[wanted](kind)
    if target is None:
        raise InvalidOptions(f"columns: {column!r} is {kind}, which cannot be a {wanted}")
    return target


def cast_values(array: pa.Array, target: pa.DataType, column: str) -> pa.Array:
    """`array` as a type that `cast_type` gave. Raises `InvalidData` for a value that is none."""
    if array.type == target:
        return array
    try:
        return _cast(array, target)
    except pa.ArrowInvalid as error:
        reason = str(error).split("\n")[0]
        raise InvalidData(f"column {column!r} cannot be {target}: {reason}") from error


def _cast(array: pa.Array, target: pa.DataType) -> pa.Array:
    types, kind = pa.types, array.type
    if _is_text(kind):
        return _parsed(array, target)
    if types.is_duration(kind) and _is_text(target):
        return texts_of(array)
    if types.is_timestamp(kind) and _is_text(target):
        return pc.cast(timestamp_texts(array), target)
    if types.is_timestamp(kind) and kind.tz is not None and types.is_date(target):
        return pc.cast(wall_clock(array, kind.tz), target)
    if types.is_integer(kind) and types.is_boolean(target):
        _refuse(
            pc.not_equal(pc.bit_wise_and(array, pa.scalar(1, kind)), array), "is not 0 or 1", array
        )
    return pc.cast(array, target)


def _parsed(texts: pa.Array, target: pa.DataType) -> pa.Array:
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
    if pa.types.is_floating(target):
        plain = pc.replace_substring_regex(texts, _FILLING_ZEROS, r"\1")
        long = pc.match_substring_regex(plain, _TOO_LONG)
        _refuse(long, "has more digits than a number keeps; leave it text", texts)
    return pc.cast(texts, target)


def _refuse(wrong: pa.Array, reason: str, values: pa.Array) -> None:
    """Raise for the first value that is wrong."""
    first = pc.index(wrong, True).as_py()
    if first >= 0:
        raise pa.ArrowInvalid(f"{values[first].as_py()!r} {reason}")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _number(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return kind
    if _is_text(kind):
        return pa.float64()
    return pa.int8() if types.is_boolean(kind) else None


def _date(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    known = types.is_date(kind) or types.is_timestamp(kind) or _is_text(kind)
    return pa.date32() if known else None


def _datetime(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_timestamp(kind):
        return kind
    if pa.types.is_date(kind):
        return pa.timestamp("s")
    return pa.timestamp("us") if _is_text(kind) else None


def _boolean(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    known = types.is_boolean(kind) or types.is_integer(kind) or _is_text(kind)
    return pa.bool_() if known else None


_TARGETS: Final[Mapping[ColumnType, Callable[[pa.DataType], pa.DataType | None]]] = {
    "string": lambda _kind: pa.large_string(),
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
}

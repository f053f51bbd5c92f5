"""What becomes of each Arrow type: the few *canonical* types that exporters handle.

Encodings and exotic widths are an affair of the sender and mean nothing in a file for people; what
no cell can hold as it is becomes text.
"""

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.binaries import base64_texts, is_binary, uuid_texts
from exporters.decimals import spelled_digits
from exporters.encodings import Convert, decoded, is_encoded, is_uuid, value_type
from exporters.errors import UnsupportedType
from exporters.intervals import interval_texts
from exporters.json_texts import json_texts
from exporters.nesting import MAX_DEPTH, children, is_nested
from exporters.zones import check_zone

TEXT: Final = pa.string()
"""The canonical type of what is spelled."""

SUPPORTED_TYPES: Final = (
    "booleans, integers, floats, decimals of up to 76 digits, text, binary, dates, times, "
    "timestamps, durations, month_day_nano intervals, lists, structs, maps"
)

_DIGITS_128: Final = 38
_DIGITS_256: Final = 76


def canonical_type(kind: pa.DataType) -> pa.DataType:
    """The type in which the values of `kind` are written.

    Raises `UnsupportedType` for a type without a fate, whose message goes on from its name and
    `which`, and `ValueError` for a time zone that nobody knows.
    """
    kind = plain_type(kind)
    if is_nested(kind):
        _check_within(kind, 1)
    if is_spelled(kind):
        return TEXT
    types = pa.types
    if types.is_string_view(kind) or types.is_null(kind):
        return pa.large_string()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_date(kind):
        return pa.date32()
    if types.is_decimal(kind):
        return _canonical_decimal(kind)
    _check_scalar(kind)
    return kind


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values of `kind`, however they are encoded."""
    while is_encoded(kind):
        kind = value_type(kind)
    return kind


def is_spelled(kind: pa.DataType) -> bool:
    """Whether values of a plain `kind` are written as a text that says what they are."""
    return any(is_kind(kind) for is_kind, _ in _SPELLINGS)


def is_text(kind: pa.DataType) -> bool:
    """Whether a canonical `kind` is a text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def converter(kind: pa.DataType) -> Convert | None:
    """What turns arrays of `kind` into plain ones of its canonical type; None where none is due."""
    if is_encoded(kind):
        convert = converter(value_type(kind)) or _as_it_is
        return lambda array: decoded(convert, array)
    spell = next((spell for is_kind, spell in _SPELLINGS if is_kind(kind)), None)
    canonical = canonical_type(kind)
    if spell or kind == canonical:
        return spell
    return lambda array: pc.cast(array, canonical)


_SPELLINGS: Final[tuple[tuple[Callable[[pa.DataType], bool], Convert], ...]] = (
    (is_binary, base64_texts),
    (is_uuid, lambda array: uuid_texts(array.storage)),
    (pa.types.is_interval, interval_texts),
    (is_nested, json_texts),
)

_KEPT: Final[tuple[Callable[[pa.DataType], bool], ...]] = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_duration,
)


def _canonical_decimal(kind: pa.DataType) -> pa.DataType:
    digits = spelled_digits(kind)
    if digits > _DIGITS_256:
        raise UnsupportedType(f"has {digits} digits with the zeros of its scale")
    make = pa.decimal128 if digits <= _DIGITS_128 else pa.decimal256
    return make(digits, max(kind.scale, 0))


def _check_within(kind: pa.DataType, depth: int) -> None:
    """Whether all that stands in a nested type has a fate."""
    if depth > MAX_DEPTH:
        raise UnsupportedType(f"is nested over {MAX_DEPTH} levels deep")
    for child in map(plain_type, children(kind)):
        if is_nested(child):
            _check_within(child, depth + 1)
        else:
            canonical_type(child)


def _check_scalar(kind: pa.DataType) -> None:
    if not any(is_kind(kind) for is_kind in _KEPT):
        raise UnsupportedType("a cell cannot hold")
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        check_zone(kind.tz)


def _as_it_is(array: pa.Array) -> pa.Array:
    return array

"""Lists, structs and maps as compact JSON (RFC 8259): UTF-8, no spaces, keys in schema order.

Built level by level from whole arrays: the texts of children are joined to those of their parents.
What JSON has no word for is written as a cell would show it, between quotes; NaN and infinities
are null.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.binaries import base64_texts, is_binary, uuid_texts
from exporters.calendar_texts import timestamp_texts
from exporters.calendars import check_calendar
from exporters.decimals import decimal_texts
from exporters.durations import texts_of
from exporters.encodings import Convert, decoded, is_encoded, is_uuid
from exporters.intervals import interval_texts
from exporters.json_escapes import escaped
from exporters.nesting import flat_values, is_list, is_nested, keys_and_items

_NULL: Final = "null"

_TRUE: Final = pa.scalar("true", pa.string())
_FALSE: Final = pa.scalar("false", pa.string())

_NOTHING: Final = pa.scalar("", pa.string())
"""What stands between texts that are joined."""

_OFFSET: Final = "([+-][0-9]{2})([0-9]{2})$"
"""A zone's offset as Arrow writes it: ISO 8601 has a colon between hours and minutes."""


def json_texts(array: pa.Array) -> pa.Array:
    """The JSON text of each value of `array`, as `string`; a null stays null.

    Raises `InvalidData` for a time that no calendar has.
    """
    kind = array.type
    if is_encoded(kind):
        return decoded(json_texts, array)
    if is_list(kind):
        return _arrays(array)
    if pa.types.is_struct(kind):
        return _objects(array)
    if pa.types.is_map(kind):
        return _maps(array)
    spell, quote = _spelling(kind)
    return _quoted(spell(array)) if quote else spell(array)


@dataclass(frozen=True, slots=True)
class Members:
    """The texts of one member of many objects, and the quotes that are missing around each."""

    texts: pa.Array
    quote: str


def members(values: pa.Array) -> Members:
    """What stands under one key. Raises what `json_texts` raises.

    Where no value is null the quotes are left to the keys, which saves a copy of the texts.
    """
    if values.null_count or is_encoded(values.type) or is_nested(values.type):
        return Members(json_texts(values), "")
    spell, quote = _spelling(values.type)
    return Members(spell(values), quote)


def object_texts(names: Sequence[str], values: Iterable[Members], end: str = "}") -> pa.Array:
    """The objects of which these are the members, one at least; `end` closes each."""
    parts: list[str | pa.Array] = []
    before = "{"
    for name, each in zip(names, values, strict=True):
        parts.extend([f"{before}{json.dumps(name, ensure_ascii=False)}:{each.quote}", each.texts])
        before = f"{each.quote},"
    return _concatenated(*parts, before.removesuffix(",") + end)


def _arrays(lists: pa.Array) -> pa.Array:
    offsets, texts = flat_values(json_texts, lists)
    return _bracketed("[", _joined(offsets, texts, lists), "]")


def _objects(structs: pa.Array) -> pa.Array:
    null = pa.scalar(None, pa.string())
    if structs.type.num_fields == 0:
        return pc.if_else(structs.is_valid(), "{}", null)
    texts = object_texts([field.name for field in structs.type], map(members, structs.flatten()))
    return texts if structs.null_count == 0 else pc.if_else(structs.is_valid(), texts, null)


def _maps(maps: pa.Array) -> pa.Array:
    keys, items = keys_and_items(maps)
    offsets, names = flat_values(_key_texts, keys)
    _, values = flat_values(json_texts, items)
    pairs = _concatenated(names, ":", values)
    return _bracketed("{", _joined(offsets, pairs, maps), "}")


def _key_texts(keys: pa.Array) -> pa.Array:
    """The keys of objects, which are strings in JSON whatever they are in Arrow."""
    texts = pc.fill_null(json_texts(keys), _NULL)
    are_strings = pc.starts_with(texts, '"')
    if pc.all(are_strings).as_py() is not False:
        return texts
    return pc.if_else(are_strings, texts, _quoted(escaped(texts)))


def _joined(offsets: pa.Array, texts: pa.Array, rows: pa.Array) -> pa.Array:
    """The texts of each of `rows` with commas between; null where the row is."""
    lists = pa.ListArray.from_arrays(
        pc.cast(offsets, pa.int32()), pc.fill_null(texts, _NULL), mask=rows.is_null()
    )
    return pc.binary_join(lists, ",")


def _bracketed(opening: str, texts: pa.Array, closing: str) -> pa.Array:
    return pc.binary_join_element_wise(_literal(opening), texts, _literal(closing), _NOTHING)


def _concatenated(*parts: str | pa.Array) -> pa.Array:
    """Literals and texts one after another, with the word for a null in its place."""
    return pc.binary_join_element_wise(
        *map(_literal, parts), _NOTHING, null_handling="replace", null_replacement=_NULL
    )


def _literal(part: str | pa.Array) -> pa.Scalar | pa.Array:
    """A text as Arrow has it.

    Told the type: pyarrow 26 otherwise tries to import `dateutil` for each text, to see whether it
    is an interval, which takes 60 µs where that is not installed.
    """
    return pa.scalar(part, pa.string()) if isinstance(part, str) else part


def _booleans(array: pa.Array) -> pa.Array:
    return pc.if_else(array, _TRUE, _FALSE)


def _numbers(array: pa.Array) -> pa.Array:
    return pc.cast(array, pa.string())


def _floats(array: pa.Array) -> pa.Array:
    """The shortest text that is read as the same number, in polars' spelling.

    It has a point or an exponent always, so that readers who guess types by the first rows do not
    take floats for whole numbers; Arrow's has not, and takes twice as long (measured).
    """
    if pa.types.is_float16(array.type):
        array = pc.cast(array, pa.float32())
    spelled = pl.Series(array).cast(pl.String).to_arrow(compat_level=pl.CompatLevel.oldest())
    texts, finite = pc.cast(spelled, pa.string()), pc.is_finite(array)
    if pc.all(finite).as_py() is not False:
        return texts
    return pc.if_else(finite, texts, pa.scalar(None, pa.string()))


def _strings(array: pa.Array) -> pa.Array:
    return escaped(pc.cast(array, pa.string()))


def _times(array: pa.Array) -> pa.Array:
    check_calendar(array)
    return pc.cast(array, pa.string())


def _timestamps(array: pa.Array) -> pa.Array:
    check_calendar(array)
    texts = pc.replace_substring(timestamp_texts(array), " ", "T", max_replacements=1)
    zoned = array.type.tz is not None
    return pc.replace_substring_regex(texts, _OFFSET, r"\1:\2") if zoned else texts


def _durations(array: pa.Array) -> pa.Array:
    check_calendar(array)
    return pc.cast(texts_of(array), pa.string())


def _quoted(texts: pa.Array) -> pa.Array:
    return _bracketed('"', texts, '"')


_Spellings = Sequence[tuple[Callable[[pa.DataType], bool], Convert]]

_BARE: Final[_Spellings] = (
    (pa.types.is_null, lambda array: pa.nulls(len(array), pa.string())),
    (pa.types.is_boolean, _booleans),
    (pa.types.is_integer, _numbers),
    (pa.types.is_floating, _floats),
    (pa.types.is_decimal, decimal_texts),
)
"""What stands in JSON as it is; a value that is not null may be null there."""

_STRINGS: Final[_Spellings] = (
    (pa.types.is_string, _strings),
    (pa.types.is_large_string, _strings),
    (pa.types.is_string_view, _strings),
    (is_binary, base64_texts),
    (is_uuid, lambda array: uuid_texts(array.storage)),
    (pa.types.is_date, _times),
    (pa.types.is_time, _times),
    (pa.types.is_timestamp, _timestamps),
    (pa.types.is_duration, _durations),
    (pa.types.is_interval, interval_texts),
)
"""What stands between quotes, escaped; null only where the value is."""


def _spelling(kind: pa.DataType) -> tuple[Convert, str]:
    """What spells values of a plain `kind`, and the quotes that then stand around each."""
    for is_kind, spell in _BARE:
        if is_kind(kind):
            return spell, ""
    return next(spell for is_kind, spell in _STRINGS if is_kind(kind)), '"'

"""Lists, structs and maps as compact JSON (RFC 8259): UTF-8, no spaces, keys in schema order.

Built level by level from whole arrays: the texts of children are joined to those of their parents.
What JSON has no word for is written as a cell would show it, between quotes; NaN and infinities
are null.
"""

import json
from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.binaries import base64_texts, is_binary, uuid_texts
from exporters.calendars import check_calendar
from exporters.decimals import decimal_texts
from exporters.durations import texts_of
from exporters.encodings import Convert, decoded, is_encoded, is_uuid
from exporters.intervals import interval_texts
from exporters.json_escapes import quoted
from exporters.nesting import flattened, has_runs, is_list, keys_and_items, spans

_NULL: Final = "null"

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
    return next(write for is_kind, write in _SCALARS if is_kind(kind))(array)


def _arrays(lists: pa.Array) -> pa.Array:
    offsets, texts = _flat_texts(json_texts, lists)
    return _bracketed("[", _joined(offsets, texts, lists), "]")


def _flat_texts(spell: Convert, lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Where the texts of each row begin and end, and the texts."""
    if not has_runs(lists.type.value_type):
        offsets, values = flattened(lists)
        return offsets, spell(values)
    starts, sizes, values = spans(lists)
    return flattened(pa.LargeListViewArray.from_arrays(starts, sizes, spell(values)))


def _objects(structs: pa.Array) -> pa.Array:
    parts = ["{"]
    for field, values in zip(structs.type, structs.flatten(), strict=True):
        comma = "," if len(parts) > 1 else ""
        key = json.dumps(field.name, ensure_ascii=False)
        parts.extend([f"{comma}{key}:", json_texts(values)])
    if len(parts) == 1:
        return pc.if_else(structs.is_valid(), "{}", pa.scalar(None, pa.string()))
    texts = _concatenated(*parts, "}")
    if structs.null_count == 0:
        return texts
    return pc.if_else(structs.is_valid(), texts, pa.scalar(None, pa.string()))


def _maps(maps: pa.Array) -> pa.Array:
    keys, items = keys_and_items(maps)
    offsets, names = _flat_texts(_key_texts, keys)
    _, values = _flat_texts(json_texts, items)
    pairs = _concatenated(names, ":", values)
    return _bracketed("{", _joined(offsets, pairs, maps), "}")


def _key_texts(keys: pa.Array) -> pa.Array:
    """The keys of objects, which are strings in JSON whatever they are in Arrow."""
    texts = pc.fill_null(json_texts(keys), _NULL)
    are_strings = pc.starts_with(texts, '"')
    if pc.all(are_strings).as_py() is not False:
        return texts
    return pc.if_else(are_strings, texts, quoted(texts))


def _joined(offsets: pa.Array, texts: pa.Array, rows: pa.Array) -> pa.Array:
    """The texts of each of `rows` with commas between; null where the row is."""
    lists = pa.ListArray.from_arrays(
        pc.cast(offsets, pa.int32()), pc.fill_null(texts, _NULL), mask=rows.is_null()
    )
    return pc.binary_join(lists, ",")


def _bracketed(opening: str, texts: pa.Array, closing: str) -> pa.Array:
    return pc.binary_join_element_wise(opening, texts, closing, "")


def _concatenated(*parts: str | pa.Array) -> pa.Array:
    """Literals and texts one after another, with the word for a null in its place."""
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement=_NULL)


def _numbers(array: pa.Array) -> pa.Array:
    return pc.cast(array, pa.string())


def _floats(array: pa.Array) -> pa.Array:
    if pa.types.is_float16(array.type):
        array = pc.cast(array, pa.float32())
    texts, finite = _numbers(array), pc.is_finite(array)
    if pc.all(finite).as_py() is not False:
        return texts
    return pc.if_else(finite, texts, pa.scalar(None, pa.string()))


def _strings(array: pa.Array) -> pa.Array:
    return quoted(pc.cast(array, pa.string()))


def _times(array: pa.Array) -> pa.Array:
    check_calendar(array)
    return _plain(pc.cast(array, pa.string()))


def _timestamps(array: pa.Array) -> pa.Array:
    check_calendar(array)
    texts = pc.replace_substring(pc.cast(array, pa.string()), " ", "T", max_replacements=1)
    zoned = array.type.tz is not None
    return _plain(pc.replace_substring_regex(texts, _OFFSET, r"\1:\2") if zoned else texts)


def _durations(array: pa.Array) -> pa.Array:
    check_calendar(array)
    return _plain(pc.cast(texts_of(array), pa.string()))


def _plain(texts: pa.Array) -> pa.Array:
    """Texts that need no escapes between quotes."""
    return pc.binary_join_element_wise('"', texts, '"', "")


_SCALARS: Final[tuple[tuple[Callable[[pa.DataType], bool], Convert], ...]] = (
    (pa.types.is_null, lambda array: pa.nulls(len(array), pa.string())),
    (pa.types.is_boolean, _numbers),
    (pa.types.is_integer, _numbers),
    (pa.types.is_floating, _floats),
    (pa.types.is_decimal, decimal_texts),
    (pa.types.is_string, _strings),
    (pa.types.is_large_string, _strings),
    (pa.types.is_string_view, _strings),
    (is_binary, lambda array: _plain(base64_texts(array))),
    (is_uuid, lambda array: _plain(uuid_texts(array.storage))),
    (pa.types.is_date, _times),
    (pa.types.is_time, _times),
    (pa.types.is_timestamp, _timestamps),
    (pa.types.is_duration, _durations),
    (pa.types.is_interval, lambda array: _plain(interval_texts(array))),
)

"""How large values are once they are decoded and spelled, known before that is done.

Blocks are cut and memory is counted by it, so nothing here may take the memory of what it measures:
a value that stands in many rows is measured once.
"""

import json
from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.binaries import is_binary
from exporters.decimals import spelled_digits
from exporters.encodings import is_encoded, is_uuid, measured, value_type
from exporters.json_escapes import WORST_GROWTH, growth
from exporters.lengths import byte_lengths, is_text
from exporters.nesting import is_list, is_nested, keys_and_items, sums
from exporters.wholes import constant, whole

_OFFSET: Final = 4
"""Bytes that say where a text begins."""

_WORD: Final = 16
"""What a number, a date or a truth value is taken for where it stands alone in its cell."""

_SCANNED: Final = 4 * 1024 * 1024
"""Bytes of texts in views that are joined to look at them; of more the worst is supposed."""

_NULL: Final = len("null")

_EMPTY: Final = 8
"""Bytes of a null that its array has nothing for: as a text it has an offset at least."""


def is_grown(kind: pa.DataType) -> bool:
    """Whether values of `kind` become more bytes than their array has."""
    types = pa.types
    return bool(
        is_encoded(kind)
        or is_nested(kind)
        or is_binary(kind)
        or is_uuid(kind)
        or types.is_string_view(kind)
        or types.is_interval(kind)
        or types.is_null(kind)
    )


def decoded_size(array: pa.Array) -> int:
    """Bytes of the values of `array` when every row has its own, as text where it becomes one."""
    if pa.types.is_null(array.type):
        return len(array) * _EMPTY
    if not is_grown(array.type):
        return int(array.nbytes)
    return int(pc.sum(_cells(array)).as_py() or 0)


def text_size(array: pa.Array) -> int:
    """Bytes of the values of `array` as texts, whatever they are, at most; not of nested ones."""
    kind = array.type
    while is_encoded(kind):
        kind = value_type(kind)
    if is_text(kind) or is_grown(kind):
        return decoded_size(array)
    return len(array) * (widest(kind) + _OFFSET)


def json_size(array: pa.Array) -> int:
    """At most how many bytes of JSON the values of `array` become."""
    kind = array.type
    if is_grown(kind) and not pa.types.is_null(kind):
        return int(pc.sum(_json(array)).as_py() or 0)
    if is_text(kind):
        return int(array.nbytes) * growth(array) + len(array) * len('""')
    return len(array) * widest(kind)


def _cells(array: pa.Array) -> pa.Array:
    """At most how many bytes each value becomes that stands in a cell; a null may have none."""
    kind = array.type
    if is_encoded(kind):
        return measured(_cells, array)
    if is_nested(kind):
        return pc.add(_json(array), whole(_OFFSET))
    if is_text(kind):
        return pc.add(byte_lengths(array), whole(_OFFSET))
    if is_binary(kind):
        return pc.add(_base64_lengths(array), whole(_OFFSET))
    return constant(widest(kind) if is_uuid(kind) or pa.types.is_interval(kind) else _WORD, array)


def _json(array: pa.Array) -> pa.Array:
    """At most how many bytes of JSON each value becomes; never null."""
    kind = array.type
    if is_encoded(kind):
        return pc.fill_null(measured(_json, array), _NULL)
    if pa.types.is_struct(kind):
        return _objects(array)
    if pa.types.is_map(kind):
        return _maps(array)
    if is_list(kind):
        return _arrays(array)
    if is_text(kind):
        lengths = pc.multiply(byte_lengths(array), whole(_text_growth(array)))
    elif is_binary(kind):
        lengths = _base64_lengths(array)
    else:
        return constant(widest(kind), array)
    return pc.fill_null(pc.add(lengths, whole(len('""'))), _NULL)


def _objects(structs: pa.Array) -> pa.Array:
    sizes = constant(len("{}"), structs)
    for place, field in enumerate(structs.type):
        key = len(json.dumps(field.name, ensure_ascii=False).encode()) + len(":,")
        sizes = pc.add(sizes, pc.add(_json(structs.field(place)), whole(key)))
    return pc.max_element_wise(sizes, whole(_NULL))


def _maps(maps: pa.Array) -> pa.Array:
    keys, items = keys_and_items(maps)
    return pc.add(sums(_keys, keys), _arrays(items))


def _keys(keys: pa.Array) -> pa.Array:
    if is_text(keys.type):
        return pc.add(_json(keys), whole(len(":")))
    # What is no string in JSON is quoted, and what is a string in it once more.
    return pc.add(pc.multiply(_json(keys), whole(2)), whole(len('"":')))


def _arrays(lists: pa.Array) -> pa.Array:
    return pc.add(sums(lambda values: pc.add(_json(values), whole(len(","))), lists), whole(_NULL))


def _base64_lengths(binaries: pa.Array) -> pa.Array:
    return pc.multiply(pc.divide(pc.add(byte_lengths(binaries), whole(2)), whole(3)), whole(4))


def _text_growth(texts: pa.Array) -> int:
    if (
        pa.types.is_string_view(texts.type)
        and (pc.sum(byte_lengths(texts)).as_py() or 0) > _SCANNED
    ):
        return WORST_GROWTH
    return growth(texts)


def widest(kind: pa.DataType) -> int:
    """Bytes of the longest JSON that a value of a type without a length of its own becomes."""
    if pa.types.is_decimal(kind):
        return spelled_digits(kind) + len("-0.")
    if pa.types.is_integer(kind):
        # The extension `arrow.bool8` is stored as whole numbers.
        return max(len("false"), len(str(-(2 ** (kind.bit_width - 1)))))
    return next((width for is_kind, width in _WIDEST if is_kind(kind)), _WORD)


_WIDEST: Final[tuple[tuple[Callable[[pa.DataType], bool], int], ...]] = (
    (pa.types.is_null, _NULL),
    (pa.types.is_boolean, len("false")),
    (pa.types.is_floating, len("-2.2250738585072014e-308")),
    (pa.types.is_date, len('"-28030-01-01"')),
    (pa.types.is_time, len('"00:00:00.000000000"')),
    (pa.types.is_timestamp, len('"-28030-01-01T00:00:00.000000000+00:00"')),
    (pa.types.is_duration, len('"-2562047788015:12:55.808000000"')),
    (pa.types.is_interval, len('"P-178956970Y-11M-2147483648DT-2562047H-59M-59.999999999S"')),
    (is_uuid, len('"00000000-0000-0000-0000-000000000000"')),
)

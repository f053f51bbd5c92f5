"""Columns that keep their own types: values as they are, in the plain layout of each.

Dictionaries, runs and views are how a sender encoded values on their way. A file cannot keep them
at constant memory: dictionaries differ from batch to batch, which an Arrow file may not hold, and
each slice of views has all the bytes that the views of its batch look at.
"""

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.encodings import decoded, is_encoded, is_extension, value_type
from exporters.intervals import interval_texts
from exporters.nesting import flat_values, is_list, is_nested, keys_and_items

Leaf = Callable[[pa.DataType], pa.DataType]
"""What a format makes of a plain type that is not nested."""


def plain_layout(kind: pa.DataType, leaf: Leaf = lambda kind: kind) -> pa.DataType:
    """The type in which values of `kind` are kept.

    An extension type stays one where nothing within it changes, and is what it stores otherwise.
    """
    if is_extension(kind):
        stored = plain_layout(kind.storage_type, leaf)
        return kind if stored == kind.storage_type else stored
    if is_encoded(kind):
        return plain_layout(value_type(kind), leaf)
    if is_nested(kind):
        return _nested_layout(kind, leaf)
    same = next((plain for is_kind, plain in _PLAIN if is_kind(kind)), kind)
    return leaf(same)


def laid_out(array: pa.Array, target: pa.DataType) -> pa.Array:
    """The values of `array` as `target`, which `plain_layout` gave for its type.

    Raises `pa.ArrowInvalid` for a value that `target` cannot hold.
    """
    kind = array.type
    if kind == target:
        return array
    if is_encoded(kind):
        return decoded(lambda values: laid_out(values, target), array)
    if pa.types.is_struct(kind):
        return _struct(array, target)
    if pa.types.is_map(kind):
        return _map(array, target)
    if pa.types.is_fixed_size_list(kind):
        size = kind.list_size
        values = array.values.slice(array.offset * size, len(array) * size)
        values = laid_out(values, target.value_type)
        return pa.FixedSizeListArray.from_arrays(values, type=target, mask=array.is_null())
    if is_list(kind):
        return _list(array, target)
    return interval_texts(array) if pa.types.is_interval(kind) else pc.cast(array, target)


_PLAIN: Final[tuple[tuple[Callable[[pa.DataType], bool], pa.DataType], ...]] = (
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_binary_view, pa.binary()),
)


def _nested_layout(kind: pa.DataType, leaf: Leaf) -> pa.DataType:
    types = pa.types
    if types.is_map(kind):
        return pa.map_(
            _field(kind.key_field, leaf), _field(kind.item_field, leaf), kind.keys_sorted
        )
    fields = [_field(kind.field(place), leaf) for place in range(kind.num_fields)]
    if types.is_struct(kind):
        return pa.struct(fields)
    if types.is_fixed_size_list(kind):
        return pa.list_(fields[0], kind.list_size)
    is_large = types.is_large_list(kind) or types.is_large_list_view(kind)
    return pa.large_list(fields[0]) if is_large else pa.list_(fields[0])


def _field(field: pa.Field, leaf: Leaf) -> pa.Field:
    return field.with_type(plain_layout(field.type, leaf))


def _struct(structs: pa.Array, target: pa.DataType) -> pa.Array:
    values = [
        laid_out(each, field.type) for each, field in zip(structs.flatten(), target, strict=True)
    ]
    return pa.StructArray.from_arrays(values, fields=list(target), mask=structs.is_null())


def _map(maps: pa.Array, target: pa.DataType) -> pa.Array:
    keys, items = keys_and_items(maps)
    offsets, keys = flat_values(lambda values: laid_out(values, target.key_type), keys)
    _, items = flat_values(lambda values: laid_out(values, target.item_type), items)
    offsets = pc.cast(offsets, pa.int32())
    return pa.MapArray.from_arrays(offsets, keys, items, type=target, mask=maps.is_null())


def _list(lists: pa.Array, target: pa.DataType) -> pa.Array:
    offsets, values = flat_values(lambda values: laid_out(values, target.value_type), lists)
    is_large = pa.types.is_large_list(target)
    make, width = (pa.LargeListArray, pa.int64()) if is_large else (pa.ListArray, pa.int32())
    return make.from_arrays(pc.cast(offsets, width), values, type=target, mask=lists.is_null())

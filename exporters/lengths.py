"""How long the cells of a column are, as they came: known before anything is made of them.

A text or binary value is as long as its bytes. A list, a struct or a map is as long as what stands
in it: each value has `VALUE_BYTES`, null or not, and its own length besides; a struct also the
names of its fields, which JSON repeats. Anything else is within bounds by its type, and has none.

Nothing here takes the memory of what it measures, but a number for each value. Arrays of nulls and
runs have any number of them at no cost: `values_within` says how many before one is looked at.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.binaries import is_binary
from exporters.encodings import is_encoded, is_extension, is_uuid, measured
from exporters.nesting import is_list, is_nested, keys_and_items, sums
from exporters.wholes import constant, whole

VALUE_BYTES: Final = 8
"""What a value within another counts besides its text: about what JSON puts around it."""

_ENOUGH: Final = 2**33
"""A length that stands for all greater ones, so that no sum of them overflows.

More than any text of Arrow's has; lists of views into lists of views soon come to 2^63.
"""

_NONE: Final = pa.scalar(None, pa.int64())


def is_plain_text(kind: pa.DataType) -> bool:
    """Whether no cell of `kind` is longer than its array is large."""
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return False
    return is_text(kind) or is_binary(kind)


def is_expanding(kind: pa.DataType) -> bool:
    """Whether values of `kind` may be many or long in an array that is small."""
    types = pa.types
    return bool(
        types.is_null(kind)
        or types.is_string_view(kind)
        or types.is_binary_view(kind)
        or is_encoded(kind)
        or is_nested(kind)
    )


def lengths(array: pa.Array) -> pa.Array:
    """The length of each cell of `array`, as 64 bits; 0 for a null."""
    kind = array.type
    if is_encoded(kind):
        return pc.fill_null(measured(lengths, array), 0)
    if is_uuid(kind):
        return lengths(array.storage)
    if is_text(kind) or is_binary(kind):
        return pc.fill_null(byte_lengths(array), 0)
    if pa.types.is_struct(kind):
        return _of_structs(array)
    if pa.types.is_map(kind):
        keys, items = keys_and_items(array)
        return _bounded(pc.add(sums(_within, keys), sums(_within, items)))
    if is_list(kind):
        return _of_lists(array)
    return constant(0, array)


def values_within(array: pa.Array) -> int:
    """How many values stand within those of `array`, on all levels, dictionaries included."""
    return sum(len(each) + values_within(each) for each in _children(array))


def is_text(kind: pa.DataType) -> bool:
    """Whether `kind` is text in any layout."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def byte_lengths(array: pa.Array) -> pa.Array:
    """Bytes of each text or binary value, as 64 bits."""
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        return _of_views(array)
    return pc.cast(pc.binary_length(array), pa.int64())


def _within(values: pa.Array) -> pa.Array:
    return pc.add(lengths(values), whole(VALUE_BYTES))


def _of_views(array: pa.Array) -> pa.Array:
    """Arrow has no kernel for them: a view has 16 bytes, of which the first 4 are its length."""
    if not len(array):
        return constant(0, array)
    views = np.frombuffer(array.buffers()[1], np.int32)[4 * array.offset :: 4][: len(array)]
    sizes = pa.array(views.astype(np.int64))
    return pc.if_else(array.is_valid(), sizes, _NONE) if array.null_count else sizes


def _of_lists(lists: pa.Array) -> pa.Array:
    if _has_length(lists.type.value_type):
        return _bounded(sums(_within, lists))
    counts = pc.cast(pc.fill_null(pc.list_value_length(lists), 0), pa.int64())
    return pc.multiply(counts, whole(VALUE_BYTES))


def _has_length(kind: pa.DataType) -> bool:
    """Whether a value of `kind` can have a length; of a plain one it is seen at once."""
    return is_expanding(kind) or is_plain_text(kind) or is_uuid(kind)


def _of_structs(structs: pa.Array) -> pa.Array:
    total = constant(sum(len(field.name.encode()) for field in structs.type), structs)
    for place in range(structs.type.num_fields):
        total = pc.add(total, _within(structs.field(place)))
    if structs.null_count:
        total = pc.if_else(structs.is_valid(), total, whole(0))
    return _bounded(total)


def _bounded(sizes: pa.Array) -> pa.Array:
    return pc.min_element_wise(sizes, whole(_ENOUGH))


def _children(array: pa.Array) -> Iterator[pa.Array]:
    """The arrays whose values stand within those of `array`."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        yield array.dictionary
    elif is_extension(kind):
        yield from _children(array.storage)
    elif pa.types.is_struct(kind):
        yield from (array.field(place) for place in range(kind.num_fields))
    elif pa.types.is_map(kind):
        yield from (array.keys, array.items)
    elif is_list(kind) or pa.types.is_run_end_encoded(kind):
        yield array.values

"""What stands in nested values: lists of every layout, structs and maps, as flat arrays."""

import pyarrow as pa
import pyarrow.compute as pc

from exporters.encodings import Convert, is_encoded, value_type
from exporters.wholes import whole

MAX_DEPTH = 64
"""Levels of nesting; as many as Arrow's own reader of streams takes."""


def is_list(kind: pa.DataType) -> bool:
    """Whether `kind` is a list of any layout."""
    types = pa.types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def is_nested(kind: pa.DataType) -> bool:
    """Whether `kind` is a list, a struct or a map."""
    return is_list(kind) or bool(pa.types.is_struct(kind) or pa.types.is_map(kind))


def children(kind: pa.DataType) -> list[pa.DataType]:
    """The types that stand within a nested one."""
    if pa.types.is_map(kind):
        return [kind.key_type, kind.item_type]
    return [kind.field(place).type for place in range(kind.num_fields)]


def has_runs(kind: pa.DataType) -> bool:
    """Whether run ends stand anywhere in `kind`, which Arrow must not put together.

    pyarrow 26 refuses to do so for runs of dictionaries of nested values.
    """
    if pa.types.is_run_end_encoded(kind):
        return True
    if is_encoded(kind):
        return has_runs(value_type(kind))
    return any(map(has_runs, children(kind)))


def spans(lists: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Where each row begins and how many values it has, as 64 bits, and the values.

    They are a slice of what the lists hold, never copied: rows may share some, and may leave some
    out. A null has none.
    """
    sizes = pc.cast(pc.fill_null(pc.list_value_length(lists), 0), pa.int64())
    starts = pc.if_else(pc.greater(sizes, whole(0)), _starts(lists), pa.scalar(None, pa.int64()))
    first = pc.min(starts).as_py() or 0
    end = pc.max(pc.add(starts, sizes)).as_py() or first
    within = pc.fill_null(pc.subtract(starts, whole(first)), 0)
    return within, sizes, lists.values.slice(first, end - first)


def _starts(lists: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_list(lists.type):
        places = pa.arange(lists.offset, lists.offset + len(lists))
        return pc.multiply(places, whole(lists.type.list_size))
    return pc.cast(lists.offsets, pa.int64()).slice(0, len(lists))


def flattened(lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Where the values of each row begin and end, as offsets of 64 bits, and a copy of the values.

    Nothing else is among them, whatever the buffers hold under a null.
    """
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    ends = pc.cumulative_sum(pc.cast(lengths, pa.int64()))
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    # pyarrow 26 cannot make an empty array of an extension type.
    empty = offsets[-1].as_py() == 0
    return offsets, lists.values.slice(0, 0) if empty else lists.flatten()


def flat_values(convert: Convert, lists: pa.Array) -> tuple[pa.Array, pa.Array]:
    """As `flattened`, with what `convert` makes of the values."""
    if not has_runs(lists.type.value_type):
        offsets, values = flattened(lists)
        return offsets, convert(values)
    starts, sizes, values = spans(lists)
    return flattened(pa.LargeListViewArray.from_arrays(starts, sizes, convert(values)))


def sums(measure: Convert, lists: pa.Array) -> pa.Array:
    """What the values of each row, each a number by `measure`, come to together, as 64 bits."""
    starts, sizes, values = spans(lists)
    totals = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(measure(values))])
    return pc.subtract(totals.take(pc.add(starts, sizes)), totals.take(starts))


def keys_and_items(maps: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The keys and the items of each row as lists.

    Not by a cast of the maps to lists of structs: pyarrow 26 then gives the wrong items of a slice
    where they are run-end encoded.
    """
    # A mask is refused beside offsets that are a slice.
    offsets = pc.add(maps.offsets, 0)
    missing = maps.is_null()
    keys, items = (
        pa.ListArray.from_arrays(offsets, each, mask=missing) for each in (maps.keys, maps.items)
    )
    return keys, items

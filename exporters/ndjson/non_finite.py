"""NaN and infinities, which JSON has no word for: how many there are, on every level."""

import pyarrow as pa
import pyarrow.compute as pc

from exporters.encodings import decoded, is_encoded, value_type
from exporters.nesting import children, is_list, is_nested, keys_and_items, sums


def has_floats(kind: pa.DataType) -> bool:
    """Whether floats stand anywhere in `kind`."""
    if is_encoded(kind):
        return has_floats(value_type(kind))
    if is_nested(kind):
        return any(map(has_floats, children(kind)))
    return bool(pa.types.is_floating(kind))


def non_finite(array: pa.Array) -> int:
    """How many values of `array` are NaN or infinite, all that stand in its rows included."""
    return int(pc.sum(_counts(array)).as_py() or 0)


def _counts(array: pa.Array) -> pa.Array:
    """How many there are in each row."""
    kind = array.type
    if not has_floats(kind):
        return _none(array)
    if is_encoded(kind):
        return pc.fill_null(decoded(_counts, array), 0)
    if pa.types.is_struct(kind):
        counts = _none(array)
        for child in array.flatten():
            counts = pc.add(counts, _counts(child))
        return counts
    if pa.types.is_map(kind):
        keys, items = keys_and_items(array)
        return pc.add(sums(_counts, keys), sums(_counts, items))
    if is_list(kind):
        return sums(_counts, array)
    return pc.cast(pc.fill_null(pc.invert(pc.is_finite(array)), False), pa.int64())


def _none(array: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(0, pa.int64()), len(array))

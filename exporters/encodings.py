"""Dictionaries, runs and views: how values are encoded on their way means nothing in a file.

Decoded before anything looks at them. What is tiny encoded may be huge decoded (a long text that
repeats), so its size is known before it is decoded.
"""

from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Convert = Callable[[pa.Array], pa.Array]


def decoder(kind: pa.DataType, canonical: pa.DataType) -> Convert | None:
    """What turns arrays of `kind` into plain ones of `canonical`; None where nothing is to do."""
    if kind == canonical:
        return None
    if pa.types.is_dictionary(kind):
        decode = decoder(kind.value_type, canonical) or _as_it_is
        return lambda array: decode(array.dictionary).take(array.indices)
    if pa.types.is_run_end_encoded(kind):
        decode = decoder(kind.value_type, canonical) or _as_it_is
        return lambda array: _repeat(decode, array)
    return lambda array: pc.cast(array, canonical)


def is_encoded(kind: pa.DataType) -> bool:
    """Whether arrays of `kind` can hold a value once that stands in many rows."""
    types = pa.types
    return bool(
        types.is_dictionary(kind) or types.is_run_end_encoded(kind) or types.is_string_view(kind)
    )


def decoded_size(array: pa.Array) -> int:
    """Bytes of the values of `array` when every row has its own."""
    lengths = _value_lengths(array)
    return int(array.nbytes if lengths is None else pc.sum(lengths).as_py() or 0)


def _value_lengths(array: pa.Array) -> pa.Array | None:
    """Bytes of each row's value in an encoded array; None for a plain one."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _lengths(array.dictionary).take(array.indices)
    if pa.types.is_run_end_encoded(kind):
        return _repeat(_lengths, array)
    return _lengths(array) if pa.types.is_string_view(kind) else None


def _lengths(values: pa.Array) -> pa.Array:
    """Bytes of each value, a text's with its offset; a number's are few, and taken for 16."""
    types, kind = pa.types, values.type
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _value_lengths(values)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        # Arrow has no kernel for the lengths of views.
        return (pl.Series(values).str.len_bytes() + 4).to_arrow()
    return pa.repeat(pa.scalar(16, pa.uint32()), len(values))


def _repeat(convert: Convert, runs: pa.Array) -> pa.Array:
    """The converted value of each run of `runs`, once for each of its rows."""
    first, count = runs.find_physical_offset(), runs.find_physical_length()
    ends = runs.run_ends.slice(first, count).cast(pa.int64())
    within = pc.min_element_wise(pc.subtract(ends, runs.offset), len(runs))
    values = convert(runs.values.slice(first, count))
    return pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(within, values))


def _as_it_is(array: pa.Array) -> pa.Array:
    return array

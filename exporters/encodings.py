"""Dictionaries, runs and extensions: how values are encoded on their way means nothing in a file.

Decoded before anything looks at them. What is tiny encoded may be huge decoded (a long text that
repeats), so that no more of it is decoded than the rows refer to.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from exporters.wholes import whole

Convert = Callable[[pa.Array], pa.Array]


def is_encoded(kind: pa.DataType) -> bool:
    """Whether arrays of `kind` hold the values of another type."""
    return _is_shared(kind) or (is_extension(kind) and not is_uuid(kind))


def value_type(kind: pa.DataType) -> pa.DataType:
    """What `decoded` gives its function for arrays of an encoded `kind`."""
    if _is_shared(kind):
        return kind.value_type
    return pa.bool_() if isinstance(kind, pa.Bool8Type) else kind.storage_type


def is_extension(kind: pa.DataType) -> bool:
    """Whether `kind` is an extension type; one that is unknown here arrives as its storage."""
    return isinstance(kind, pa.BaseExtensionType)


def is_uuid(kind: pa.DataType) -> bool:
    """Whether `kind` is the extension `arrow.uuid`, whose values say more than their storage."""
    return isinstance(kind, pa.UuidType)


def decoded(convert: Convert, array: pa.Array) -> pa.Array:
    """What `convert` makes of the values of an encoded `array`, one for each row."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _looked_up(convert, array)
    if pa.types.is_run_end_encoded(kind):
        return repeated(convert, array)
    storage = array.storage
    return convert(pc.cast(storage, pa.bool_()) if isinstance(kind, pa.Bool8Type) else storage)


def repeated(convert: Convert, runs: pa.Array) -> pa.Array:
    """The converted value of each run of `runs`, once for each of its rows."""
    first, count = runs.find_physical_offset(), runs.find_physical_length()
    ends = runs.run_ends.slice(first, count).cast(pa.int64())
    within = pc.min_element_wise(pc.subtract(ends, whole(runs.offset)), whole(len(runs)))
    # Not of the values: under a null run that leaves what was in memory before, which a file that
    # keeps values as they are would give away (pyarrow 26).
    places = pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(within, pa.arange(0, count)))
    return convert(runs.values.slice(first, count)).take(places)


def measured(measure: Convert, array: pa.Array) -> pa.Array:
    """The number that `measure` gives the value of each row of an encoded `array`.

    Of values that many rows share it is asked once; of those of a dictionary, all of them.
    """
    if pa.types.is_dictionary(array.type):
        return measure(array.dictionary).take(array.indices)
    if pa.types.is_run_end_encoded(array.type):
        return repeated(measure, array)
    return measure(array.storage)


def _is_shared(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind))


def _looked_up(convert: Convert, array: pa.Array) -> pa.Array:
    if _can_take(array.dictionary.type):
        return convert(array.dictionary.take(array.indices))
    return convert(array.dictionary).take(array.indices)


def _can_take(kind: pa.DataType) -> bool:
    """Whether Arrow has a kernel that picks values of `kind`: views and runs it cannot."""
    types = pa.types
    if types.is_string_view(kind) or types.is_binary_view(kind) or types.is_run_end_encoded(kind):
        return False
    if is_extension(kind):
        return _can_take(kind.storage_type)
    return all(_can_take(kind.field(place).type) for place in range(kind.num_fields))

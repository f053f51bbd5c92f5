"""Texts of Arrow as numpy sees them: one run of bytes, and where each text begins and ends.

What has to be looked at byte by byte is looked at in all texts of a column together: there is no
loop over rows, numpy's call costs a microsecond and it runs without the interpreter's lock.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Octets: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_NOTHING = np.zeros(0, np.uint8)


def octets_of(texts: pa.Array) -> tuple[Octets, Offsets]:
    """The joined bytes of `texts`, and the place of each in them: one more than there are rows.

    `texts` are `string` or `large_string`. Bytes under a null may be among them. No copy.
    """
    _, offsets, data = texts.buffers()
    if not len(texts):
        return _NOTHING, np.zeros(1, np.int64)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    places = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1]
    first, last = places[0], places[-1]
    octets = _NOTHING if data is None else np.frombuffer(data, np.uint8)[first:last]
    return octets, np.subtract(places, first, dtype=np.int64)


def texts_from(octets: Any, offsets: npt.NDArray[Any], like: pa.Array) -> pa.Array:
    """Texts over a buffer of bytes, which need not be UTF-8; null where `like` is.

    Whoever writes them elsewhere than into a file has to know their encoding.
    """
    large = offsets[-1] > np.iinfo(np.int32).max
    kind, width = (pa.large_string(), np.int64) if large else (pa.string(), np.int32)
    places = np.ascontiguousarray(offsets, width)
    return pa.Array.from_buffers(
        kind, len(like), [validity(like), pa.py_buffer(places), pa.py_buffer(octets)]
    )


def validity(array: pa.Array) -> pa.Buffer | None:
    """The bitmap of an array that begins where `array` does; None where no value is null."""
    return pc.is_valid(array).buffers()[1] if array.null_count else None


def rows_with(octets: Octets, offsets: Offsets, wanted: bytes) -> Mask | None:
    """In which rows one of the `wanted` bytes stands; None where there is none in any."""
    mask: Mask | None = None
    for octet in wanted:
        hits = octets == octet
        if not hits.any():
            continue
        if mask is None:
            mask = np.zeros(len(offsets) - 1, np.bool_)
        # Empty texts begin where the next one does: the last that begins there has the byte.
        mask[np.searchsorted(offsets, np.flatnonzero(hits), side="right") - 1] = True
    return mask


def first_octets(octets: Octets, offsets: Offsets) -> Octets:
    """The first byte of each text, and 0 where it is empty."""
    if not octets.size:
        return np.zeros(len(offsets) - 1, np.uint8)
    # An empty text at the end begins behind the last byte.
    places = np.minimum(offsets[:-1], octets.size - 1)
    return np.where(offsets[1:] > offsets[:-1], octets[places], np.uint8(0))


def replaced(texts: pa.Array, mask: Mask, replacements: pa.Array) -> pa.Array:
    """`texts` with one of `replacements` in each row of `mask`, in order."""
    # Twice as fast as Arrow's replace_with_mask.
    rows = np.arange(len(texts), dtype=np.int64)
    rows[mask] = np.arange(len(texts), len(texts) + len(replacements))
    return pa.concat_arrays([texts, replacements.cast(texts.type)]).take(pa.array(rows))


def concatenated(kind: pa.DataType, *parts: str | pa.Array) -> pa.Array:
    """Literals and arrays of one `kind` of text, one after another; null where an array is."""
    literals = [pa.scalar(each, kind) if isinstance(each, str) else each for each in (*parts, "")]
    return pc.binary_join_element_wise(*literals)

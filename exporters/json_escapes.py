"""Texts as JSON strings (RFC 8259, section 7)."""

import json
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

WORST_GROWTH: Final = 6
"""Bytes that one byte of text can become: `\\u0001`."""

_FIRST_PRINTABLE: Final = 0x20
_TO_ESCAPE: Final = ['"', "\\", *map(chr, range(_FIRST_PRINTABLE))]
_ESCAPED: Final = [json.dumps(character)[1:-1] for character in _TO_ESCAPE]


def escaped(texts: pa.Array) -> pa.Array:
    """`texts`, plain `string` ones, as they stand between quotes; nulls stay null."""
    match growth(texts):
        case 1:
            return texts
        case 2:
            return pc.replace_substring(pc.replace_substring(texts, "\\", r"\\"), '"', r"\"")
    replaced = pl.Series(texts).str.replace_many(_TO_ESCAPE, _ESCAPED)
    return replaced.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())


def growth(texts: pa.Array) -> int:
    """Bytes that one byte of `texts`, of any layout, becomes at most: 1, 2 or `WORST_GROWTH`."""
    octets = _octets(texts)
    if not octets.size:
        return 1
    buffers = [None, octets]
    least = pc.min(pa.Array.from_buffers(pa.uint8(), octets.size, buffers)).as_py()
    if least < _FIRST_PRINTABLE:
        return WORST_GROWTH
    # One byte is searched for far faster in all texts together than in each.
    data = octets.to_pybytes()
    return 2 if b'"' in data or b"\\" in data else 1


def _octets(texts: pa.Array) -> pa.Buffer:
    """The joined bytes of `texts`; those under a null may be among them."""
    joined = pc.cast(texts, pa.large_string())
    _, offsets, data = joined.buffers()
    if not len(joined) or data is None:
        return pa.py_buffer(b"")
    places = memoryview(offsets).cast("q")
    first, last = places[joined.offset], places[joined.offset + len(joined)]
    return data.slice(first, last - first)

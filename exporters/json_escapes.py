"""Texts as JSON strings (RFC 8259, section 7)."""

import json
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

WORST_GROWTH: Final = 6
"""Bytes that one byte of text can become: `\\u0001`."""

_FIRST_PRINTABLE: Final = 0x20
_MARKED: Final = ("\\", '"')
"""What is escaped by a backslash before it: the backslash itself first."""

_TO_ESCAPE: Final = [*_MARKED, *map(chr, range(_FIRST_PRINTABLE))]
_ESCAPED: Final = [json.dumps(character)[1:-1] for character in _TO_ESCAPE]


def escaped(texts: pa.Array) -> pa.Array:
    """`texts`, plain `string` ones, as they stand between quotes; nulls stay null."""
    octets = _octets(texts)
    if _has_control(octets):
        replaced = pl.Series(texts).str.replace_many(_TO_ESCAPE, _ESCAPED)
        return replaced.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
    for character in _found(octets):
        texts = pc.replace_substring(texts, character, f"\\{character}")
    return texts


def growth(texts: pa.Array) -> int:
    """Bytes that one byte of `texts`, of any layout, becomes at most: 1, 2 or `WORST_GROWTH`."""
    octets = _octets(texts)
    if _has_control(octets):
        return WORST_GROWTH
    return 2 if _found(octets) else 1


def _has_control(octets: pa.Buffer) -> bool:
    if not octets.size:
        return False
    numbers = pa.Array.from_buffers(pa.uint8(), octets.size, [None, octets])
    return bool(pc.min(numbers).as_py() < _FIRST_PRINTABLE)


def _found(octets: pa.Buffer) -> list[str]:
    """Those of `_MARKED` that are among `octets`.

    One byte is searched for far faster in all texts together than in each.
    """
    data = octets.to_pybytes()
    return [character for character in _MARKED if character.encode() in data]


def _octets(texts: pa.Array) -> pa.Buffer:
    """The joined bytes of `texts`; those under a null may be among them."""
    joined = pc.cast(texts, pa.large_string())
    _, offsets, data = joined.buffers()
    if not len(joined) or data is None:
        return pa.py_buffer(b"")
    places = memoryview(offsets).cast("q")
    first, last = places[joined.offset], places[joined.offset + len(joined)]
    return data.slice(first, last - first)

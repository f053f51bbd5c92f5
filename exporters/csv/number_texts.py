"""Numbers and booleans as text."""

from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.text_bytes import octets_of, replaced, texts_from

_PLAIN_UNTIL: Final = {pa.float32(): float(np.float32(1e13)), pa.float64(): 1e16}
"""Where polars begins to write exponents; floats of 16 bits never come to it."""

_MOST_WHOLE: Final = 1e21
"""Whole numbers from here on have an exponent, as in JavaScript."""

_DIGITS: Final = pa.decimal128(22, 0)


def float_texts(floats: pa.Array) -> pa.Array:
    """The shortest text that reads back equal: `0.1`, `1e-7`.

    A whole number below 10²¹ is its digits alone, `100000000000000000000`. Infinities are `inf`
    and `-inf`, what is no number is `NaN`; zero keeps its sign, `-0`.
    """
    # polars takes half of pyarrow's time, but writes `1.0` and `1e+16`.
    series = pl.Series(floats).cast(pl.String)
    texts = _without_point_zero(series.to_arrow(compat_level=pl.CompatLevel.oldest()))
    octets, _ = octets_of(texts)
    return _with_digits(texts, floats) if (octets == ord("e")).any() else texts


def _without_point_zero(texts: pa.Array) -> pa.Array:
    octets, offsets = octets_of(texts)
    if octets.size < len(".0"):
        return texts
    ends = offsets[1:]
    # Before the first bytes stand the last ones: no text of a number ends there by ".0".
    whole = (octets[ends - 1] == ord("0")) & (octets[ends - 2] == ord(".")) & (ends > offsets[:-1])
    if not whole.any():
        return texts
    kept = np.ones(octets.size, np.bool_)
    kept[ends[whole] - 1] = False
    kept[ends[whole] - 2] = False
    offsets[1:] -= len(".0") * np.cumsum(whole)
    return texts_from(octets[kept], offsets, texts)


def _with_digits(texts: pa.Array, floats: pa.Array) -> pa.Array:
    """`texts` with digits in place of exponents where whole numbers are below the bound."""
    values = np.asarray(floats.to_numpy(zero_copy_only=False), np.float64)
    sizes = np.abs(values)
    # From 2⁵³ on every number is whole, of 32 bits from 2²⁴ on.
    large = (sizes >= _PLAIN_UNTIL.get(floats.type, np.inf)) & (sizes < _MOST_WHOLE)
    digits = pc.cast(pc.cast(pa.array(values[large]), _DIGITS), texts.type)
    return replaced(texts, large, digits)


def boolean_texts(booleans: pa.Array, words: pa.Array) -> pa.Array:
    """The first of two `words` for false, the second for true."""
    return words.take(pc.cast(booleans, pa.int8()))


def with_comma(numbers: pa.Array) -> pa.Array:
    """The texts of numbers with a comma for their point."""
    octets, offsets = octets_of(numbers)
    return texts_from(np.where(octets == ord("."), np.uint8(ord(",")), octets), offsets, numbers)

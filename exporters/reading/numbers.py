"""Numbers out of texts, as far as Excel keeps every digit of them."""

from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

PLAIN_LENGTH: Final = 15
"""Characters of a number that surely has no more digits than Excel keeps."""

_PLAIN: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"
_NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_LEADING_ZERO: Final = r"^[+-]?0[0-9]"
_FILLING_ZEROS: Final = r"(\.[0-9]*?)0+($|[eE])"
_TOO_LONG: Final = r"^[+-]?0*\.?0*[1-9](\.?[0-9]){15,}"
_NOT_ZERO: Final = r"^[+-]?0*\.?0*[1-9]"


class Numbers(NamedTuple):
    """What texts say: 64-bit floats, null for what is none and for what a float would change."""

    values: pa.Array
    long: pa.Array
    """Which are numbers of more than 15 digits."""


def are_plain(texts: pa.Array) -> bool:
    """Whether all texts are numbers already as XML writes them, of at most 15 digits."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > PLAIN_LENGTH:
        return False
    return bool(pl.Series(texts).str.contains(_PLAIN).all())


def numbers_of(texts: pa.Array) -> Numbers:
    """Read whole numbers, decimals and exponents, with or without a sign.

    Not read are numbers whose leading zeros say that they are none (`007`), that have more than 15
    digits, that are too large or too small for a float, and anything with white space or commas.
    """
    text = pl.col("text")
    value = text.cast(pl.Float64, strict=False)
    is_number = text.str.contains(_NUMBER) & ~text.str.contains(_LEADING_ZERO)
    is_long = text.str.replace(_FILLING_ZEROS, "${1}${2}").str.contains(_TOO_LONG)
    is_kept = value.is_finite() & ((value != 0) | ~text.str.contains(_NOT_ZERO))
    found = pl.DataFrame({"text": pl.Series(texts)}).select(
        pl.when(is_number & is_kept & ~is_long).then(value).alias("value"),
        (is_number & is_long).alias("long"),
    )
    return Numbers(found["value"].to_arrow(), found["long"].to_arrow())

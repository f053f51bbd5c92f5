"""Decimals as text: every digit, no exponent."""

from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_MOST_PLAIN: Final = 6
"""Digits after the point that Arrow always writes; of more it may write `1E-7`."""


def spelled_digits(kind: pa.DataType) -> int:
    """Digits that a value of a decimal type has at most, with the zeros that its scale asks for."""
    return int(max(kind.precision, kind.scale) - min(kind.scale, 0))


def decimal_texts(decimals: pa.Array) -> pa.Array:
    """Decimals of any width as text, with as many digits after the point as their scale."""
    kind = decimals.type
    if 0 <= kind.scale <= _MOST_PLAIN:
        return pc.cast(decimals, pa.string())
    if kind.scale < 0:
        return pc.cast(pc.cast(decimals, pa.decimal256(spelled_digits(kind), 0)), pa.string())
    # The same numbers without their scale are written as whole numbers.
    units = pc.cast(decimals.view(_WHOLE[kind.bit_width]), pa.string())
    frame = pl.Series("units", units).to_frame()
    texts = frame.select(_with_point(pl.col("units"), kind.scale)).to_series()
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())


_WHOLE: Final = {
    32: pa.decimal32(9, 0),
    64: pa.decimal64(18, 0),
    128: pa.decimal128(38, 0),
    256: pa.decimal256(76, 0),
}


def _with_point(units: pl.Expr, scale: int) -> pl.Expr:
    """The digits of `units` with a point before the last `scale` of them."""
    digits = units.str.strip_prefix("-").str.zfill(scale + 1)
    return pl.concat_str(
        pl.when(units.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit("")),
        digits.str.head(-scale),
        pl.lit("."),
        digits.str.tail(scale),
    )

"""Durations as text: `[-]H:MM:SS[.fraction]`, which spreadsheets and databases read back."""

from typing import Final

import polars as pl
import pyarrow as pa

UNITS_A_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def duration_text(values: pl.Expr, unit: str) -> pl.Expr:
    """Durations in `unit` (`ms`, `us`, `ns`) as text; nulls stay null.

    Hours are not wrapped into days; the fraction stands only where there is one.
    """
    per_second = UNITS_A_SECOND[unit]
    total = values.to_physical()
    # 64 bits have no positive counterpart of their least number.
    size = total.cast(pl.Int128).abs()
    seconds = size // per_second
    fraction = size % per_second
    digits = len(str(per_second)) - 1
    return pl.concat_str(
        pl.when(total < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        (seconds // 3600).cast(pl.String),
        pl.lit(":"),
        _two_digits(seconds // 60 % 60),
        pl.lit(":"),
        _two_digits(seconds % 60),
        pl.when(fraction == 0)
        .then(pl.lit(""))
        .otherwise(
            pl.lit(".") + fraction.cast(pl.String).str.zfill(digits).str.strip_chars_end("0")
        ),
    )


def texts_of(durations: pa.Array) -> pa.Array:
    """An array of durations of any unit as text."""
    unit = "ms" if durations.type.unit == "s" else str(durations.type.unit)
    frame = pl.Series("duration", durations).to_frame()
    text = frame.select(duration_text(pl.col("duration"), unit)).to_series()
    return text.to_arrow(compat_level=pl.CompatLevel.oldest())


def _two_digits(values: pl.Expr) -> pl.Expr:
    return values.cast(pl.String).str.zfill(2)

"""True and false out of texts."""

from typing import Final

import polars as pl
import pyarrow as pa

_TRUE: Final = ("true", "1", "yes", "y")
_FALSE: Final = ("false", "0", "no", "n")


def booleans_of(texts: pa.Array) -> pa.Array:
    """Read true and false, 1 and 0, yes and no, y and n, in any case; null for anything else."""
    word = pl.Series(texts).str.to_lowercase()
    known = pl.DataFrame({"word": word}).select(
        pl.when(pl.col("word").is_in(_TRUE))
        .then(True)
        .when(pl.col("word").is_in(_FALSE))
        .then(False)
    )
    return known.to_series().cast(pl.Boolean).to_arrow()

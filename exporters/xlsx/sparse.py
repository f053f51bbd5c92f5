"""Columns that are mostly null: their values alone become cells, which are spread over the rows."""

from enum import Enum
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

FEWEST_ROWS: Final = 1_000
"""For fewer rows the spreading costs more than it saves."""


class Spread(Enum):
    """The variant of cells that are ready when the row is joined."""

    CELLS = "spread"


SPREAD: Final = Spread.CELLS


def is_sparse(array: pa.Array) -> bool:
    """Whether more than half of a block's values are null."""
    return len(array) >= FEWEST_ROWS and array.null_count * 2 > len(array)


def spread(cells: pl.Series, held: pa.Array) -> pl.Series:
    """The cells where `held` is true, in their order; null elsewhere."""
    ranks = pc.subtract(pc.cumulative_sum(held.cast(pa.uint32())), _ONE)
    return cells[pl.Series(pc.if_else(held, ranks, _NO_RANK))]


_ONE: Final = pa.scalar(1, pa.uint32())
_NO_RANK: Final = pa.scalar(None, pa.uint32())

"""Decimals of more than 38 digits, which polars has no type for."""

from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from exporters.decimals import decimal_texts
from exporters.xlsx.cells import SOME_LONG, DecimalCells, Sight, count, is_exact


@dataclass(frozen=True, slots=True)
class WideDecimalCells(DecimalCells):
    """Written like any decimal, from their digits as texts."""

    def prepare(self, array: pa.Array) -> pa.Array:
        return decimal_texts(array)

    def look(self, array: pa.Array) -> Sight:
        nullable = array.null_count > 0
        if not self.long_as_text:
            return Sight(nullable)
        digits = pl.Series("number", array).to_frame()
        long = count(digits.select(~is_exact(pl.col("number"))).to_series().to_arrow())
        if not long:
            return Sight(nullable)
        return Sight(nullable, SOME_LONG, {"LONG_NUMBERS_AS_TEXT": long})

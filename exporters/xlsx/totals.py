"""Totals of columns, block by block: what the row below the others shows before it is calculated.

They count what Excel counts: numbers that are numbers in the file, not those that became texts.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Final

import polars as pl

from exporters.xlsx.cells import CellWriter
from exporters.xlsx.features import TotalFunction

_FIELDS: Final = ("cells", "numbers", "sum", "least", "greatest")


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known of some rows of a column; the last three are 0 or None without numbers."""

    cells: int = 0
    numbers: int = 0
    sum: float = 0.0
    least: float | None = None
    greatest: float | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, expression: pl.Expr) -> "Partial":
        """What an expression of `partial_of` gives for the rows of a frame."""
        return cls(**frame.select(expression).to_series()[0])

    def __add__(self, other: "Partial") -> "Partial":
        least = [each for each in (self.least, other.least) if each is not None]
        greatest = [each for each in (self.greatest, other.greatest) if each is not None]
        return Partial(
            self.cells + other.cells,
            self.numbers + other.numbers,
            self.sum + other.sum,
            min(least, default=None),
            max(greatest, default=None),
        )

    def total(self, function: TotalFunction) -> float | None:
        """The total; None where Excel has an error, as for the average of nothing."""
        if function in {"sum", "average"} and not isfinite(self.sum):
            return None
        match function:
            case "count":
                return self.cells
            case "sum":
                return self.sum
            case "average":
                return self.sum / self.numbers if self.numbers else None
            case "min":
                return self.least or 0.0
            case "max":
                return self.greatest or 0.0


def partial_of(place: int, writer: CellWriter) -> pl.Expr:
    """What becomes a `Partial`: a struct, so that a block is asked once."""
    column = pl.col(str(place))
    numbers = writer.numbers(column).cast(pl.Float64)
    figures = (
        writer.filled(column).sum(),
        numbers.count(),
        numbers.sum(),
        numbers.min(),
        numbers.max(),
    )
    return pl.struct(each.alias(name) for name, each in zip(_FIELDS, figures, strict=True))

"""How the values of one column become cells: a writer for each kind of value.

A writer first *looks* at the column's values in a block, in Arrow and at memory speed, and answers
with a `Sight`: which variant of its cells the block needs. Then it gives the *parts* of that
variant, literals and polars expressions in turn. Few variants occur in a table, so that expressions
are built once and used for every block; and what a block does not contain costs nothing: texts are
escaped only where something needs it, numbers are split into numbers and texts only where some are
too long.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.xlsx.markup import Parts, Place, either, style_attribute

MAX_EXACT: Final = 10**15 - 1
"""The largest whole number that Excel keeps exactly: 15 digits."""

WARNINGS: Final[Mapping[str, str]] = {
    "CELLS_CUT": "texts longer than the 32,767 characters that Excel takes were cut",
    "DATES_AS_TEXT": "dates before 1900-03-01 or after 9999, which Excel lacks, are texts",
    "FORMATS_IGNORED": "formats of columns that neither Excel, PHP nor strftime knows are not used",
    "LINKS_AS_TEXT": "addresses past the 65,530 links that a sheet takes are texts",
    "LONG_NUMBERS_AS_TEXT": "numbers over 15 digits, which Excel would round, are texts",
    "NEGATIVE_DURATIONS_AS_TEXT": "negative durations, which Excel cannot show, are texts",
    "NON_FINITE_EMPTY": "NaN and infinite numbers, which Excel lacks, are empty cells",
    "UNREAD_BOOLEANS_AS_TEXT": "texts in boolean columns that are neither true nor false are texts",
    "UNREAD_DATES_AS_TEXT": "texts in date columns that are no dates are texts",
    "UNREAD_NUMBERS_AS_TEXT": "texts in number columns that are no numbers, or begin with zeros, "
    "are texts",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a writer saw in a column of a block.

    `variant` is what `parts` is asked for; None is the plain one. A row whose parts hold a null
    gets no cell if `nullable`.
    """

    nullable: bool
    variant: Hashable = None
    warnings: Mapping[str, int] = field(default_factory=dict)


class CellWriter(ABC):
    """Decides how one column is written."""

    def prepare(self, array: pa.Array) -> pa.Array:
        """The values as `look` and `parts` see them; by default as they are."""
        return array

    def look(self, array: pa.Array) -> Sight:
        """What the cells of `array` need; by default nothing special."""
        return Sight(array.null_count > 0)

    def numbers(self, column: pl.Expr) -> pl.Expr:  # noqa: ARG002
        """The numbers that the cells of `column` hold; null for a cell that holds none."""
        return pl.lit(None, pl.Float64)

    def filled(self, column: pl.Expr) -> pl.Expr:
        """Which values of `column` have a cell; by default all but null."""
        return column.is_not_null()

    @abstractmethod
    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        """The cells of `column` in a variant that `look` gave."""


def bounds(array: pa.Array) -> tuple[Any, Any] | None:
    """The least and the greatest value, or None where all are null."""
    found = pc.min_max(array).as_py()
    return None if found["min"] is None else (found["min"], found["max"])


def count(condition: pa.Array) -> int:
    """How many values of a boolean array are true."""
    return int(pc.sum(condition).as_py() or 0)


@dataclass(frozen=True, slots=True)
class BooleanCells(CellWriter):
    """Booleans."""

    style: int

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:  # noqa: ARG002
        value = column.cast(pl.UInt8).cast(pl.String)
        attributes = f'{style_attribute(self.style)} t="b"'
        return place.cell(attributes, "<v>", value, "</v>")


SOME_LONG: Final = "some long"


@dataclass(frozen=True, slots=True)
class IntegerCells(CellWriter):
    """Whole numbers; those that Excel would round are texts where `long_as_text`."""

    style: int
    long_as_text: bool

    def look(self, array: pa.Array) -> Sight:
        nullable = array.null_count > 0
        found = bounds(array) if self.long_as_text and array.type.bit_width == 64 else None
        if found is None or (found[0] >= -MAX_EXACT and found[1] <= MAX_EXACT):
            return Sight(nullable)
        # Doubles hold every whole number near the bound, and no integer type overflows in them.
        sizes = pc.abs(pc.cast(array, pa.float64(), safe=False))
        long = count(pc.greater(sizes, float(MAX_EXACT)))
        return Sight(nullable, SOME_LONG, {"LONG_NUMBERS_AS_TEXT": long})

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        value = column.cast(pl.String)
        plain = place.number(value, self.style)
        if variant is None:
            return plain
        return either(column.is_between(-MAX_EXACT, MAX_EXACT), plain, place.text(value))

    def numbers(self, column: pl.Expr) -> pl.Expr:
        if not self.long_as_text:
            return column
        return pl.when(column.is_between(-MAX_EXACT, MAX_EXACT)).then(column)


@dataclass(frozen=True, slots=True)
class DecimalCells(CellWriter):
    """Decimals of any scale; those over 15 significant digits are texts where `long_as_text`."""

    style: int
    long_as_text: bool

    def look(self, array: pa.Array) -> Sight:
        nullable = array.null_count > 0
        found = bounds(array) if self.long_as_text and array.type.precision > 15 else None
        exact = Decimal(MAX_EXACT).scaleb(-array.type.scale)
        if found is None or (-exact <= found[0] and found[1] <= exact):
            return Sight(nullable)
        values = pl.Series("number", array).to_frame()
        long = count(values.select(~is_exact(pl.col("number"))).to_series().to_arrow())
        return Sight(nullable, SOME_LONG, {"LONG_NUMBERS_AS_TEXT": long} if long else {})

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        value = column.cast(pl.String)
        plain = place.number(value, self.style)
        if variant is None:
            return plain
        return either(is_exact(column), plain, place.text(value))

    def numbers(self, column: pl.Expr) -> pl.Expr:
        return pl.when(is_exact(column)).then(column) if self.long_as_text else column


def is_exact(decimals: pl.Expr) -> pl.Expr:
    """Whether Excel keeps a decimal: 15 digits, not counting zeros that only fill it up."""
    digits = decimals.cast(pl.String).str.replace(r"(\..*?)0+$", "${1}")
    return digits.str.replace_all("[-.]", "").str.strip_chars_start("0").str.len_bytes() <= 15


@dataclass(frozen=True, slots=True)
class FloatCells(CellWriter):
    """Floats in the shortest form that reads back equal; NaN and infinities are empty."""

    style: int

    def look(self, array: pa.Array) -> Sight:
        finite = pc.is_finite(array)
        if pc.all(finite).as_py() is not False:
            return Sight(array.null_count > 0)
        return Sight(True, "some odd", {"NON_FINITE_EMPTY": count(pc.invert(finite))})

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        value = column.cast(pl.String)
        if variant is not None:
            value = pl.when(column.is_finite()).then(value)
        return place.number(value, self.style)

    def numbers(self, column: pl.Expr) -> pl.Expr:
        return pl.when(self.filled(column)).then(column)

    def filled(self, column: pl.Expr) -> pl.Expr:
        return column.is_finite().fill_null(False)


@dataclass(frozen=True, slots=True)
class SingleCells(FloatCells):
    """32-bit floats, whose cells hold their shortest decimal: Excel reads 0.1, not the float."""

    def numbers(self, column: pl.Expr) -> pl.Expr:
        return pl.when(self.filled(column)).then(column.cast(pl.String).cast(pl.Float64))

"""How the values of one column become cells: a writer for each kind of value.

A writer looks at the column's values in one block and answers with a `Cell`: the text that stands
after `<c r="A1`, as literals and polars expressions in turn. What a block does not contain costs
nothing: texts are escaped only where something needs it, numbers are split into numbers and texts
only where some are too long.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import polars as pl
import pyarrow as pa

Part = str | pl.Expr

MAX_CELL_LENGTH: Final = 32_767
"""UTF-16 units that Excel takes in one cell (Excel specifications and limits)."""

MAX_EXACT: Final = 10**15 - 1
"""The largest whole number that Excel keeps exactly: 15 digits."""

WARNINGS: Final[Mapping[str, str]] = {
    "CELLS_CUT": "texts longer than the 32,767 characters that Excel takes were cut",
    "DATES_AS_TEXT": "dates before 1900-03-01 or after 9999, which Excel lacks, are texts",
    "LONG_NUMBERS_AS_TEXT": "numbers over 15 digits, which Excel would round, are texts",
    "NEGATIVE_DURATIONS_AS_TEXT": "negative durations, which Excel cannot show, are texts",
    "NON_FINITE_EMPTY": "NaN and infinite numbers, which Excel lacks, are empty cells",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One column's cells in one block; a row whose parts hold a null gets no cell if `nullable`."""

    parts: tuple[Part, ...]
    nullable: bool
    warnings: Mapping[str, int] = field(default_factory=dict)


class CellWriter(Protocol):
    """Decides how one column of one block is written."""

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:
        """The cells for `values`, whose name is the column's name in the block's frame.

        `array` holds the same values, for writers that look at their bytes.
        """
        ...


def number(value: pl.Expr, style: int) -> tuple[Part, ...]:
    """A numeric cell in a style (0: none)."""
    return (f'"{_style(style)}><v>', value, "</v></c>")


def text(value: pl.Expr, style: int = 0, *, preserve: bool = False) -> tuple[Part, ...]:
    """A text cell; `value` is escaped. `preserve` keeps spaces and line ends at its edges."""
    space = ' xml:space="preserve"' if preserve else ""
    return (f'"{_style(style)} t="inlineStr"><is><t{space}>', value, "</t></is></c>")


def either(
    condition: pl.Expr, yes: tuple[Part, ...], otherwise: tuple[Part, ...]
) -> tuple[Part, ...]:
    """Cells written one way where `condition` holds and another where not."""
    return (pl.when(condition).then(joined(yes)).otherwise(joined(otherwise)),)


def joined(parts: tuple[Part, ...]) -> pl.Expr:
    """One expression for a row of parts; neighbouring literals become one."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in merged])


def has_nulls(values: pl.Series) -> bool:
    """Whether any value is null; polars knows without looking."""
    return values.null_count() > 0


def _style(style: int) -> str:
    return f' s="{style}"' if style else ""


@dataclass(frozen=True, slots=True)
class BooleanCells:
    """Booleans."""

    style: int

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        value = pl.col(values.name).cast(pl.UInt8).cast(pl.String)
        parts = (f'"{_style(self.style)} t="b"><v>', value, "</v></c>")
        return Cell(parts, has_nulls(values))


@dataclass(frozen=True, slots=True)
class IntegerCells:
    """Whole numbers; those that Excel would round are texts where `long_as_text`."""

    style: int
    long_as_text: bool

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        column = pl.col(values.name)
        value = column.cast(pl.String)
        plain = number(value, self.style)
        if not self.long_as_text or _all_within(values, -MAX_EXACT, MAX_EXACT):
            return Cell(plain, has_nulls(values))
        exact = column.is_between(-MAX_EXACT, MAX_EXACT)
        long = _count(values, ~exact)
        parts = either(exact, plain, text(value))
        return Cell(parts, has_nulls(values), {"LONG_NUMBERS_AS_TEXT": long})


@dataclass(frozen=True, slots=True)
class DecimalCells:
    """Decimals of any scale; those over 15 significant digits are texts where `long_as_text`."""

    style: int
    long_as_text: bool

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        value = pl.col(values.name).cast(pl.String)
        plain = number(value, self.style)
        if not self.long_as_text or self._always_exact(values):
            return Cell(plain, has_nulls(values))
        digits = value.str.replace_all("[-.]", "").str.strip_chars_start("0").str.len_bytes()
        exact = digits <= 15
        long = _count(values, ~exact)
        warnings = {"LONG_NUMBERS_AS_TEXT": long} if long else {}
        return Cell(either(exact, plain, text(value)), has_nulls(values), warnings)

    @staticmethod
    def _always_exact(values: pl.Series) -> bool:
        dtype = values.dtype
        return (
            isinstance(dtype, pl.Decimal) and dtype.precision is not None and dtype.precision <= 15
        )


@dataclass(frozen=True, slots=True)
class FloatCells:
    """Floats in the shortest form that reads back equal; NaN and infinities are empty."""

    style: int

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        column = pl.col(values.name)
        value = column.cast(pl.String)
        if _finite(values):
            return Cell(number(value, self.style), has_nulls(values))
        odd = _count(values, ~column.is_finite())
        value = pl.when(column.is_finite()).then(value)
        return Cell(number(value, self.style), nullable=True, warnings={"NON_FINITE_EMPTY": odd})


def _all_within(values: pl.Series, least: int, most: int) -> bool:
    low, high = values.min(), values.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return True
    return least <= low and high <= most


def _finite(values: pl.Series) -> bool:
    """A sum is finite only if every value is; an overflowing sum merely takes the careful way."""
    total = values.sum()
    return isinstance(total, int | float) and math.isfinite(total)


def _count(values: pl.Series, condition: pl.Expr) -> int:
    return int(values.to_frame().select(condition.sum()).item() or 0)

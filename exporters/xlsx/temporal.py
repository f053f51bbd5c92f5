"""Dates, timestamps, times and durations as Excel's day numbers, shown by a number format."""

from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa

from exporters.durations import UNITS_A_SECOND, duration_text
from exporters.xlsx.cells import Cell, Part, either, has_nulls, number, text
from exporters.zones import Zone

UNIX_EPOCH: Final = 25_569
"""The day number of 1970-01-01."""

_FIRST_DAY: Final = 61 - UNIX_EPOCH
"""1900-03-01 in Unix days: before it Excel counts a 29 February 1900 that never was."""

_LAST_DAY: Final = 2_958_465 - UNIX_EPOCH
"""9999-12-31 in Unix days."""

SECONDS_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class DateCells:
    """Dates; those that Excel lacks are ISO 8601 texts."""

    style: int

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        day = pl.col(values.name).to_physical()
        plain = number((day + UNIX_EPOCH).cast(pl.String), self.style)
        return _within_calendar(values, day, 1, plain, "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class TimestampCells:
    """Timestamps by the wall clock of `zone`, or as they are when they have none."""

    style: int
    unit: str
    zone: Zone | None

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        if self.zone is not None:
            wall = self.zone.wall_clock(pl.col(values.name))
            values = values.to_frame().select(wall.alias(values.name)).to_series()
        instant = pl.lit(values).to_physical() if self.zone else pl.col(values.name).to_physical()
        per_day = SECONDS_A_DAY * UNITS_A_SECOND[self.unit]
        serial = instant / per_day + UNIX_EPOCH
        plain = number(serial.cast(pl.String), self.style)
        return _within_calendar(values, instant, per_day, plain, "%Y-%m-%d %H:%M:%S%.f")


@dataclass(frozen=True, slots=True)
class TimeCells:
    """Times of day."""

    style: int

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        fraction = pl.col(values.name).to_physical() / (SECONDS_A_DAY * UNITS_A_SECOND["ns"])
        return Cell(number(fraction.cast(pl.String), self.style), has_nulls(values))


@dataclass(frozen=True, slots=True)
class DurationCells:
    """Durations; negative ones, which Excel shows as ####, are texts."""

    style: int
    unit: str

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:  # noqa: ARG002
        column = pl.col(values.name)
        length = column.to_physical()
        days = length / (SECONDS_A_DAY * UNITS_A_SECOND[self.unit])
        plain = number(days.cast(pl.String), self.style)
        negative = int((values.to_physical() < 0).sum())
        if not negative:
            return Cell(plain, has_nulls(values))
        parts = either(length >= 0, plain, text(duration_text(column, self.unit)))
        return Cell(parts, has_nulls(values), {"NEGATIVE_DURATIONS_AS_TEXT": negative})


def _within_calendar(
    values: pl.Series, instant: pl.Expr, per_day: int, plain: tuple[Part, ...], pattern: str
) -> Cell:
    """`plain` where Excel has the day, a text in `pattern` elsewhere; `per_day` units a day."""
    physical = values.to_physical()
    low, high = physical.min(), physical.max()
    first, end = _FIRST_DAY * per_day, (_LAST_DAY + 1) * per_day
    if not isinstance(low, int) or not isinstance(high, int) or (first <= low and high < end):
        return Cell(plain, has_nulls(values))
    outside = int(((physical < first) | (physical >= end)).sum())
    known = (instant >= first) & (instant < end)
    shown = pl.lit(values).dt.to_string(pattern)
    return Cell(either(known, plain, text(shown)), has_nulls(values), {"DATES_AS_TEXT": outside})

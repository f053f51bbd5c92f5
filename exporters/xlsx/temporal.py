"""Dates, timestamps, times and durations as Excel's day numbers, shown by a number format."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.durations import UNITS_A_SECOND, duration_text
from exporters.xlsx.cells import CellWriter, Parts, Sight, bounds, count, either, number, text
from exporters.zones import Zone

UNIX_EPOCH: Final = 25_569
"""The day number of 1970-01-01."""

FIRST_DAY: Final = 61 - UNIX_EPOCH
"""1900-03-01 in Unix days: before it Excel counts a 29 February 1900 that never was."""

END_DAY: Final = 2_958_466 - UNIX_EPOCH
"""The day after 9999-12-31 in Unix days."""

SECONDS_A_DAY: Final = 86_400

_NEXT_DOUBLE: Final = 1 + 2**-52

_SOME_OUTSIDE: Final = "some outside"


@dataclass(frozen=True, slots=True)
class DateCells(CellWriter):
    """Dates; those that Excel lacks are ISO 8601 texts."""

    style: int

    def look(self, array: pa.Array) -> Sight:
        days = array.view(pa.int32())
        found = bounds(days)
        if found is None or (found[0] >= FIRST_DAY and found[1] < END_DAY):
            return Sight(array.null_count > 0)
        outside = count(pc.or_(pc.less(days, FIRST_DAY), pc.greater_equal(days, END_DAY)))
        return Sight(array.null_count > 0, _SOME_OUTSIDE, {"DATES_AS_TEXT": outside})

    def parts(self, column: pl.Expr, variant: Hashable) -> Parts:
        day = column.to_physical()
        plain = number((day + UNIX_EPOCH).cast(pl.String), self.style)
        if variant is None:
            return plain
        known = (day >= FIRST_DAY) & (day < END_DAY)
        return either(known, plain, text(column.dt.to_string("%Y-%m-%d")))


@dataclass(frozen=True, slots=True)
class TimestampCells(CellWriter):
    """Timestamps by the wall clock of `zone`, or as they are when they have none."""

    style: int
    unit: str
    zone: Zone | None

    def look(self, array: pa.Array) -> Sight:
        nullable = array.null_count > 0
        found = bounds(array.view(pa.int64()))
        per_day = SECONDS_A_DAY * UNITS_A_SECOND[array.type.unit]
        # No clock is further than a day from UTC.
        if found is None or (
            (FIRST_DAY + 1) * per_day <= found[0] and found[1] < (END_DAY - 1) * per_day
        ):
            return Sight(nullable)
        known = self._known(self._wall_clock(pl.col("time")))
        values = pl.Series("time", array).to_frame()
        outside = count(values.select(~known).to_series().to_arrow())
        return Sight(nullable, _SOME_OUTSIDE, {"DATES_AS_TEXT": outside} if outside else {})

    def parts(self, column: pl.Expr, variant: Hashable) -> Parts:
        wall = self._wall_clock(column)
        plain = number(self._serial(wall.to_physical()).cast(pl.String), self.style)
        if variant is None:
            return plain
        shown = wall.dt.to_string("%Y-%m-%d %H:%M:%S%.f")
        return either(self._known(wall), plain, text(shown))

    @property
    def _per_day(self) -> int:
        return SECONDS_A_DAY * UNITS_A_SECOND[self.unit]

    def _serial(self, instant: pl.Expr) -> pl.Expr:
        """Day numbers, never below the instant.

        LibreOffice cuts a time to the second: of the nearest double below 08:00:00 it shows
        07:59:59. The next double is at most a microsecond later, which no reader keeps.
        """
        nearest = instant / self._per_day + UNIX_EPOCH
        below = (nearest - UNIX_EPOCH) * self._per_day < instant
        return pl.when(below).then(nearest * _NEXT_DOUBLE).otherwise(nearest)

    def _wall_clock(self, column: pl.Expr) -> pl.Expr:
        return self.zone.wall_clock(column) if self.zone else column

    def _known(self, wall: pl.Expr) -> pl.Expr:
        """Whether Excel has the day."""
        instant = wall.to_physical()
        return (instant >= FIRST_DAY * self._per_day) & (instant < END_DAY * self._per_day)


@dataclass(frozen=True, slots=True)
class TimeCells(CellWriter):
    """Times of day."""

    style: int

    def parts(self, column: pl.Expr, variant: Hashable) -> Parts:  # noqa: ARG002
        fraction = column.to_physical() / (SECONDS_A_DAY * UNITS_A_SECOND["ns"])
        return number(fraction.cast(pl.String), self.style)


@dataclass(frozen=True, slots=True)
class DurationCells(CellWriter):
    """Durations; negative ones, which Excel shows as ####, are texts."""

    style: int
    unit: str

    def look(self, array: pa.Array) -> Sight:
        lengths = array.view(pa.int64())
        found = bounds(lengths)
        if found is None or found[0] >= 0:
            return Sight(array.null_count > 0)
        negative = count(pc.less(lengths, 0))
        warnings = {"NEGATIVE_DURATIONS_AS_TEXT": negative}
        return Sight(array.null_count > 0, "some negative", warnings)

    def parts(self, column: pl.Expr, variant: Hashable) -> Parts:
        length = column.to_physical()
        days = length / (SECONDS_A_DAY * UNITS_A_SECOND[self.unit])
        plain = number(days.cast(pl.String), self.style)
        if variant is None:
            return plain
        return either(length >= 0, plain, text(duration_text(column, self.unit)))

"""Dates, timestamps, times and durations as Excel's day numbers, shown by a number format."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.durations import UNITS_A_SECOND, duration_text
from exporters.xlsx.cells import CellWriter, Sight, bounds, count
from exporters.xlsx.markup import Parts, Place, either
from exporters.zones import wall_clock

UNIX_EPOCH: Final = 25_569
"""The day number of 1970-01-01."""

FIRST_DAY: Final = 61 - UNIX_EPOCH
"""1900-03-01 in Unix days: before it Excel counts a 29 February 1900 that never was."""

END_DAY: Final = 2_958_466 - UNIX_EPOCH
"""The day after 9999-12-31 in Unix days."""

SECONDS_A_DAY: Final = 86_400

_MOST: Final = 2**63 - 1

_NEXT_DOUBLE: Final = 1 + 2**-52

_LAST: Final = 2_958_465.99999999
"""The last number of 9999-12-31 in the 15 digits that LibreOffice looks at.

Of the day's last 0.9 milliseconds it would make the year 10000, which Excel lacks.
"""

_END_NEARS: Final = 100_000_000
"""In the last such part of a day that has to be looked at: what lies behind `_LAST`."""

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

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        serial = column.to_physical() + UNIX_EPOCH
        plain = place.number(serial.cast(pl.String), self.style)
        if variant is None:
            return plain
        return either(self._known(column), plain, place.text(column.dt.to_string("%Y-%m-%d")))

    def numbers(self, column: pl.Expr) -> pl.Expr:
        return pl.when(self._known(column)).then(column.to_physical() + UNIX_EPOCH)

    def _known(self, column: pl.Expr) -> pl.Expr:
        return column.to_physical().is_between(FIRST_DAY, END_DAY, closed="left")


@dataclass(frozen=True, slots=True)
class TimestampCells(CellWriter):
    """Timestamps by the wall clock of `zone`, or as they are when they have none."""

    style: int
    unit: str
    zone: str | None

    def prepare(self, array: pa.Array) -> pa.Array:
        return wall_clock(array, self.zone) if self.zone else array

    def look(self, array: pa.Array) -> Sight:
        instants = array.view(pa.int64())
        found = bounds(instants)
        per_day = SECONDS_A_DAY * UNITS_A_SECOND[array.type.unit]
        # Nanoseconds in 64 bits end in 2262.
        first, end = FIRST_DAY * per_day, min(END_DAY * per_day, _MOST)
        if found is None or (found[0] >= first and found[1] < end - per_day // _END_NEARS):
            return Sight(array.null_count > 0)
        outside = count(pc.or_(pc.less(instants, first), pc.greater_equal(instants, end)))
        warnings = {"DATES_AS_TEXT": outside} if outside else {}
        return Sight(array.null_count > 0, _SOME_OUTSIDE, warnings)

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        serial = self._serial(column)
        if variant is None:
            return place.number(serial.cast(pl.String), self.style)
        number = place.number(serial.clip(upper_bound=_LAST).cast(pl.String), self.style)
        text = place.text(column.dt.to_string("%Y-%m-%d %H:%M:%S%.f"))
        return either(self._known(column), number, text)

    def numbers(self, column: pl.Expr) -> pl.Expr:
        serial = self._serial(column).clip(upper_bound=_LAST)
        return pl.when(self._known(column)).then(serial)

    def _serial(self, column: pl.Expr) -> pl.Expr:
        return serial_number(column.to_physical(), self._per_day)

    def _known(self, column: pl.Expr) -> pl.Expr:
        first, end = FIRST_DAY * self._per_day, END_DAY * self._per_day
        return column.to_physical().is_between(first, end, closed="left")

    @property
    def _per_day(self) -> int:
        return SECONDS_A_DAY * UNITS_A_SECOND[self.unit]


def serial_number(instant: pl.Expr, per_day: int) -> pl.Expr:
    """Day numbers of instants of which a day has `per_day`, never below the instant.

    LibreOffice cuts a time to the second: of the nearest double below 08:00:00 it shows 07:59:59.
    The next double is at most a microsecond later, which no reader keeps.
    """
    nearest = instant / per_day + UNIX_EPOCH
    below = (nearest - UNIX_EPOCH) * per_day < instant
    return pl.when(below).then(nearest * _NEXT_DOUBLE).otherwise(nearest)


@dataclass(frozen=True, slots=True)
class TimeCells(CellWriter):
    """Times of day."""

    style: int

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:  # noqa: ARG002
        return place.number(self.numbers(column).cast(pl.String), self.style)

    def numbers(self, column: pl.Expr) -> pl.Expr:
        return column.to_physical() / (SECONDS_A_DAY * UNITS_A_SECOND["ns"])


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

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        plain = place.number(self._days(column).cast(pl.String), self.style)
        if variant is None:
            return plain
        known = column.to_physical() >= 0
        return either(known, plain, place.text(duration_text(column, self.unit)))

    def numbers(self, column: pl.Expr) -> pl.Expr:
        return pl.when(column.to_physical() >= 0).then(self._days(column))

    def _days(self, column: pl.Expr) -> pl.Expr:
        return column.to_physical() / (SECONDS_A_DAY * UNITS_A_SECOND[self.unit])

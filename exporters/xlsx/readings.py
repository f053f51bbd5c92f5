"""Cells of columns whose texts are read: numbers, dates and booleans where they are, else texts.

A block whose texts can all be read is written like a column of that type. Of another one each value
is kept beside its text, and each row has a cell of the one or of the other.
"""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.durations import UNITS_A_SECOND
from exporters.reading import Reading
from exporters.reading.booleans import booleans_of
from exporters.reading.dates import moments_of
from exporters.reading.numbers import numbers_of
from exporters.xlsx.cells import BooleanCells, CellWriter, Sight, count
from exporters.xlsx.markup import Parts, Place, either
from exporters.xlsx.options import XlsxOptions
from exporters.xlsx.shell import Shell
from exporters.xlsx.temporal import END_DAY, FIRST_DAY, SECONDS_A_DAY, UNIX_EPOCH, serial_number
from exporters.xlsx.texts import TextCells

_VALUE: Final = "value"
_TEXT: Final = "text"
_DAY: Final = "day"
_LONG: Final = "long"
_OUTSIDE: Final = "outside"

_A_DAY: Final = SECONDS_A_DAY * UNITS_A_SECOND["us"]
_FIRST: Final = pa.scalar(FIRST_DAY * _A_DAY, pa.int64())
_END: Final = pa.scalar(END_DAY * _A_DAY - UNITS_A_SECOND["us"] // 1000, pa.int64())
"""The last millisecond of 9999, of which LibreOffice would make the year 10000, is a text."""


class _Variant(NamedTuple):
    """How the values of a block are written, and how the texts beside them, if there are any."""

    values: Hashable = None
    texts: Hashable = None
    mixed: bool = False


class ReadCells(CellWriter):
    """Cells of texts that `read` takes for something else; a struct holds what it found."""

    texts = TextCells(0)
    unread: str
    """The warning for texts that stay texts."""

    def prepare(self, array: pa.Array) -> pa.Array:
        values = self.read(array)
        return pa.StructArray.from_arrays(
            [*values.values(), array], names=[*values, _TEXT], mask=None
        )

    def look(self, array: pa.Array) -> Sight:
        values, texts = array.field(_VALUE), array.field(_TEXT)
        nullable = texts.null_count > 0
        unread = values.null_count - texts.null_count
        variant = _Variant(self.variant(array))
        if not unread:
            return Sight(nullable, variant)
        said = self.texts.look(texts)
        warnings = {**said.warnings, **self.told(array, unread)}
        return Sight(nullable, _Variant(variant.values, said.variant, mixed=True), warnings)

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        assert isinstance(variant, _Variant)  # noqa: S101 - what `look` has said
        value = column.struct.field(_VALUE)
        cells = self.cells(place, column, variant.values)
        if not variant.mixed:
            return cells
        texts = self.texts.parts(place, column.struct.field(_TEXT), variant.texts)
        return either(value.is_not_null(), cells, texts)

    def variant(self, array: pa.Array) -> Hashable:  # noqa: ARG002
        """How the values of a block are written; by default always alike."""
        return None

    def told(self, array: pa.Array, unread: int) -> Mapping[str, int]:  # noqa: ARG002
        """The warnings for texts that stay texts."""
        return {self.unread: unread}

    @abstractmethod
    def read(self, texts: pa.Array) -> dict[str, pa.Array]:
        """The values that texts have, and what else is to be known of each; null for none."""

    @abstractmethod
    def cells(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        """The cells of values."""


@dataclass(frozen=True, slots=True)
class ReadNumbers(ReadCells):
    """Numbers in the digits they came with where those are Excel's, else as floats."""

    style: int
    unread = "UNREAD_NUMBERS_AS_TEXT"

    def read(self, texts: pa.Array) -> dict[str, pa.Array]:
        found = numbers_of(texts)
        return {_VALUE: found.digits, _LONG: found.long}

    def told(self, array: pa.Array, unread: int) -> Mapping[str, int]:
        return _both(array, "LONG_NUMBERS_AS_TEXT", _LONG, self.unread, unread)

    def cells(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:  # noqa: ARG002
        return place.number(column.struct.field(_VALUE), self.style)


@dataclass(frozen=True, slots=True)
class ReadDates(ReadCells):
    """Moments by `reading`; those that were written as a day look like one."""

    style: int
    day_style: int
    reading: Reading
    zone: str | None
    unread = "UNREAD_DATES_AS_TEXT"

    def read(self, texts: pa.Array) -> dict[str, pa.Array]:
        found = moments_of(texts, self.reading.pattern, clock=self.reading.clock, zone=self.zone)
        micros = found.values.view(pa.int64())
        outside = pc.or_(pc.less(micros, _FIRST), pc.greater_equal(micros, _END))
        values = found.values
        if pc.any(outside).as_py():
            values = pc.if_else(outside, pa.scalar(None, values.type), values)
        return {_VALUE: values, _DAY: found.days, _OUTSIDE: outside}

    def told(self, array: pa.Array, unread: int) -> Mapping[str, int]:
        return _both(array, "DATES_AS_TEXT", _OUTSIDE, self.unread, unread)

    def variant(self, array: pa.Array) -> Hashable:
        """Whether there are days, and whether there are others."""
        found = pc.min_max(array.field(_DAY)).as_py()
        return found["max"] is True, found["min"] is False

    def cells(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        micros = column.struct.field(_VALUE).to_physical()
        days = place.number((micros // _A_DAY + UNIX_EPOCH).cast(pl.String), self.day_style)
        moments = place.number(serial_number(micros, _A_DAY).cast(pl.String), self.style)
        if variant == (True, True):
            return either(column.struct.field(_DAY), days, moments)
        return days if variant == (True, False) else moments


@dataclass(frozen=True, slots=True)
class ReadBooleans(ReadCells):
    """True and false."""

    style: int
    unread = "UNREAD_BOOLEANS_AS_TEXT"

    def read(self, texts: pa.Array) -> dict[str, pa.Array]:
        return {_VALUE: booleans_of(texts)}

    def cells(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        return BooleanCells(self.style).parts(place, column.struct.field(_VALUE), variant)


def _both(array: pa.Array, code: str, field: str, other: str, cells: int) -> Mapping[str, int]:
    """Of so many `cells`, those of a field have a warning of their own."""
    found = count(array.field(field))
    return {each: told for each, told in ((code, found), (other, cells - found)) if told}


def reading_writer(reading: Reading, shell: Shell, place: int, options: XlsxOptions) -> CellWriter:
    """The writer for a column of texts that are read."""
    style = shell.styles[place]
    match reading.type:
        case "number":
            return ReadNumbers(style)
        case "date":
            return ReadDates(style, shell.day_styles[place], reading, options.timezone)
        case "boolean":
            return ReadBooleans(style)

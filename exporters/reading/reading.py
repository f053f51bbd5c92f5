"""How the texts of one column are read, and how what they say is shown."""

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

from exporters.number_formats import check_format
from exporters.reading.dates import MOMENT, is_whole
from exporters.reading.notation import has_clock, has_day, in_excel, in_strftime, pattern_of

ReadType = Literal["number", "date", "boolean"]

_SHOWN: Final[dict[ReadType, pa.DataType]] = {
    "number": pa.float64(),
    "date": MOMENT,
    "boolean": pa.bool_(),
}


_READ_ANYWAY: Final = frozenset({"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"})
"""Patterns that are read without being given, and faster."""

_NAMES: Final = frozenset(
    {"U", "c", "%s", "%+", r"Y-m-d\TH:i:sP", r"Y-m-d\TH:i:sp", r"Y-m-d\TH:i:sO"}
)
"""What PHP and strftime call seconds since 1970 and ISO 8601, which are read anyway."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the texts of a column are read as, where they can be."""

    type: ReadType
    format: str | None = None
    """An Excel number format, checked."""
    pattern: str | None = None
    """How dates are written, in strftime's notation."""
    clock: bool = False
    """Whether that has a time."""
    ignored: bool = False
    """Whether a format was given that nobody understands."""

    @property
    def shown(self) -> pa.DataType:
        """The type that most cells look like."""
        return _SHOWN[self.type]


def reading_of(kind: ReadType, wish: str | None) -> Reading:
    """How a column is read whose caller wishes a format.

    Of numbers it is Excel's number format; of dates the way in which they are written, in PHP's,
    strftime's or Excel's notation, and in which they are then shown. What is none of these is
    ignored: it must not keep the rows from their file.
    """
    if not wish or (kind == "date" and wish in _NAMES):
        return Reading(kind)
    if kind == "date" and (pattern := pattern_of(wish)) is not None:
        written = in_strftime(pattern)
        if has_day(pattern) and is_whole(written):
            needed = None if written in _READ_ANYWAY else written
            return Reading(kind, _checked(in_excel(pattern)), needed, has_clock(pattern))
    code = None if kind == "date" else _checked(wish)
    return Reading(kind, code, ignored=code is None)


def _checked(code: str) -> str | None:
    try:
        return check_format(code)
    except ValueError:
        return None

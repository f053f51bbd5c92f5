"""Times that no calendar has: what databases send for an infinite one."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.errors import InvalidData

_MOST_DAYS: Final = 10_957_000
"""Days from 1970, some 30,000 years: about what the calendars of Arrow and polars cover."""

_UNITS_A_DAY: Final = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}
"""Nanoseconds in 64 bits stay within three centuries."""


def has_calendar(kind: pa.DataType) -> bool:
    """Whether `check_calendar` has something to look at in arrays of `kind`."""
    return _numbers_of(kind) is not None


def check_calendar(array: pa.Array) -> None:
    """Raise `InvalidData` for a time that would be written as some other date.

    Looks at dates, timestamps and durations; the message goes on from the column's name.
    """
    known = _numbers_of(array.type)
    if known is None:
        return
    numbers, most = known
    found = pc.min_max(array.view(numbers)).as_py()
    if found["min"] is not None and (found["min"] < -most or found["max"] > most):
        raise InvalidData(
            "holds a time over 30,000 years away, perhaps an infinite one; send null or a date in "
            "its place"
        )


def _numbers_of(kind: pa.DataType) -> tuple[pa.DataType, int] | None:
    """What the values of `kind` are as numbers, and the largest; None where any may stand."""
    types = pa.types
    if types.is_date32(kind):
        return pa.int32(), _MOST_DAYS
    if types.is_date64(kind):
        return pa.int64(), _MOST_DAYS * _UNITS_A_DAY["ms"]
    if types.is_timestamp(kind) and kind.unit in _UNITS_A_DAY:
        return pa.int64(), _MOST_DAYS * _UNITS_A_DAY[kind.unit]
    if types.is_duration(kind) and kind.unit == "s":
        return pa.int64(), _MOST_DAYS * _UNITS_A_DAY["s"]
    return None

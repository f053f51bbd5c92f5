"""Times that no calendar has: what databases send for an infinite one."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.errors import InvalidData

_MOST_DAYS: Final = 10_957_000
"""Days from 1970, some 30,000 years: about what the calendars of Arrow and polars cover."""

_UNITS_A_DAY: Final = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}
"""Nanoseconds in 64 bits stay within three centuries."""


def check_calendar(array: pa.Array) -> None:
    """Raise `InvalidData` for a time that would be written as some other date.

    Looks at dates, timestamps and durations; the message goes on from the column's name.
    """
    kind = array.type
    if pa.types.is_date32(kind):
        numbers, most = array.view(pa.int32()), _MOST_DAYS
    elif pa.types.is_date64(kind):
        numbers, most = array.view(pa.int64()), _MOST_DAYS * _UNITS_A_DAY["ms"]
    elif pa.types.is_timestamp(kind) and kind.unit in _UNITS_A_DAY:
        numbers, most = array.view(pa.int64()), _MOST_DAYS * _UNITS_A_DAY[kind.unit]
    elif pa.types.is_duration(kind) and kind.unit == "s":
        numbers, most = array.view(pa.int64()), _MOST_DAYS * _UNITS_A_DAY["s"]
    else:
        return
    found = pc.min_max(numbers).as_py()
    if found["min"] is not None and (found["min"] < -most or found["max"] > most):
        raise InvalidData(
            "holds a time over 30,000 years away, perhaps an infinite one; send null or a date in "
            "its place"
        )

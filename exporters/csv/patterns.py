"""Dates and timestamps in strftime's notation."""

import polars as pl
import pyarrow as pa

from exporters.columns import Column
from exporters.errors import InvalidOptions
from exporters.zones import wall_clock

_SECONDS = "%s"
"""polars counts them to what a clock on the wall shows, not to the instant."""


def check_pattern(column: Column, pattern: str, key: str) -> None:
    """Return for a `pattern` that a column can be shown in; `key` is where it was asked for.

    Raises `InvalidOptions` for a column without dates, or a pattern that is not strftime's.
    """
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise InvalidOptions(
            f"{key}: {column.header!r} is {column.type}; in csv only dates and timestamps take a "
            "format"
        )
    if "%" not in pattern or _SECONDS in pattern.replace("%%", ""):
        raise InvalidOptions(
            f"{key}: {column.header!r} has the format {pattern!r}; use strftime's notation, as "
            "'%d.%m.%Y', without %s: seconds since 1970 are a number to send"
        )
    try:
        whole_number = pa.int32() if pa.types.is_date(column.type) else pa.int64()
        in_pattern(pa.array([0], whole_number).cast(column.type), pattern)
    except pl.exceptions.PolarsError:
        raise InvalidOptions(
            f"{key}: {column.header!r} has the format {pattern!r}; use strftime's notation "
            "for what the column holds, as '%d.%m.%Y'"
        ) from None


def in_pattern(times: pa.Array, pattern: str) -> pa.Array:
    """Dates or timestamps as texts; a zoned one is shown by its own clock."""
    if pa.types.is_timestamp(times.type) and times.type.tz is not None:
        times = wall_clock(times, times.type.tz)
    text = pl.Series(times).dt.to_string(pattern)
    return text.to_arrow(compat_level=pl.CompatLevel.oldest())

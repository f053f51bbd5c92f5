"""Dates and timestamps in a pattern of the caller's, for formats that are text."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from exporters.columns import Column
from exporters.errors import InvalidOptions
from exporters.zones import wall_clock


class Patterns:
    """The strftime patterns of the columns that have one; false when none has.

    Raises `InvalidOptions` for a pattern on another type than a date or timestamp, or one that is
    not strftime's.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._patterns = {
            place: _checked(column, column.format)
            for place, column in enumerate(columns)
            if column.format is not None
        }

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """`batch` with those columns as texts; a zoned time is shown by its own clock."""
        arrays = [
            _shown(array, self._patterns[place]) if place in self._patterns else array
            for place, array in enumerate(batch.columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _checked(column: Column, pattern: str) -> str:
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise InvalidOptions(
            f"columns: {column.header!r} is {column.type}; in csv only dates and timestamps take "
            "a format"
        )
    try:
        whole_number = pa.int32() if pa.types.is_date(column.type) else pa.int64()
        _shown(pa.array([0], whole_number).cast(column.type), pattern)
    except pl.exceptions.PolarsError:
        raise InvalidOptions(
            f"columns: {column.header!r} has the format {pattern!r}; use strftime's notation "
            "for what the column holds, as '%d.%m.%Y'"
        ) from None
    return pattern


def _shown(array: pa.Array, pattern: str) -> pa.Array:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = wall_clock(array, array.type.tz)
    text = pl.Series(array).dt.to_string(pattern)
    return text.to_arrow(compat_level=pl.CompatLevel.oldest())

"""Which columns of the stream go into the file, in which order, under which headers.

A `Projection` is made once from the stream's schema, before any data is read, so that every
complaint about columns and types comes early. Applied to a batch it also brings each column to one
of the few *canonical* Arrow types that exporters handle: encodings (dictionary, run-end, views) and
exotic widths are an affair of the sender and mean nothing in a file for people.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.casts import ColumnType, cast_type, cast_values
from exporters.encodings import decoded_size, decoder, is_encoded
from exporters.errors import InvalidData, InvalidOptions, InvalidSchema, UnsupportedType
from exporters.hints import closest
from exporters.zones import check_zone

MAX_DECIMAL_DIGITS: Final = 38

SUPPORTED_TYPES = "booleans, integers, floats, decimals, text, dates, times, timestamps, durations"


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """What the caller asks of one column; `format` is in the notation of the file's format."""

    name: str
    header: str | None = None
    width: float | None = None
    format: str | None = None
    type: ColumnType | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file. `type` is canonical; `index` is its place in the stream."""

    index: int
    header: str
    type: pa.DataType
    width: float | None = None
    format: str | None = None
    received: pa.DataType | None = None
    """The canonical type of the stream's column, where the caller asked for another."""


class Projection:
    """The columns of the file and how a batch of the stream becomes them.

    Without `asked`, all columns in stream order. Raises `InvalidSchema` for a stream without
    columns, a name that stands twice or that the stream lacks, `InvalidOptions` for two columns
    under one header, `UnsupportedType` for a type that a cell cannot hold.
    """

    def __init__(self, schema: pa.Schema, asked: Sequence[ColumnOptions] = ()) -> None:
        _check_names(schema.names)
        self.schema = schema
        chosen = asked or tuple(ColumnOptions(name) for name in schema.names)
        _check_headers([_header(column) for column in chosen])
        self.columns = tuple(_column(schema, column) for column in chosen)
        self._converters = tuple(
            decoder(schema.field(column.index).type, column.received or column.type)
            for column in self.columns
        )
        self._has_encoded = any(map(is_encoded, schema.types))
        self.output_schema = pa.schema(
            [pa.field(column.header, column.type) for column in self.columns]
        )

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of `batch` as the file's columns; copies only what is not yet canonical.

        Raises `InvalidData` for a time that no calendar has, or a value that is not of the type
        that was asked for.
        """
        arrays = []
        for column, convert in zip(self.columns, self._converters, strict=True):
            array = batch.column(column.index)
            array = convert(array) if convert else array
            _check_calendar(column, array)
            if column.received is not None:
                array = cast_values(array, column.type, column.header)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self.output_schema)

    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the values of `batch` once they are decoded.

        A dictionary is not among them: each slice of a batch has all of it, so that no slice
        would ever be small.
        """
        if not self._has_encoded:
            return int(batch.nbytes)
        return sum(map(decoded_size, batch.columns))


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise InvalidSchema("the stream has no columns; send at least one")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidSchema(f"column {twice[0]!r} stands twice in the stream; names must differ")


def _check_headers(headers: Sequence[str]) -> None:
    twice = [header for header, count in Counter(headers).items() if count > 1]
    if twice:
        raise InvalidOptions(f"columns: two columns have the header {twice[0]!r}; give one another")


def _column(schema: pa.Schema, asked: ColumnOptions) -> Column:
    index = schema.get_field_index(asked.name)
    if index < 0:
        hint = closest(asked.name, schema.names) or f"; it has: {', '.join(schema.names[:20])}"
        raise InvalidSchema(f"column {asked.name!r} is not in the stream{hint}")
    canonical = _canonical(asked.name, schema.field(index).type)
    if asked.type is None:
        return Column(index, _header(asked), canonical, asked.width, asked.format)
    wanted = cast_type(canonical, asked.type, asked.name)
    return Column(index, _header(asked), wanted, asked.width, asked.format, canonical)


def _header(asked: ColumnOptions) -> str:
    return asked.name if asked.header is None else asked.header


def _canonical(name: str, kind: pa.DataType) -> pa.DataType:
    """The type in which the values of `kind` are written."""
    types = pa.types
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return _canonical(name, kind.value_type)
    if types.is_string_view(kind) or types.is_null(kind):
        return pa.large_string()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_date(kind):
        return pa.date32()
    if types.is_decimal(kind) and kind.precision - min(kind.scale, 0) <= MAX_DECIMAL_DIGITS:
        return pa.decimal128(kind.precision - min(kind.scale, 0), max(kind.scale, 0))
    if types.is_timestamp(kind) and kind.tz is not None:
        _check_zone(name, kind.tz)
    if any(is_kind(kind) for is_kind in _KEPT):
        return kind
    raise UnsupportedType(
        f"column {name!r} is {_short(kind)}, which a cell cannot hold; supported: {SUPPORTED_TYPES}"
    )


def _check_zone(name: str, zone: str) -> None:
    try:
        check_zone(zone)
    except ValueError as error:
        raise InvalidSchema(f"column {name!r}: {error}") from None


_KEPT: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_time,
    pa.types.is_timestamp,
    pa.types.is_duration,
)


def _short(kind: pa.DataType) -> str:
    text = str(kind)
    return text if len(text) <= 80 else f"{text[:79]}…"


_MOST_DAYS: Final = 10_957_000
"""Days from 1970, some 30,000 years: about what the calendars of Arrow and polars cover."""

_UNITS_A_DAY: Final = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}
"""Nanoseconds in 64 bits stay within three centuries."""


def _check_calendar(column: Column, array: pa.Array) -> None:
    """Refuse what databases send for an infinite time; it would be written as some other date."""
    kind = array.type
    if pa.types.is_date(kind):
        numbers, most = array.view(pa.int32()), _MOST_DAYS
    elif pa.types.is_timestamp(kind) and kind.unit in _UNITS_A_DAY:
        numbers, most = array.view(pa.int64()), _MOST_DAYS * _UNITS_A_DAY[kind.unit]
    elif pa.types.is_duration(kind) and kind.unit == "s":
        numbers, most = array.view(pa.int64()), _MOST_DAYS * _UNITS_A_DAY["s"]
    else:
        return
    found = pc.min_max(numbers).as_py()
    if found["min"] is not None and (found["min"] < -most or found["max"] > most):
        raise InvalidData(
            f"column {column.header!r} holds a time over 30,000 years away, perhaps an infinite "
            "one; send null or a date in its place"
        )

"""Which columns of the stream go into the file, in which order, under which headers.

A `Projection` is made once from the stream's schema, before any data is read, so that every
complaint about columns and types comes early. Applied to a batch it also brings each column to one
of the few *canonical* Arrow types that exporters handle: encodings (dictionary, run-end, views) and
exotic widths are an affair of the sender and mean nothing in a file for people.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from exporters.errors import InvalidOptions, InvalidSchema, UnsupportedType
from exporters.hints import closest
from exporters.zones import Zone

Convert = Callable[[pa.Array], pa.Array]

SUPPORTED_TYPES = "booleans, integers, floats, decimals, text, dates, times, timestamps, durations"


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """What the caller asks of one column; `format` is in the notation of the file's format."""

    name: str
    header: str | None = None
    width: float | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file. `type` is canonical; `index` is its place in the stream."""

    index: int
    header: str
    type: pa.DataType
    width: float | None = None
    format: str | None = None


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
        _check_headers([column.header or column.name for column in chosen])
        self.columns = tuple(_column(schema, column) for column in chosen)
        self._converters = tuple(
            _converter(schema.field(column.index).type, column.type) for column in self.columns
        )
        self.output_schema = pa.schema(
            [pa.field(column.header, column.type) for column in self.columns]
        )

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of `batch` as the file's columns; copies only what is not yet canonical."""
        arrays = [
            convert(batch.column(column.index)) if convert else batch.column(column.index)
            for column, convert in zip(self.columns, self._converters, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.output_schema)


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
    header = asked.header if asked.header is not None else asked.name
    canonical = _canonical(asked.name, schema.field(index).type)
    return Column(index, header, canonical, asked.width, asked.format)


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
    if types.is_decimal(kind) and kind.precision <= pa.decimal128(38).precision:
        return pa.decimal128(kind.precision, kind.scale)
    if types.is_timestamp(kind) and kind.tz is not None:
        _check_zone(name, kind.tz)
    if any(is_kind(kind) for is_kind in _KEPT):
        return kind
    raise UnsupportedType(
        f"column {name!r} is {_short(kind)}, which a cell cannot hold; supported: {SUPPORTED_TYPES}"
    )


def _check_zone(name: str, zone: str) -> None:
    try:
        Zone.parse(zone)
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


def _converter(kind: pa.DataType, canonical: pa.DataType) -> Convert | None:
    if kind == canonical:
        return None
    if pa.types.is_dictionary(kind):
        return _then(pa.DictionaryArray.dictionary_decode, _converter(kind.value_type, canonical))
    if pa.types.is_run_end_encoded(kind):
        return _then(pc.run_end_decode, _converter(kind.value_type, canonical))
    return lambda array: pc.cast(array, canonical)


def _then(first: Convert, second: Convert | None) -> Convert:
    if second is None:
        return first
    return lambda array: second(first(array))

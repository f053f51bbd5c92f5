"""Which columns of the stream go into the file, in which order, under which headers.

A `Projection` is made once from the stream's schema, before any data is read, so that every
complaint about columns and types comes early. Applied to a batch it also brings each column to the
canonical type that is the fate of its own.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from exporters.calendars import check_calendar
from exporters.casts import ColumnType, cast_type, cast_values
from exporters.encodings import Convert
from exporters.errors import (
    InvalidData,
    InvalidOptions,
    InvalidSchema,
    LimitExceeded,
    UnsupportedType,
)
from exporters.fates import (
    SUPPORTED_TYPES,
    canonical_type,
    converter,
    is_spelled,
    plain_type,
)
from exporters.hints import closest
from exporters.sizes import decoded_size, is_grown

_SHOWN_TYPE: Final = 80
"""Characters of a type that a message repeats."""


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """What the caller asks of one column; `format` is in the notation of the file's format."""

    name: str
    header: str | None = None
    width: float | None = None
    format: str | None = None
    type: ColumnType | None = None

    @property
    def shown(self) -> str:
        """The header that it has in the file."""
        return self.name if self.header is None else self.header


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
        self.schema = schema
        self.columns = tuple(_column(schema, column) for column in chosen_columns(schema, asked))
        self._converters = tuple(
            converter(schema.field(column.index).type) for column in self.columns
        )
        places = [column.index for column in self.columns]
        each_once = sorted(places) == list(range(len(schema)))
        self._is_plain = each_once and not any(map(is_grown, schema.types))
        self.output_schema = pa.schema(
            [pa.field(column.header, column.type) for column in self.columns]
        )

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of `batch` as the file's columns; copies only what is not yet canonical.

        Raises `InvalidData` for a time that no calendar has, or a value that is not of the type
        that was asked for, and `LimitExceeded` for values whose text Arrow cannot hold.
        """
        arrays = []
        for column, convert in zip(self.columns, self._converters, strict=True):
            array = _canonical(column, batch.column(column.index), convert)
            if column.received is not None:
                array = cast_values(array, column.type, column.header)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self.output_schema)

    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the file's values in `batch` once they are decoded and spelled, at most.

        A dictionary is not among them: each slice of a batch has all of it, so that no slice
        would ever be small. A column of the stream counts as often as it stands in the file.
        """
        if self._is_plain:
            return int(batch.nbytes)
        return sum(decoded_size(batch.column(column.index)) for column in self.columns)


def chosen_columns(
    schema: pa.Schema, asked: Sequence[ColumnOptions]
) -> tuple[tuple[int, ColumnOptions], ...]:
    """The columns of the file, each with its place in the stream: all of them where none is asked.

    Raises `InvalidSchema` and `InvalidOptions` as `Projection` does.
    """
    _check_names(schema.names)
    chosen = asked or tuple(ColumnOptions(name) for name in schema.names)
    _check_headers([column.shown for column in chosen])
    return tuple((_index(schema, column.name), column) for column in chosen)


def fate(name: str, kind: pa.DataType) -> pa.DataType:
    """The canonical type of the column `name`.

    Raises `UnsupportedType` for a type that has none, and `InvalidSchema` for an unknown zone.
    """
    try:
        return canonical_type(kind)
    except UnsupportedType as error:
        raise unsupported(name, kind, str(error)) from None
    except ValueError as error:
        raise InvalidSchema(f"column {name!r}: {error}") from None


def unsupported(name: str, kind: pa.DataType, reason: str) -> UnsupportedType:
    """What to say of a column that cannot be written; `reason` goes on from `which`."""
    text = str(kind)
    short = text if len(text) <= _SHOWN_TYPE else f"{text[: _SHOWN_TYPE - 1]}…"
    return UnsupportedType(
        f"column {name!r} is {short}, which {reason}; supported: {SUPPORTED_TYPES}"
    )


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


def _index(schema: pa.Schema, name: str) -> int:
    index = int(schema.get_field_index(name))
    if index < 0:
        hint = closest(name, schema.names) or f"; it has: {', '.join(schema.names[:20])}"
        raise InvalidSchema(f"column {name!r} is not in the stream{hint}")
    return index


def _column(schema: pa.Schema, chosen: tuple[int, ColumnOptions]) -> Column:
    index, asked = chosen
    kind = schema.field(index).type
    canonical = fate(asked.name, kind)
    if asked.type is None:
        return Column(index, asked.shown, canonical, asked.width, asked.format)
    plain = plain_type(kind)
    # What is spelled is no text that could be read as a number or a date.
    wanted = cast_type(plain if is_spelled(plain) else canonical, asked.type, asked.name)
    return Column(index, asked.shown, wanted, asked.width, asked.format, canonical)


def _canonical(column: Column, array: pa.Array, convert: Convert | None) -> pa.Array:
    try:
        array = convert(array) if convert else array
        check_calendar(array)
    except InvalidData as error:
        raise InvalidData(f"column {column.header!r} {error}") from None
    except pa.ArrowCapacityError as error:
        raise LimitExceeded(
            f"column {column.header!r} holds values of over 2 GiB of text; send them in more rows"
        ) from error
    return array

"""Columns selected, ordered and named as a `Projection` does, which keep their own types.

For formats that are no text. Only what is transformed, or asked for in another `type`, is what a
`Projection` makes of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from exporters.columns import Chosen, ColumnOptions, Projection, chosen_columns
from exporters.errors import InvalidData, InvalidOptions, LimitExceeded, UnsupportedType
from exporters.json_escapes import WORST_GROWTH
from exporters.layouts import laid_out
from exporters.origins import fate, unsupported
from exporters.sizes import decoded_size, json_size

Keep = Callable[[pa.DataType], pa.DataType]
"""The type in which a format keeps the values of another: one that `laid_out` can make of it.

Raises `UnsupportedType` for a type that it has none for; the message goes on from `which`.
"""


class Selection:
    """The columns of a file and how a batch of the stream becomes them.

    The schema's metadata speaks of the stream's columns (the index of pandas, the geometries of
    GeoParquet): it stays where `asked` changes none of them. Raises what `Projection` raises, and
    `InvalidOptions` for a column's `format` or `width`, which only a text or a sheet has.
    """

    def __init__(self, schema: pa.Schema, asked: Sequence[ColumnOptions], keep: Keep) -> None:
        chosen = chosen_columns(schema, asked)
        _check_plain([column for _, column in chosen])
        self._columns = [_source(schema, each, keep) for each in chosen]
        fields = [column.field for column in self._columns]
        self.schema = pa.schema(fields, metadata=None if asked else schema.metadata)
        """The file's."""

    def apply(self, batch: pa.RecordBatch, first_row: int = 0) -> pa.RecordBatch:
        """The rows of `batch` as the file's columns; copies only what changes.

        `first_row` rows of the export stand before them. Raises `InvalidData` for a value that its
        column cannot hold, and `LimitExceeded` for values that are too long together.
        """
        arrays = [column.array(batch, first_row) for column in self._columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the file's values in `batch` once they are decoded, at most."""
        return sum(column.size(batch) for column in self._columns)

    def json_size(self, batch: pa.RecordBatch) -> int:
        """Bytes of JSON that the file's values in `batch` become, at most."""
        return sum(column.json_size(batch) for column in self._columns)


class _Source(Protocol):
    """Where the values of one column of the file come from."""

    @property
    def field(self) -> pa.Field:
        """The column of the file."""
        ...

    def array(self, batch: pa.RecordBatch, first_row: int) -> pa.Array:
        """Its values."""
        ...

    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes that they have at most."""
        ...

    def json_size(self, batch: pa.RecordBatch) -> int:
        """Bytes of JSON that they become at most."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A column whose values stay what they are."""

    index: int
    field: pa.Field

    def array(self, batch: pa.RecordBatch, first_row: int) -> pa.Array:  # noqa: ARG002
        field = self.field
        try:
            return laid_out(batch.column(self.index), field.type)
        except pa.ArrowCapacityError as error:
            raise LimitExceeded(
                f"column {field.name!r} holds values of over 2 GiB; send them in more rows"
            ) from error
        except pa.ArrowInvalid as error:
            reason = str(error).split("\n")[0]
            raise InvalidData(f"column {field.name!r} cannot be {field.type}: {reason}") from error

    def size(self, batch: pa.RecordBatch) -> int:
        array = batch.column(self.index)
        return int(array.nbytes) if array.type == self.field.type else decoded_size(array)

    def json_size(self, batch: pa.RecordBatch) -> int:
        return json_size(batch.column(self.index))


@dataclass(frozen=True, slots=True)
class _Projected:
    """A column that is transformed, made here or becomes the type that was asked for."""

    projection: Projection

    @property
    def field(self) -> pa.Field:
        return self.projection.output_schema.field(0)

    def array(self, batch: pa.RecordBatch, first_row: int) -> pa.Array:
        return self.projection.column(batch, 0, first_row)

    def size(self, batch: pa.RecordBatch) -> int:
        return self.projection.size(batch)

    def json_size(self, batch: pa.RecordBatch) -> int:
        return self.projection.size(batch) * WORST_GROWTH + int(batch.num_rows) * len('""')


def _source(schema: pa.Schema, chosen: Chosen, keep: Keep) -> _Source:
    index, column = chosen
    if index is None or column.type or column.mask or column.map:
        return _Projected(Projection(schema, [column]))
    return _Kept(index, _kept_field(schema.field(index), column, keep))


def _check_plain(columns: Sequence[ColumnOptions]) -> None:
    for column in columns:
        for key in ("format", "width"):
            value = getattr(column, key)
            if value is not None:
                raise InvalidOptions(
                    f"columns: {column.label!r} has the {key} {value!r}, which means nothing in "
                    "this format; leave it out"
                )


def _kept_field(field: pa.Field, column: ColumnOptions, keep: Keep) -> pa.Field:
    fate(field.name, field.type)
    try:
        kept = keep(field.type)
    except UnsupportedType as error:
        raise unsupported(field.name, field.type, str(error)) from None
    # What a sender says of nulls is not checked when they arrive.
    return field.with_name(column.label).with_type(kept).with_nullable(True)

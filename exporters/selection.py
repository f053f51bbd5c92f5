"""Columns selected, ordered and named as a `Projection` does, which keep their own types.

For formats that are no text. Only a column whose `type` was asked for becomes another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from exporters.columns import ColumnOptions, Projection, chosen_columns, fate, unsupported
from exporters.errors import InvalidData, InvalidOptions, LimitExceeded, UnsupportedType
from exporters.layouts import laid_out
from exporters.sizes import decoded_size

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
        self._columns = [
            _Typed(index, Projection(schema, [column]))
            if column.type
            else _Kept(index, _kept_field(schema.field(index), column, keep))
            for index, column in chosen
        ]
        fields = [column.field for column in self._columns]
        self.schema = pa.schema(fields, metadata=None if asked else schema.metadata)
        """The file's."""

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of `batch` as the file's columns; copies only what changes.

        Raises `InvalidData` for a value that its column cannot hold, and `LimitExceeded` for
        values that are too long together.
        """
        arrays = [column.array(batch) for column in self._columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def received(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """The columns of the stream that become the file's, as they came."""
        return [batch.column(column.index) for column in self._columns]

    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the file's values in `batch` once they are decoded, at most."""
        return sum(
            int(array.nbytes) if array.type == field.type else decoded_size(array)
            for array, field in zip(self.received(batch), self.schema, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A column whose values stay what they are."""

    index: int
    field: pa.Field

    def array(self, batch: pa.RecordBatch) -> pa.Array:
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


@dataclass(frozen=True, slots=True)
class _Typed:
    """A column that becomes the type that was asked for."""

    index: int
    projection: Projection

    @property
    def field(self) -> pa.Field:
        return self.projection.output_schema.field(0)

    def array(self, batch: pa.RecordBatch) -> pa.Array:
        return self.projection.apply(batch).column(0)


def _check_plain(columns: Sequence[ColumnOptions]) -> None:
    for column in columns:
        for key in ("format", "width"):
            value = getattr(column, key)
            if value is not None:
                raise InvalidOptions(
                    f"columns: {column.name!r} has the {key} {value!r}, which means nothing in "
                    "this format; leave it out"
                )


def _kept_field(field: pa.Field, column: ColumnOptions, keep: Keep) -> pa.Field:
    fate(column.name, field.type)
    try:
        kept = keep(field.type)
    except UnsupportedType as error:
        raise unsupported(column.name, field.type, str(error)) from None
    return field.with_name(column.shown).with_type(kept)

"""Which columns go into the file, in which order, under which headers.

A `Projection` is made once from the stream's schema, before any data is read, so that every
complaint about columns and types comes early. Applied to a batch it also brings each column to the
canonical type that is the fate of its own, and does to it what is asked.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from exporters.asked import ColumnOptions
from exporters.errors import InvalidOptions, InvalidSchema
from exporters.hints import closest
from exporters.origins import FromStream, MadeHere, Origin
from exporters.reading import Reading, reading_of
from exporters.sizes import is_grown
from exporters.transforms.choosing import generated_for

__all__ = ["Column", "ColumnOptions", "Projection", "chosen_columns"]

Chosen: TypeAlias = tuple[int | None, ColumnOptions]
"""What is asked of a column, and its place in the stream; None for one that it does not have."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file. `type` is canonical."""

    index: int | None
    """Its place in the stream; None for one that the stream does not have."""
    header: str
    type: pa.DataType
    width: float | None = None
    format: str | None = None
    is_foreign: bool = True
    """Whether texts in it are the sender's own: not those of numbers or times."""
    reading: Reading | None = None
    """What its texts are read as where they can be; None where texts are texts."""

    @property
    def shown(self) -> pa.DataType:
        """The type that its cells look like."""
        return self.type if self.reading is None else self.reading.shown


class Projection:
    """The columns of the file and how a batch of the stream becomes them.

    Without `asked`, all columns in stream order. Raises `InvalidSchema` for a stream without
    columns, a name that stands twice or that the stream lacks, `InvalidOptions` for two columns
    under one header or what cannot be done to a column, `UnsupportedType` for a type that a cell
    cannot hold.
    """

    def __init__(self, schema: pa.Schema, asked: Sequence[ColumnOptions] = ()) -> None:
        self.schema = schema
        chosen = chosen_columns(schema, asked)
        self._origins = tuple(_origin(schema, index, column) for index, column in chosen)
        self.columns = tuple(map(_column, chosen, self._origins))
        self._is_plain = self._takes_each_once() and not any(map(is_grown, schema.types))
        self.output_schema = pa.schema(
            [pa.field(column.header, column.type) for column in self.columns]
        )

    def apply(self, batch: pa.RecordBatch, first_row: int = 0) -> pa.RecordBatch:
        """The rows of `batch` as the file's columns; copies only what is not yet canonical.

        `first_row` rows of the export stand before them, in whatever sheet or file. Raises
        `InvalidData` for a time that no calendar has, or a value that is not of the type that was
        asked for, and `LimitExceeded` for values whose text Arrow cannot hold.
        """
        arrays = [origin.values(batch, first_row) for origin in self._origins]
        return pa.RecordBatch.from_arrays(arrays, schema=self.output_schema)

    def column(self, batch: pa.RecordBatch, place: int, first_row: int = 0) -> pa.Array:
        """One column of what `apply` makes."""
        return self._origins[place].values(batch, first_row)

    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the file's values in `batch` once they are decoded and spelled, at most.

        A dictionary is not among them: each slice of a batch has all of it, so that no slice
        would ever be small. A column of the stream counts as often as it stands in the file.
        """
        if self._is_plain:
            return int(batch.nbytes)
        return sum(origin.size(batch) for origin in self._origins)

    def _takes_each_once(self) -> bool:
        """Whether the file has the stream's values as they are, each column once."""
        places = [
            origin.index
            for origin in self._origins
            if isinstance(origin, FromStream) and not origin.is_transformed
        ]
        return len(places) == len(self._origins) and sorted(places) == list(range(len(self.schema)))


def chosen_columns(schema: pa.Schema, asked: Sequence[ColumnOptions]) -> tuple[Chosen, ...]:
    """The columns of the file: all of the stream where none is asked.

    Raises `InvalidSchema` and `InvalidOptions` as `Projection` does.
    """
    _check_names(schema.names)
    chosen = asked or tuple(ColumnOptions(name) for name in schema.names)
    _check_headers([column.label for column in chosen if not column.lenient])
    return tuple((_index(schema, column.name), column) for column in chosen)


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


def _index(schema: pa.Schema, name: str | None) -> int | None:
    if name is None:
        return None
    index = int(schema.get_field_index(name))
    if index < 0:
        hint = closest(name, schema.names) or f"; it has: {', '.join(schema.names[:20])}"
        raise InvalidSchema(f"column {name!r} is not in the stream{hint}")
    return index


def _origin(schema: pa.Schema, index: int | None, asked: ColumnOptions) -> Origin:
    return MadeHere(generated_for(asked)) if index is None else FromStream(schema, index, asked)


def _column(chosen: Chosen, origin: Origin) -> Column:
    index, asked = chosen
    foreign = origin.is_foreign if isinstance(origin, FromStream) else isinstance(asked.value, str)
    reading, wish = _reading(asked), asked.format
    if asked.lenient:
        wish = reading.format if reading else None
    return Column(index, asked.label, origin.type, asked.width, wish, foreign, reading)


def _reading(asked: ColumnOptions) -> Reading | None:
    match asked.type:
        case "number" | "boolean" | "date" if asked.lenient:
            return reading_of(asked.type, asked.format)
        case "datetime" if asked.lenient:
            return reading_of("date", asked.format)
    return None

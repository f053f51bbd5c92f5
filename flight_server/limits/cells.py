"""Cells of a stream within the limits, and batches in pieces that no trick makes large.

A batch of a hundred bytes may stand for two thousand million rows, and a row for gigabytes of text:
nulls and runs take no bytes, rows may share what a dictionary or a view has once. So values are
counted here as often as they stand in a row.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from exporters import ColumnOptions
from exporters.lengths import VALUE_BYTES, is_expanding, is_plain_text, lengths, values_within
from flight_server.config.limits_section import LimitsSection
from flight_server.errors import ServiceError
from flight_server.limits.exceeded import exceeded

PIECE_ROWS: Final = 1024 * 1024
"""Rows of a piece: a measure of them is an array of 8 MiB, however little they take themselves."""

PIECE_CELLS: Final = 16 * PIECE_ROWS
"""Cells of a piece that are measured one by one, so that its export is soon found to have ended."""

_SHOWN: Final = 40
"""Characters of a column's name that a message repeats."""


class Batches(Protocol):
    """Batches of one schema that are valid Arrow data."""

    @property
    def schema(self) -> pa.Schema:
        """Of every batch."""
        ...

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Give one after another."""
        ...


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    name: str
    times: int
    """How often it stands in a row of the file."""


class LimitedBatches:
    """The rows of `batches`, in pieces of at most `PIECE_ROWS`, each within the limits.

    `asked` are the columns of the file. Raises LIMIT_EXCEEDED for a cell, a row or values that are
    too large, before the piece that has them is given.
    """

    def __init__(
        self, batches: Batches, asked: Sequence[ColumnOptions], limits: LimitsSection
    ) -> None:
        self._batches = batches
        self._limits = limits
        columns, kinds = tuple(_columns(batches.schema, asked)), batches.schema.types
        self._texts = [each for each in columns if is_plain_text(kinds[each.place])]
        self._most_often = max((each.times for each in self._texts), default=0)
        self._plain = [place for place, kind in enumerate(kinds) if not is_expanding(kind)]
        self._expanding = len(kinds) - len(self._plain)
        self._measured = [each for each in columns if _is_measured(kinds[each.place])]
        self._piece_rows = max(1, min(PIECE_ROWS, PIECE_CELLS // max(1, len(self._measured))))
        self._rows = 0
        self._bytes = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            size = self._size(batch)
            self._count(int(batch.select(self._plain).nbytes) if self._expanding else size)
            self._count(self._expanding * VALUE_BYTES * batch.num_rows)
            for piece in self._pieces(batch):
                self._check(piece, size)
                yield piece
                self._rows += piece.num_rows

    def _pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The rows of `batch`; one that has none is a piece too."""
        for start in range(0, max(batch.num_rows, 1), self._piece_rows):
            yield batch.slice(start, self._piece_rows)

    def _size(self, batch: pa.RecordBatch) -> int:
        """Bytes that `batch` refers to; those, and the values within others, must be within one."""
        size, most = int(batch.nbytes), self._limits.max_batch_bytes
        if size > most:
            raise exceeded("max_batch_bytes", f"a batch has {size:,} bytes of values", most)
        within = sum(values_within(batch.column(each.place)) for each in self._measured)
        if within * VALUE_BYTES > most:
            met = f"a batch has {within:,} values within others, of {VALUE_BYTES} bytes each"
            raise exceeded("max_batch_bytes", met, most)
        return size

    def _check(self, piece: pa.RecordBatch, size: int) -> None:
        """Let a piece of a batch of `size` bytes pass, or raise."""
        if size > self._limits.max_cell_bytes:
            for column in self._texts:
                self._longest(column, lengths(piece.column(column.place)))
        row = size * self._most_often
        for column in self._measured:
            cells = lengths(piece.column(column.place))
            row += self._longest(column, cells) * column.times
            self._count(int(pc.sum(cells).as_py() or 0))
        if row > self._limits.max_batch_bytes:
            self._check_rows(piece)

    def _count(self, size: int) -> None:
        self._bytes += size
        most = self._limits.max_bytes_in
        if most is not None and self._bytes > most:
            raise exceeded("max_bytes_in", f"the rows sent have {self._bytes:,} bytes", most)

    def _longest(self, column: _Column, cells: pa.Array) -> int:
        """The length of the longest cell, which must be within the limit."""
        longest, most = int(pc.max(cells).as_py() or 0), self._limits.max_cell_bytes
        if longest > most:
            met = f"column {column.name!r} has a cell of {longest:,} bytes"
            raise self._in_row("max_cell_bytes", met, cells, longest)
        return longest

    def _check_rows(self, piece: pa.RecordBatch) -> None:
        """Hold each row, as it stands in the file, to the size of a batch."""
        rows = pa.repeat(pa.scalar(0, pa.int64()), piece.num_rows)
        for column in (*self._texts, *self._measured):
            cells = lengths(piece.column(column.place))
            rows = pc.add(rows, pc.multiply(cells, column.times))
        largest = int(pc.max(rows).as_py() or 0)
        if largest > self._limits.max_batch_bytes:
            met = f"a row has {largest:,} bytes"
            raise self._in_row("max_batch_bytes", met, rows, largest)

    def _in_row(self, key: str, met: str, sizes: pa.Array, largest: int) -> ServiceError:
        row = self._rows + int(pc.index(sizes, largest).as_py()) + 1
        return exceeded(key, f"{met} in row {row:,}", getattr(self._limits, key))


def _columns(schema: pa.Schema, asked: Iterable[ColumnOptions]) -> Iterator[_Column]:
    often = Counter(column.name for column in asked)
    for place, name in enumerate(schema.names):
        yield _Column(place, name[:_SHOWN], often[name] if often else 1)


def _is_measured(kind: pa.DataType) -> bool:
    """Whether cells of `kind` have to be looked at one by one."""
    return is_expanding(kind) and not pa.types.is_null(kind)

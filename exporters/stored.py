"""Files that a writer of pyarrow's makes: columns in their own types, a group of rows at a time."""

import functools
from collections.abc import Callable
from typing import Protocol

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning
from exporters.errors import InvalidData
from exporters.groups import Group, RowGroups
from exporters.selection import Selection
from exporters.workers import OrderedBlocks, Workers

_COPIES = 2
"""How often the values of a group are in memory at most: as they came, and as they are written."""


class GroupWriter(Protocol):
    """A writer of pyarrow's as an exporter calls it."""

    def write(self, group: pa.Table) -> None:
        """Write the rows of one group."""
        ...

    def close(self) -> None:
        """Write the end of the file."""
        ...


class Pieces:
    """A file for pyarrow to write to; what was written is taken from it, and forgotten.

    Between the writer and the sink, because a writer that is given up still writes its end.
    """

    closed = False
    """As a file says it; this one is never closed."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def write(self, data: bytes) -> int:
        """Keep `data`."""
        self._pieces.append(data)
        self._length += len(data)
        return len(data)

    def tell(self) -> int:
        """How long the file is, what was taken included."""
        return self._length

    def flush(self) -> None:
        """Do nothing: what is kept is taken when it is wanted."""

    def take(self) -> bytes:
        """What was written since this was last called."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


class StoredExporter(Exporter):
    """Writes one file of groups of `rows` rows.

    One group is written at a time, in the order of the rows, on one of the workers' threads, while
    the next is collected: such a file cannot be made of pieces that were written apart.
    """

    def __init__(
        self,
        sink: ByteSink,
        selection: Selection,
        open_writer: Callable[[Pieces], GroupWriter],
        rows: int,
        workers: Workers,
    ) -> None:
        self._selection = selection
        self._groups = RowGroups(rows, selection.size)
        self._sink = sink
        self._pieces = Pieces()
        self._writer = open_writer(self._pieces)
        self._blocks = OrderedBlocks[bytes](workers, sink.write, limit=1)
        self._submitted = 0
        self.rows_written = 0

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """None: every value is kept as it is."""
        return ()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`; see `Exporter.write_batch`."""
        for group in self._groups.add(batch):
            self._submit(group)
        self.rows_written += batch.num_rows

    def finish(self) -> None:
        """Write the rows in flight and the end of the file."""
        for group in self._groups.flush():
            self._submit(group)
        self._blocks.drain()
        self._writer.close()
        self._sink.write(self._pieces.take())

    def discard(self) -> None:
        """Drop the group in flight."""
        self._blocks.discard()

    def _submit(self, group: Group) -> None:
        size = sum(map(self._selection.size, group)) * _COPIES
        self._blocks.submit(size, functools.partial(self._encode, group, self._submitted))
        self._submitted += sum(rows.num_rows for rows in group)

    def _encode(self, group: Group, first_row: int) -> bytes:
        """The work of one thread on one group; the group before it is done."""
        batches = []
        for rows in group:
            batches.append(self._selection.apply(rows, first_row))
            first_row += rows.num_rows
        try:
            self._writer.write(pa.Table.from_batches(batches, self._selection.schema))
        except pa.ArrowInvalid as error:
            reason = str(error).split("\n")[0]
            raise InvalidData(f"the rows up to {first_row} cannot be written: {reason}") from error
        return self._pieces.take()

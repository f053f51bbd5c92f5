"""CSV after RFC 4180: blocks formatted in threads, written in order."""

import functools
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning, WarningTally
from exporters.blocks import BlockCutter
from exporters.columns import ColumnOptions, Projection
from exporters.csv.lines import WARNINGS, LineFormatter
from exporters.csv.options import CsvOptions
from exporters.packing.files import Packed, PackedFiles
from exporters.workers import OrderedBlocks, Workers

_TEXT_OF_BLOCK: Final = 4
"""How many bytes of text, at most about, a block may become for each that its values may have."""


class _Formatted(NamedTuple):
    packed: Packed
    changed: Mapping[str, int]


class CsvExporter(Exporter):
    """Writes CSV, one file or several. Raises what `Projection` and `LineFormatter` raise."""

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: CsvOptions,
        workers: Workers,
    ) -> None:
        self._projection = Projection(schema, columns)
        self._format = LineFormatter(self._projection.columns, options)
        self._cutter = BlockCutter(measure=self._weight)
        self._tally = WarningTally(WARNINGS)
        self._tally.add(self._format.changed_names)
        self._files = PackedFiles(sink, options, self._format.head, workers.threads)
        self._blocks = OrderedBlocks[_Formatted](workers, self._write)
        self._submitted = 0
        self.rows_written = 0

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """Texts that were changed for the encoding or for the sake of spreadsheets."""
        return self._tally.listed()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`; see `Exporter.write_batch`."""
        self._files.begin()
        for block in self._cutter.add(batch):
            self._submit(block)
        self.rows_written += batch.num_rows

    def finish(self) -> None:
        """Write the rows in flight and the end of the file."""
        for block in self._cutter.flush():
            self._submit(block)
        self._blocks.drain()
        self._files.finish()

    def discard(self) -> None:
        """Drop the blocks in flight."""
        self._blocks.discard()

    def _weight(self, rows: pa.RecordBatch) -> int:
        """By what blocks are cut: `BLOCK_BYTES` of values, or some times as much of text."""
        size = self._projection.size(rows)
        return max(size, self._format.size(rows.num_rows, size) // _TEXT_OF_BLOCK)

    def _size(self, rows: pa.RecordBatch) -> int:
        """Bytes of the values, or so many that their text is twice as long, as packers suppose."""
        size = self._projection.size(rows)
        return max(size, self._format.size(rows.num_rows, size) // 2)

    def _submit(self, block: pa.RecordBatch) -> None:
        for file, rows in self._files.cut(block):
            work = functools.partial(self._format_rows, rows, file, self._submitted)
            self._submitted += rows.num_rows
            self._blocks.submit(self._files.footprint(self._size(rows)), work)

    def _format_rows(self, rows: pa.RecordBatch, file: int, first_row: int) -> _Formatted:
        """The work of one thread on one block, or on its part in one file."""
        lines = self._format(self._projection.apply(rows, first_row), first_row)
        return _Formatted(self._files.pack(file, lines.data), lines.changed)

    def _write(self, formatted: _Formatted) -> None:
        self._tally.add(formatted.changed)
        self._files.write(formatted.packed)

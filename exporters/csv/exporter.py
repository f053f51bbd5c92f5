"""CSV after RFC 4180: blocks formatted in threads, written in order."""

import functools
from collections.abc import Sequence

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning, WarningTally
from exporters.blocks import BlockCutter
from exporters.columns import ColumnOptions, Projection
from exporters.csv.lines import WARNINGS, LineFormatter, Lines
from exporters.csv.options import CsvOptions
from exporters.workers import OrderedBlocks, Workers


class CsvExporter(Exporter):
    """Writes one CSV file. Raises what `Projection` and `LineFormatter` raise."""

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
        self._cutter = BlockCutter(measure=self._projection.size)
        self._sink = sink
        self._blocks = OrderedBlocks[Lines](workers, self._write)
        self._tally = WarningTally(WARNINGS)
        self._head: Lines | None = self._format.head
        self._rows_submitted = 0
        self.rows_written = 0

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """Texts that were changed for the encoding or for the sake of spreadsheets."""
        return self._tally.listed()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`; see `Exporter.write_batch`."""
        self._write_head()
        for block in self._cutter.add(batch):
            self._submit(block)
        self.rows_written += batch.num_rows

    def finish(self) -> None:
        """Write the rows in flight."""
        self._write_head()
        for block in self._cutter.flush():
            self._submit(block)
        self._blocks.drain()

    def discard(self) -> None:
        """Drop the blocks in flight."""
        self._blocks.discard()

    def _write_head(self) -> None:
        head, self._head = self._head, None
        if head is not None and head.data:
            self._write(head)

    def _submit(self, block: pa.RecordBatch) -> None:
        work = functools.partial(self._format_block, block, self._rows_submitted)
        self._rows_submitted += block.num_rows
        # The text of numbers and dates is about twice their Arrow size, that of texts the same.
        self._blocks.submit(self._projection.size(block) * 3, work)

    def _format_block(self, block: pa.RecordBatch, first_row: int) -> Lines:
        return self._format(self._projection.apply(block), first_row)

    def _write(self, lines: Lines) -> None:
        self._tally.add(lines.changed)
        self._sink.write(lines.data)

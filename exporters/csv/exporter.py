"""CSV after RFC 4180: blocks formatted in threads, written in order."""

import functools
from collections.abc import Sequence

import pyarrow as pa

from exporters.base import ByteSink, Data, Exporter, ExportWarning
from exporters.blocks import BlockCutter
from exporters.columns import ColumnOptions, Projection
from exporters.csv.lines import block_formatter, header_line
from exporters.csv.options import CsvOptions
from exporters.workers import OrderedBlocks, Workers


class CsvExporter(Exporter):
    """Writes one CSV file in UTF-8. Raises what `Projection` raises."""

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: CsvOptions,
        workers: Workers,
    ) -> None:
        self._projection = Projection(schema, columns)
        self._format = block_formatter(self._projection.columns, options)
        self._cutter = BlockCutter(measure=self._projection.size)
        self._sink = sink
        self._blocks = OrderedBlocks[Data](workers, sink.write)
        self._header = header_line(self._projection.output_schema.names, options)
        self._submitted = 0
        self.rows_written = 0

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """None: CSV holds every supported value as it is."""
        return ()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`; see `Exporter.write_batch`."""
        self._write_header()
        for block in self._cutter.add(batch):
            self._submit(block)
        self.rows_written += batch.num_rows

    def finish(self) -> None:
        """Write the rows in flight."""
        self._write_header()
        for block in self._cutter.flush():
            self._submit(block)
        self._blocks.drain()

    def discard(self) -> None:
        """Drop the blocks in flight."""
        self._blocks.discard()

    def _write_header(self) -> None:
        header, self._header = self._header, b""
        if header:
            self._sink.write(header)

    def _submit(self, block: pa.RecordBatch) -> None:
        work = functools.partial(self._format_block, block, self._submitted)
        self._submitted += block.num_rows
        # The text of numbers and dates is about twice their Arrow size, that of texts the same.
        self._blocks.submit(self._projection.size(block) * 3, work)

    def _format_block(self, block: pa.RecordBatch, first_row: int) -> Data:
        return self._format(self._projection.apply(block, first_row))

"""CSV after RFC 4180: blocks formatted in threads, written in order."""

import functools
from collections.abc import Sequence

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning
from exporters.blocks import BlockCutter
from exporters.columns import ColumnOptions, Projection
from exporters.csv.lines import block_formatter, header_line
from exporters.csv.options import CsvOptions
from exporters.packing.files import Packed, PackedFiles
from exporters.workers import OrderedBlocks, Workers


class CsvExporter(Exporter):
    """Writes CSV in UTF-8, one file or several. Raises what `Projection` raises."""

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
        head = header_line(self._projection.output_schema.names, options)
        self._files = PackedFiles(sink, options, head)
        self._blocks = OrderedBlocks[Packed](workers, self._files.write)
        self.rows_written = 0

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """None: CSV holds every supported value as it is."""
        return ()

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

    def _submit(self, block: pa.RecordBatch) -> None:
        for file, rows in self._files.cut(block):
            work = functools.partial(self._format_rows, rows, file)
            self._blocks.submit(self._files.footprint(self._projection.size(rows)), work)

    def _format_rows(self, rows: pa.RecordBatch, file: int) -> Packed:
        """The work of one thread on one block, or on its part in one file."""
        return self._files.pack(file, self._format(self._projection.apply(rows)))

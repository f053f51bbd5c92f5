"""Excel workbooks: rows to sheets, blocks to threads, at constant memory."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning, WarningTally
from exporters.blocks import BlockCutter
from exporters.columns import ColumnOptions, Projection
from exporters.workers import OrderedBlocks, Workers
from exporters.xlsx.cells import WARNINGS
from exporters.xlsx.layout import Layout
from exporters.xlsx.measures import MOST_ROWS, Measures
from exporters.xlsx.options import XlsxOptions
from exporters.xlsx.sheets import Sheets, runs
from exporters.xlsx.workbook import Block, Piece, Workbook


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A block, and at most how many bytes of XML it was thought to be."""

    block: Block
    bound: int


class XlsxExporter(Exporter):
    """Writes one workbook; a full sheet is followed by another with the same header.

    Raises what `Projection` and `Layout` raise.
    """

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: XlsxOptions,
        workers: Workers,
    ) -> None:
        self._projection = Projection(schema, columns)
        self._layout = Layout(self._projection, options)
        self._sheets = Sheets(self._layout)
        self._sink = sink
        self._workbook: Workbook | None = None
        self._measures = Measures(self._projection, self._layout)
        self._cutter = BlockCutter(MOST_ROWS, measure=self._measures.weight)
        self._blocks = OrderedBlocks[_Bounded](workers, self._write)
        self._tally = WarningTally(WARNINGS)
        ignored = sum(each.reading.ignored for each in self._layout.columns if each.reading)
        self._tally.add({"FORMATS_IGNORED": ignored} if ignored else {})
        self._submitted = 0
        self.rows_written = 0

    @property
    def sheets(self) -> int:
        """Sheets of the file, at least one."""
        return self._sheets.count

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """Cells that were changed, by kind."""
        return self._tally.listed()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`; see `Exporter.write_batch`."""
        for block in self._cutter.add(batch):
            self._submit(block)
        self.rows_written += batch.num_rows

    def finish(self) -> None:
        """Write the rows in flight and what stands after them."""
        for block in self._cutter.flush():
            self._submit(block)
        self._blocks.drain()
        self._opened(None).close()

    def discard(self) -> None:
        """Drop the blocks in flight."""
        self._blocks.discard()

    def _submit(self, block: pa.RecordBatch) -> None:
        split = self._layout.split
        if split is None:
            self._submit_rows(block, self._opened(block))
            return
        start = 0
        for value, rows in runs(self._projection.column(block, split, self._submitted)):
            self._sheets.turn_to(value)
            self._submit_rows(block.slice(start, rows), self._opened(block))
            start += rows

    def _submit_rows(self, block: pa.RecordBatch, workbook: Workbook) -> None:
        """Rows of one sheet, or of several where one is full."""
        start = 0
        while start < block.num_rows:
            rows = block.slice(start, self._sheets.room(0))
            bound = self._measures.bound(rows)
            if not self._sheets.room(bound):
                self._sheets.next()
                continue
            piece = self._sheets.take(rows.num_rows, bound, self._link_columns(rows))
            work = functools.partial(self._format, workbook, rows, self._submitted, piece, bound)
            self._submitted += rows.num_rows
            self._blocks.submit(self._projection.size(rows) + bound, work)
            start += rows.num_rows

    def _link_columns(self, rows: pa.RecordBatch) -> list[pa.Array]:
        if not self._layout.links:
            return []
        places = sorted(self._layout.links)
        return [self._projection.column(rows, place, self._submitted) for place in places]

    def _format(
        self,
        workbook: Workbook,
        batch: pa.RecordBatch,
        first_row: int,
        piece: Piece,
        bound: int,
    ) -> _Bounded:
        """The work of one thread on one block."""
        rows = self._projection.apply(batch, first_row)
        return _Bounded(workbook.format(rows, piece), bound)

    def _write(self, bounded: _Bounded) -> None:
        block = bounded.block
        self._opened(None).write(block)
        self._sheets.written(block.piece, block.deflated.length, bounded.bound)
        self._tally.add(block.warnings)

    def _opened(self, first: pa.RecordBatch | None) -> Workbook:
        """The workbook; begun with the first block, whose values give the columns' widths."""
        if self._workbook is None:
            rows = None if first is None else self._projection.apply(first)
            self._workbook = Workbook(self._sink, self._layout, self._sheets.name, rows)
        return self._workbook

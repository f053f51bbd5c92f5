"""Excel workbooks: rows to sheets, blocks to threads, at constant memory."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning, WarningTally
from exporters.blocks import BlockCutter
from exporters.columns import Column, ColumnOptions, Projection
from exporters.errors import InvalidOptions, LimitExceeded
from exporters.number_formats import check_format
from exporters.options import SHEET_ROWS, XlsxOptions
from exporters.workers import OrderedBlocks, Workers
from exporters.xlsx.cells import WARNINGS
from exporters.xlsx.package import MAX_LENGTH
from exporters.xlsx.texts import MAX_CELL_LENGTH
from exporters.xlsx.workbook import Block, Workbook

MAX_COLUMNS: Final = 16_384
"""Columns of an Excel sheet (Excel specifications and limits)."""

MAX_HEADER_LENGTH: Final = MAX_CELL_LENGTH // 2
"""Characters, each of which may be two of the UTF-16 units that a cell takes."""

MAX_SHEETS: Final = 1_000
"""Excel names no limit but memory; nobody can use a workbook with more."""

_CELL_MARKUP: Final = 110
"""An upper bound for the XML around one value, in bytes."""

_WORST_ESCAPE: Final = 7
"""Bytes that one byte of text can become: `_x0001_`."""


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A block, and at most how many bytes of XML it was thought to be."""

    block: Block
    bound: int


@dataclass(slots=True)
class _Sheet:
    """What has been given to the current sheet: rows, and at most how many bytes of XML.

    The bound is exact for blocks that are written and an upper bound for those in flight.
    """

    index: int = 0
    rows: int = 0
    bound: int = 0


class XlsxExporter(Exporter):
    """Writes one workbook; a full sheet is followed by another with the same header.

    Raises `LimitExceeded` for more columns than a sheet has, `InvalidOptions` for a column's number
    format that Excel cannot parse, and what `Projection` raises.
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
        self._check_columns()
        self._options = options
        self._rows_a_sheet = min(options.rows_per_sheet, SHEET_ROWS - options.start_row)
        self._sink = sink
        self._workbook: Workbook | None = None
        self._cutter = BlockCutter(measure=self._projection.size)
        self._blocks = OrderedBlocks[_Bounded](workers, self._write)
        self._tally = WarningTally(WARNINGS)
        self._filling = _Sheet()
        self.rows_written = 0

    @property
    def sheets(self) -> int:
        """Sheets of the file, at least one."""
        return self._filling.index + 1

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

    def _check_columns(self) -> None:
        count = len(self._projection.columns)
        if count > MAX_COLUMNS:
            raise LimitExceeded(f"{count} columns; an Excel sheet has at most {MAX_COLUMNS}")
        for column in self._projection.columns:
            if len(column.header) > MAX_HEADER_LENGTH:
                raise LimitExceeded(
                    f"the header {column.header[:40]!r}… has {len(column.header)} characters; "
                    f"at most {MAX_HEADER_LENGTH}"
                )
            _check_number_format(column)

    def _submit(self, block: pa.RecordBatch) -> None:
        workbook = self._opened(block)
        start = 0
        while start < block.num_rows:
            piece = block.slice(start, self._rows_a_sheet - self._filling.rows)
            size = self._projection.size(piece)
            bound = _xml_bound(piece, size)
            if self._is_full(bound):
                self._next_sheet()
                continue
            work = functools.partial(
                self._format, workbook, piece, self._filling.index, self._next_row(), bound
            )
            self._filling.rows += piece.num_rows
            self._filling.bound += bound
            self._blocks.submit(size + bound, work)
            start += piece.num_rows

    def _next_row(self) -> int:
        """The sheet's row (1-based) that the next data row has."""
        return self._options.start_row + 1 + self._filling.rows

    def _is_full(self, bound: int) -> bool:
        """Whether the sheet has no room for a block of at most `bound` bytes of XML."""
        full = self._filling.rows >= self._rows_a_sheet
        return full or (self._filling.rows > 0 and self._filling.bound + bound > MAX_LENGTH)

    def _next_sheet(self) -> None:
        if self.sheets == MAX_SHEETS:
            raise LimitExceeded(
                f"the rows need more than {MAX_SHEETS} sheets; raise options.rows_per_sheet"
            )
        self._filling = _Sheet(self._filling.index + 1)

    def _format(
        self, workbook: Workbook, batch: pa.RecordBatch, sheet: int, first_row: int, bound: int
    ) -> _Bounded:
        """The work of one thread on one block."""
        rows = self._projection.apply(batch)
        return _Bounded(workbook.format(rows, sheet, first_row), bound)

    def _write(self, bounded: _Bounded) -> None:
        block = bounded.block
        self._opened(None).write(block)
        if block.sheet == self._filling.index:
            self._filling.bound += block.deflated.length - bounded.bound
        self._tally.add(block.warnings)

    def _opened(self, first: pa.RecordBatch | None) -> Workbook:
        """The workbook; begun with the first block, whose values give the columns' widths."""
        if self._workbook is None:
            rows = None if first is None else self._projection.apply(first)
            columns = self._projection.columns
            self._workbook = Workbook(self._sink, columns, self._options, rows)
        return self._workbook


def _check_number_format(column: Column) -> None:
    if column.format is None:
        return
    try:
        check_format(column.format)
    except ValueError as error:
        raise InvalidOptions(
            f"columns: {column.header!r} has the format {column.format!r}; {error}"
        ) from None


def _xml_bound(batch: pa.RecordBatch, size: int) -> int:
    """At most how many bytes of XML the rows of `batch`, of `size` bytes, become."""
    cells = int(batch.num_rows) * int(batch.num_columns)
    return cells * _CELL_MARKUP + size * _WORST_ESCAPE

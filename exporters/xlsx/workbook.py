"""One workbook from its first part to its last: the shell's parts around sheets of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from exporters.base import ByteSink
from exporters.columns import Column
from exporters.options import XlsxOptions
from exporters.xlsx.deflate import Deflated, deflate
from exporters.xlsx.package import Package
from exporters.xlsx.rows import RowWriter
from exporters.xlsx.shell import PREFACE, SHEET_PART, Shell, after_rows
from exporters.xlsx.widths import estimated_widths

SAMPLE_ROWS = 1_000
"""Rows of the first block by whose values the column widths are estimated."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one sheet (0-based), ready for the archive."""

    sheet: int
    rows: int
    deflated: Deflated
    warnings: Mapping[str, int]


class Workbook:
    """A workbook being written to `sink`; `first` holds its first rows, or none if it has none.

    `format` may run in any thread; everything else in one, with the blocks in order.
    """

    def __init__(
        self,
        sink: ByteSink,
        columns: Sequence[Column],
        options: XlsxOptions,
        first: pa.RecordBatch | None,
    ) -> None:
        self._compression = options.compression
        self._package = Package(sink, options.compression)
        sample = None if first is None else first.slice(0, SAMPLE_ROWS)
        self._shell = Shell(columns, options, estimated_widths(columns, options, sample))
        self._row_writer = RowWriter(columns, self._shell.styles, options)
        self._rows: list[int] = []
        parts = self._shell.parts([0])
        for name in PREFACE:
            self._package.add(name, parts[name])
        self._begin_sheet()

    def format(self, batch: pa.RecordBatch, sheet: int, first_row: int) -> Block:
        """The block of canonical rows that begin at the sheet's row `first_row` (1-based)."""
        rows = self._row_writer.write(batch, first_row)
        return Block(sheet, rows.count, deflate(rows.xml, self._compression), rows.warnings)

    def write(self, block: Block) -> None:
        """Add a block to its sheet, which is the last one's or the next."""
        if block.sheet == len(self._rows):
            self._end_sheet()
            self._begin_sheet()
        self._package.write(block.deflated)
        self._rows[-1] += block.rows

    def close(self) -> None:
        """Write what stands after the rows; the file is complete."""
        self._end_sheet()
        for name, part in after_rows(self._shell.parts(self._rows)):
            self._package.add(name, part)
        self._package.close()

    def _begin_sheet(self) -> None:
        index = len(self._rows)
        self._rows.append(0)
        self._package.begin(SHEET_PART.format(index + 1))
        self._package.write(deflate([self._shell.sheet(index, 0).head], self._compression))

    def _end_sheet(self) -> None:
        tail = self._shell.sheet(len(self._rows) - 1, self._rows[-1]).tail
        self._package.write(deflate([tail], self._compression))
        self._package.end()

"""NDJSON: blocks of rows to lines in threads, written in order."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from exporters.base import ByteSink, Exporter, ExportWarning, WarningTally
from exporters.blocks import BlockCutter
from exporters.columns import ColumnOptions
from exporters.ndjson.lines import key_bytes, lines
from exporters.ndjson.non_finite import has_floats, non_finite
from exporters.ndjson.options import NdjsonOptions
from exporters.packing.files import Packed, PackedFiles
from exporters.selection import Selection
from exporters.workers import OrderedBlocks, Workers

BLOCK_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a block's lines, which are at most twice as long as its values are in Arrow, mostly."""

NON_FINITE_NULL: Final = "NON_FINITE_NULL"

WARNINGS: Final = {NON_FINITE_NULL: "NaN and infinite numbers, which JSON lacks, are null"}


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a block, and how many numbers are null in them because JSON lacks them."""

    packed: Packed
    non_finite: int


class NdjsonExporter(Exporter):
    """Writes one JSON object a line, in UTF-8, to one file or several.

    Raises what `Selection` raises.
    """

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: NdjsonOptions,
        workers: Workers,
    ) -> None:
        self._selection = Selection(schema, columns, keep=lambda kind: kind)
        kept = self._selection.schema
        self._floats = [place for place, kind in enumerate(kept.types) if has_floats(kind)]
        self._key_bytes = key_bytes(kept.names)
        self._cutter = BlockCutter(size=BLOCK_BYTES, measure=self._size)
        self._files = PackedFiles(sink, options, b"", workers.threads)
        self._blocks = OrderedBlocks[_Lines](workers, self._write)
        self._tally = WarningTally(WARNINGS)
        self._submitted = 0
        self.rows_written = 0

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        """Numbers that are null because JSON has no word for them."""
        return self._tally.listed()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`; see `Exporter.write_batch`."""
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

    def _size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the lines of `batch`, at most."""
        return self._selection.json_size(batch) + self._key_bytes * int(batch.num_rows)

    def _submit(self, block: pa.RecordBatch) -> None:
        for file, rows in self._files.cut(block):
            work = functools.partial(self._format_rows, rows, file, self._submitted)
            self._submitted += rows.num_rows
            self._blocks.submit(self._files.footprint(self._size(rows)), work)

    def _format_rows(self, rows: pa.RecordBatch, file: int, first_row: int) -> _Lines:
        """The work of one thread on one block, or on its part in one file."""
        kept = self._selection.apply(rows, first_row)
        lost = sum(non_finite(kept.column(place)) for place in self._floats)
        return _Lines(self._files.pack(file, lines(kept)), lost)

    def _write(self, block: _Lines) -> None:
        self._files.write(block.packed)
        self._tally.add({NON_FINITE_NULL: block.non_finite})

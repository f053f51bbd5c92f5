"""Rows collected to groups of a wanted number, for formats whose files are made of such."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from exporters.blocks import BLOCK_ROWS, BlockCutter, Measure

GROUP_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a group's values, so that groups of long rows have fewer: the memory of an export."""

Group = list[pa.RecordBatch]
"""The rows of one group, in order."""


class RowGroups:
    """Groups of exactly `rows` rows, however the stream was cut; the last may have fewer.

    One whose values reach `GROUP_BYTES`, as `measure` says, ends with the block in which they do.
    At most one group is held back until `flush()`.
    """

    def __init__(self, rows: int, measure: Measure) -> None:
        self._rows = rows
        self._measure = measure
        # Small batches are joined: each costs memory besides its values.
        self._blocks = BlockCutter(min(rows, BLOCK_ROWS), measure=measure)
        self._group: Group = []
        self._held_rows = 0
        self._held_size = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[Group]:
        """Yield the groups that are complete now."""
        for block in self._blocks.add(batch):
            yield from self._take(block)

    def flush(self) -> Iterator[Group]:
        """Yield the groups that are held back."""
        for block in self._blocks.flush():
            yield from self._take(block)
        if self._group:
            yield self._ended()

    def _take(self, block: pa.RecordBatch) -> Iterator[Group]:
        while block.num_rows:
            piece = block.slice(0, self._rows - self._held_rows)
            block = block.slice(piece.num_rows)
            self._group.append(piece)
            self._held_rows += piece.num_rows
            self._held_size += max(self._measure(piece), int(piece.nbytes))
            if self._held_rows == self._rows or self._held_size >= GROUP_BYTES:
                yield self._ended()

    def _ended(self) -> Group:
        group, self._group = self._group, []
        self._held_rows = self._held_size = 0
        return group

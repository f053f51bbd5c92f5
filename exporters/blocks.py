"""Cuts a stream of record batches, large or tiny, into blocks of a useful size.

A block is what one worker formats at once: small enough to stay in the processor's cache and to
bound memory whatever the client sends, large enough to make its fixed cost small: each costs about
a millisecond of calls. Measured: CSV takes 9 % less of the processor with 16,384 rows than with
8,192, and as much as with 32,768.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import pyarrow as pa

BLOCK_ROWS: Final = 16_384
BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a block's values, so that rows of long texts make shorter blocks."""

MAX_COLLECTED: Final = 256
"""Batches that are collected into one block: each costs memory besides its values."""

Measure = Callable[[pa.RecordBatch], int]


def arrow_size(batch: pa.RecordBatch) -> int:
    """Bytes of the values of `batch` as they are encoded."""
    return int(batch.nbytes)


class BlockCutter:
    """Slices large batches without a copy and joins small ones with a single copy.

    Row order is kept; nothing is lost or repeated. A block has at most `rows` rows and, as
    `measure` says, `size` bytes, unless a single row has more. At most one block of rows is held
    back until `flush()`.
    """

    def __init__(
        self, rows: int = BLOCK_ROWS, size: int = BLOCK_BYTES, measure: Measure = arrow_size
    ) -> None:
        self._rows = rows
        self._size = size
        self._measure = measure
        self._collected: list[pa.RecordBatch] = []
        self._collected_rows = 0
        self._collected_size = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the blocks that are complete now."""
        if batch.num_rows == 0:
            return
        size = self._measure(batch)
        # What is collected keeps whole dictionaries and buffers, however few rows refer to them.
        held = max(size, int(batch.nbytes))
        if batch.num_rows * 2 > self._rows or held * 2 > self._size:
            yield from self.flush()
            yield from self._cut(batch, size)
            return
        self._collected.append(batch)
        self._collected_rows += batch.num_rows
        self._collected_size += held
        if (
            self._collected_rows * 2 > self._rows
            or self._collected_size * 2 > self._size
            or len(self._collected) >= MAX_COLLECTED
        ):
            yield from self.flush()

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yield what is held back: one block, or several that cannot be joined."""
        if not self._collected:
            return
        collected, self._collected = self._collected, []
        self._collected_rows = self._collected_size = 0
        yield from collected if len(collected) == 1 else _joined(collected)

    def _cut(self, batch: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
        """Pieces of even row counts; one whose rows are longer than the others' is cut again."""
        if batch.num_rows == 1 or (batch.num_rows <= self._rows and size <= self._size):
            yield batch
            return
        # As many pieces as fit, and a little less in each: one of them rarely has too much then.
        pieces = max(1, -(-size // self._size))
        rows = min(self._rows, -(-int(batch.num_rows) // pieces))
        for start in range(0, batch.num_rows, rows):
            piece = batch.slice(start, rows)
            yield from self._cut(piece, self._measure(piece))


def _joined(batches: Sequence[pa.RecordBatch]) -> Sequence[pa.RecordBatch]:
    """One batch of all rows; the batches as they are where they cannot be one.

    Dictionaries that differ are united, and may have more values than their indices can count;
    some of nested values cannot be united at all.
    """
    try:
        return [pa.concat_batches(batches)]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return batches

"""How much work rows are, and how much XML at most: known before they are formatted."""

from typing import Final

import pyarrow as pa

from exporters.blocks import BLOCK_BYTES, BLOCK_ROWS
from exporters.columns import Projection
from exporters.xlsx.layout import Layout

MOST_ROWS: Final = 4 * BLOCK_ROWS
"""Rows of a block that is mostly empty, so that its fixed cost is shared by as many cells."""

_FULL_ROW: Final = BLOCK_BYTES // BLOCK_ROWS

_ROW_MARKUP: Final = 32
"""An upper bound for the XML around the cells of one row, in bytes."""

_CELL_MARKUP: Final = 110
"""An upper bound for the XML around one value, in bytes."""

_WORST_ESCAPE: Final = 7
"""Bytes that one byte of text can become: `_x0001_`."""


class Measures:
    """Measures batches of the stream; a null has a place in them, but becomes no cell."""

    def __init__(self, projection: Projection, layout: Layout) -> None:
        self._size = projection.size
        self._places = [column.index for column in projection.columns if column.index is not None]
        self._columns = len(layout.headers)
        self._row_markup = _ROW_MARKUP + sum(6 * len(each.formula) for each in layout.formulas)

    def weight(self, batch: pa.RecordBatch) -> int:
        """By what blocks are cut: `BLOCK_BYTES` of values, or as many cells as full rows have."""
        rows = int(batch.num_rows)
        parts = rows + self._cells(batch)
        return max(self._size(batch), _FULL_ROW * parts // (1 + self._columns))

    def bound(self, batch: pa.RecordBatch) -> int:
        """At most how many bytes of XML the rows become."""
        markup = int(batch.num_rows) * self._row_markup + self._cells(batch) * _CELL_MARKUP
        return markup + self._size(batch) * _WORST_ESCAPE

    def _cells(self, batch: pa.RecordBatch) -> int:
        """At most how many cells are filled; a null of the stream has none."""
        nulls = sum(int(batch.column(place).null_count) for place in self._places)
        return int(batch.num_rows) * self._columns - nulls

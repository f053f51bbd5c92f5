"""Record batches to rows of sheet XML, a whole block at a time.

One polars expression joins literals, row numbers and cell values into the text of each row; the
column's data buffers are the XML of the block. No row and no cell is touched by Python.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl
import pyarrow as pa
from xlsxwriter.utility import xl_col_to_name

from exporters.columns import Column
from exporters.options import XlsxOptions
from exporters.xlsx.cells import (
    BooleanCells,
    CellWriter,
    DecimalCells,
    FloatCells,
    IntegerCells,
    Part,
    joined,
)
from exporters.xlsx.temporal import DateCells, DurationCells, TimeCells, TimestampCells
from exporters.xlsx.texts import TextCells
from exporters.xlsx.wide_decimals import WideDecimalCells

MAX_EXPRESSIONS: Final = 64
"""Row expressions that are kept: one for each combination of variants that blocks have."""

_ROW: Final = "row"
"""The frame's column of row numbers; data columns are named by their place, `0`, `1`, …"""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one block: XML, and what was changed on the way."""

    xml: Sequence[pa.Buffer]
    count: int
    warnings: Mapping[str, int]


class RowWriter:
    """Writes blocks of one schema; `styles` are the style indexes of the columns' cells.

    Thread safe: expressions that two threads build at once are merely built twice.
    """

    def __init__(
        self, columns: Sequence[Column], styles: Sequence[int], options: XlsxOptions
    ) -> None:
        self._writers = [
            cell_writer(column.type, style, options)
            for column, style in zip(columns, styles, strict=True)
        ]
        self._row = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_row)

    def write(self, batch: pa.RecordBatch, first_row: int) -> Rows:
        """The XML of `batch`, whose first row is the sheet's row `first_row` (1-based)."""
        arrays = [
            writer.prepare(array)
            for writer, array in zip(self._writers, batch.columns, strict=True)
        ]
        sights = [writer.look(array) for writer, array in zip(self._writers, arrays, strict=True)]
        row = self._row(tuple((sight.variant, sight.nullable) for sight in sights))
        xml = as_frame(arrays, first_row).select(row).to_series()
        warnings: Counter[str] = Counter()
        for sight in sights:
            warnings.update(sight.warnings)
        return Rows(_data_buffers(xml), batch.num_rows, warnings)

    def _build_row(self, variants: tuple[tuple[Hashable, bool], ...]) -> pl.Expr:
        """The expression for a whole row, each column's cells in a variant, nullable or not."""
        number = pl.col(_ROW)
        parts: list[Part] = ['<row r="', number, '">']
        for place, (variant, nullable) in enumerate(variants):
            cell = self._writers[place].parts(pl.col(str(place)), variant)
            whole = (f'<c r="{xl_col_to_name(place)}', number, *cell)
            parts.extend([joined(whole).fill_null("")] if nullable else whole)
        return joined((*parts, "</row>"))


def as_frame(arrays: Sequence[pa.Array], first_row: int) -> pl.DataFrame:
    """Arrays as a frame with columns `0`, `1`, … and the row numbers as text.

    Shares the arrays' memory where it can.
    """
    numbers = pa.arange(first_row, first_row + len(arrays[0])).cast(pa.large_string())
    names = [*(str(place) for place in range(len(arrays))), _ROW]
    batch = pa.RecordBatch.from_arrays([*arrays, numbers], names=names)
    frame = pl.from_arrow(batch, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # from_arrow types a batch too widely
    return frame


def cell_writer(kind: pa.DataType, style: int, options: XlsxOptions) -> CellWriter:
    """The writer for a canonical type."""
    types = pa.types
    long_as_text = options.long_numbers == "text"
    if types.is_timestamp(kind):
        zone = kind.tz and (options.timezone or kind.tz)
        return TimestampCells(style, _polars_unit(kind), zone)
    if types.is_duration(kind):
        return DurationCells(style, _polars_unit(kind))
    if types.is_integer(kind):
        return IntegerCells(style, long_as_text)
    if types.is_decimal256(kind):
        return WideDecimalCells(style, long_as_text)
    if types.is_decimal(kind):
        return DecimalCells(style, long_as_text)
    return next(make(style) for is_kind, make in _SIMPLE_WRITERS if is_kind(kind))


_SIMPLE_WRITERS: Final = (
    (pa.types.is_boolean, BooleanCells),
    (pa.types.is_floating, FloatCells),
    (pa.types.is_date, DateCells),
    (pa.types.is_time, TimeCells),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind), TextCells),
)


def _polars_unit(kind: pa.DataType) -> str:
    """The unit that polars gives a timestamp or duration: it has no seconds."""
    return "ms" if kind.unit == "s" else str(kind.unit)


def _data_buffers(xml: pl.Series) -> list[pa.Buffer]:
    """The texts of `xml`, one after another.

    polars appends the texts of a new column to data buffers in row order, so that the buffers
    are the XML already. Where they hold more or less than the texts, the texts are copied together.
    """
    buffers = xml.to_arrow(compat_level=pl.CompatLevel.newest()).buffers()[2:]
    if sum(buffer.size for buffer in buffers) == xml.str.len_bytes().sum():
        return list(buffers)
    return [xml.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]]

"""Record batches to rows of sheet XML, a whole block at a time.

One polars expression joins literals, row numbers and cell values into the text of each row; the
column's data buffers are the XML of the block. No row and no cell is touched by Python.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import polars as pl
import pyarrow as pa
from xlsxwriter.utility import xl_col_to_name

from exporters.xlsx.cells import (
    BooleanCells,
    CellWriter,
    DecimalCells,
    FloatCells,
    IntegerCells,
    Sight,
    SingleCells,
    count,
)
from exporters.xlsx.formulas import FormulaCells
from exporters.xlsx.layout import Layout
from exporters.xlsx.links import (
    LinkCells,
    Share,
    granted,
    hyperlinks,
    link_mask,
    mask_name,
    relationships,
)
from exporters.xlsx.markup import (
    Buffers,
    Part,
    Parts,
    Place,
    joined,
    numbered,
    row_numbers,
    row_then,
    texts,
)
from exporters.xlsx.options import XlsxOptions
from exporters.xlsx.shell import Shell
from exporters.xlsx.sparse import SPREAD, is_sparse, spread
from exporters.xlsx.temporal import DateCells, DurationCells, TimeCells, TimestampCells
from exporters.xlsx.texts import TextCells
from exporters.xlsx.totals import Partial, partial_of
from exporters.xlsx.wide_decimals import WideDecimalCells

MAX_EXPRESSIONS: Final = 64
"""Row expressions that are kept: one for each combination of variants that blocks have."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one block: XML, and what is told of them elsewhere."""

    xml: Buffers
    count: int
    warnings: Mapping[str, int]
    hyperlinks: Buffers = ()
    relationships: Buffers = ()
    partials: Mapping[int, Partial] = field(default_factory=dict)


class RowWriter:
    """Writes blocks of one layout; `shell` knows the styles and formulas of its columns.

    Thread safe: expressions that two threads build at once are merely built twice.
    """

    def __init__(self, layout: Layout, shell: Shell) -> None:
        self._writers = _writers(layout, shell)
        self._formulas = [
            FormulaCells(shell.styles[place], shell.formula(place))
            for place in range(len(layout.columns), len(layout.headers))
        ]
        self._links = sorted(layout.links)
        self._totals = {
            place: partial_of(place, self._writers[place])
            for place in layout.totals
            if not layout.is_formula(place)
        }
        self._dense = layout.links | self._totals.keys()
        self._row = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_row)
        self._cells = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_cells)

    def write(self, batch: pa.RecordBatch, first_row: int, room: int = 0) -> Rows:
        """The XML of `batch`, whose first row is the sheet's row `first_row` (1-based).

        At most `room` cells become links.
        """
        rows = row_numbers(first_row, batch.num_rows)
        warnings: Counter[str] = Counter()
        arrays, cells, variants = {}, {}, []
        for place, array in enumerate(batch.columns):
            if place in self._dense or not is_sparse(array):
                arrays[place] = self._writers[place].prepare(array)
                sight = self._writers[place].look(arrays[place])
                variants.append((sight.variant, sight.nullable))
            else:
                cells[place], sight = self._spread(place, array, rows)
                variants.append((SPREAD, True))
            warnings.update(sight.warnings)
        masks = self._granted(arrays, room, warnings)
        for place, mask in masks.items():
            needs, nullable = variants[place]
            variants[place] = ((needs, Share.of(mask, arrays[place])), nullable)
        frame = pl.DataFrame(
            [
                *as_frame(arrays).get_columns(),
                *(series.alias(str(place)) for place, series in cells.items()),
                *(pl.Series(mask_name(place), mask) for place, mask in masks.items()),
            ]
        )
        return Rows(
            texts(frame, self._row(tuple(variants)), rows),
            batch.num_rows,
            warnings,
            [each for place in masks for each in _links(frame, place, hyperlinks(place), rows)],
            [each for place in masks for each in _links(frame, place, relationships(place), rows)],
            {place: Partial.of(frame, figures) for place, figures in self._totals.items()},
        )

    def _spread(self, place: int, array: pa.Array, rows: pl.Series) -> tuple[pl.Series, Sight]:
        """The cells of a sparse column: those of its values, spread over its rows."""
        writer, values = self._writers[place], array.drop_null()
        if len(values) == 0:
            return pl.Series([None], dtype=pl.String).new_from_index(0, len(array)), Sight(True)
        values = writer.prepare(values)
        sight = writer.look(values)
        held = array.is_valid()
        expression = self._cells(place, sight.variant)
        numbers = numbered(expression, rows.filter(pl.Series(held)))
        frame = pl.Series(str(place), values).to_frame().hstack(numbers)
        return spread(frame.select(expression).to_series(), held), sight

    def _granted(
        self, arrays: Mapping[int, pa.Array], room: int, warnings: Counter[str]
    ) -> dict[int, pa.Array]:
        """Which cells are links; those without room are counted."""
        masks = {place: link_mask(arrays[place]) for place in self._links}
        kept = granted(masks, room)
        left_out = sum(map(count, masks.values())) - sum(map(count, kept.values()))
        warnings.update({"LINKS_AS_TEXT": left_out} if left_out else {})
        return kept

    def _build_row(self, variants: tuple[tuple[Hashable, bool], ...]) -> pl.Expr:
        """The row whose cells are in a variant each, nullable or not; a null has no cell."""
        parts: list[Part] = ['<row r="', row_then('">')]
        for place, (variant, nullable) in enumerate(variants):
            cell = (pl.col(str(place)),) if variant == SPREAD else self._parts(place, variant)
            parts.extend([joined(cell)] if nullable else cell)
        for place, formula in enumerate(self._formulas, len(self._writers)):
            parts.extend(formula.parts(Place(xl_col_to_name(place))))
        return joined((*parts, "</row>"), ignore_nulls=True)

    def _build_cells(self, place: int, variant: Hashable) -> pl.Expr:
        """The cells of one column in a variant."""
        return joined(self._parts(place, variant))

    def _parts(self, place: int, variant: Hashable) -> Parts:
        return self._writers[place].parts(Place(xl_col_to_name(place)), pl.col(str(place)), variant)


def _links(frame: pl.DataFrame, place: int, expression: pl.Expr, rows: pl.Series) -> Buffers:
    """The texts of `expression` for the links of a column."""
    links = pl.col(mask_name(place))
    held = frame.select(links).to_series()
    return texts(frame.filter(links), expression, rows.filter(held)) if held.any() else ()


def as_frame(arrays: Mapping[int, pa.Array]) -> pl.DataFrame:
    """Arrays as a frame with their places for names, which shares their memory where it can."""
    batch = pa.RecordBatch.from_arrays([*arrays.values()], names=[*map(str, arrays)])
    frame = pl.from_arrow(batch, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # from_arrow types a batch too widely
    return frame


def _writers(layout: Layout, shell: Shell) -> list[CellWriter]:
    """The writers of the stream's columns."""
    return [
        LinkCells(TextCells(0), TextCells(shell.styles[place]), mask_name(place))
        if place in layout.links
        else cell_writer(column.type, shell.styles[place], layout.options)
        for place, column in enumerate(layout.columns)
    ]


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
    (pa.types.is_float32, SingleCells),
    (pa.types.is_floating, FloatCells),
    (pa.types.is_date, DateCells),
    (pa.types.is_time, TimeCells),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind), TextCells),
)


def _polars_unit(kind: pa.DataType) -> str:
    """The unit that polars gives a timestamp or duration: it has no seconds."""
    return "ms" if kind.unit == "s" else str(kind.unit)

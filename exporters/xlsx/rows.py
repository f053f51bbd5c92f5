"""Record batches to rows of sheet XML, a whole block at a time.

One polars expression joins literals, row numbers and cell values into the text of each row; the
column's data buffers are the XML of the block. No row and no cell is touched by Python.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from xlsxwriter.utility import xl_col_to_name

from exporters.xlsx.cells import Sight, count
from exporters.xlsx.formulas import FormulaCells
from exporters.xlsx.layout import Layout
from exporters.xlsx.links import (
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
    RowThen,
    as_array,
    joined,
    spelled,
    texts,
)
from exporters.xlsx.row_numbers import RowNumbers
from exporters.xlsx.shell import Shell
from exporters.xlsx.sparse import Patchwork, SparseColumn, filled, pieces_of, sparse_places
from exporters.xlsx.totals import Partial, partial_of
from exporters.xlsx.writers import cell_writers

MAX_EXPRESSIONS: Final = 64
"""Row expressions that are kept: one for each combination of variants that blocks have."""

MAX_CELLS: Final = 1_024
"""Sparse columns whose cells' parts are kept, each in its variants."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one block: XML, and what is told of them elsewhere."""

    xml: Buffers
    count: int
    warnings: Mapping[str, int]
    hyperlinks: Buffers = ()
    relationships: Buffers = ()
    partials: Mapping[int, Partial] = field(default_factory=dict)


_Variant = tuple[Hashable, bool]
"""The variant of a column's cells, and whether one of them is null."""

_Variants = tuple[tuple[int, _Variant], ...]
"""Those of columns by their places."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The columns of a block by their places: whole, or the values alone of a sparse one."""

    arrays: dict[int, pa.Array] = field(default_factory=dict)
    variants: dict[int, _Variant] = field(default_factory=dict)
    sparse: dict[int, SparseColumn] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)


_ROW_BEGINS: Final = ('<row r="', RowThen('">'))
_ROW_ENDS: Final = "</row>"


class RowWriter:
    """Writes blocks of one layout; `shell` knows the styles and formulas of its columns.

    Thread safe: expressions that two threads build at once are merely built twice.
    """

    def __init__(self, layout: Layout, shell: Shell) -> None:
        self._writers = cell_writers(layout, shell)
        self._formulas: Parts = tuple(
            part
            for place in range(len(layout.columns), len(layout.headers))
            for part in FormulaCells(shell.styles[place], shell.formula(place)).parts(_place(place))
        )
        self._links = sorted(layout.links)
        self._totals = {
            place: partial_of(place, self._writers[place])
            for place in layout.totals
            if not layout.is_formula(place)
        }
        # Links and totals ask for columns with all their rows.
        self._whole = layout.links | self._totals.keys()
        self._row = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_row)
        self._run = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_run)
        self._sparse_parts = lru_cache(maxsize=MAX_CELLS)(self._build_sparse_parts)

    def write(self, batch: pa.RecordBatch, first_row: int, room: int = 0) -> Rows:
        """The XML of `batch`, whose first row is the sheet's row `first_row` (1-based).

        At most `room` cells become links.
        """
        numbers = RowNumbers.counted(first_row, batch.num_rows)
        seen = self._look(batch)
        masks = self._granted(seen, room)
        links = [pl.Series(mask_name(place), mask) for place, mask in masks.items()]
        frame = pl.DataFrame([*as_frame(seen.arrays).get_columns(), *links])
        return Rows(
            self._patched(frame, seen, numbers)
            if seen.sparse
            else texts(frame, self._row(tuple(seen.variants.items())), numbers),
            batch.num_rows,
            seen.warnings,
            _links(frame, {place: hyperlinks(place) for place in masks}, numbers),
            _links(frame, {place: relationships(place) for place in masks}, numbers),
            {place: Partial.of(frame, figures) for place, figures in self._totals.items()},
        )

    def _look(self, batch: pa.RecordBatch) -> _Seen:
        """What is to be written of a block, and how; an empty column is left out."""
        seen = _Seen()
        sparse = sparse_places(batch)
        for place, array in enumerate(batch.columns):
            if place in self._whole or not (place in sparse or array.null_count == len(array)):
                seen.arrays[place], sight = self._sight(place, array)
                seen.variants[place] = (sight.variant, sight.nullable)
            elif place in sparse:
                rows = filled(array)
                values, sight = self._sight(place, array.take(rows))
                parts = self._sparse_parts(place, sight.variant)
                seen.sparse[place] = SparseColumn(str(place), rows, values, parts)
            else:
                continue
            seen.warnings.update(sight.warnings)
        return seen

    def _sight(self, place: int, array: pa.Array) -> tuple[pa.Array, Sight]:
        """The values as they are written, and what they need."""
        values = self._writers[place].prepare(array)
        return values, self._writers[place].look(values)

    def _patched(self, frame: pl.DataFrame, seen: _Seen, numbers: RowNumbers) -> Buffers:
        """The rows of a block with sparse columns; the other ones are those of `frame`."""
        patchwork = Patchwork(numbers)
        # A row that ends the one before it has one piece less.
        patchwork.add((_ROW_ENDS + _ROW_BEGINS[0], _ROW_BEGINS[1]))
        pieces = dict(zip(seen.sparse, pieces_of(seen.sparse.values(), numbers), strict=True))
        places = sorted({*seen.variants, *seen.sparse})
        for is_sparse, run in groupby(places, seen.sparse.__contains__):
            if is_sparse:
                for place in run:
                    patchwork.add(pieces[place], seen.sparse[place].rows)
            else:
                cells = self._run(tuple((place, seen.variants[place]) for place in run))
                patchwork.add((as_array(spelled(frame, cells, numbers)),))
        if self._formulas:
            patchwork.add((as_array(spelled(frame, joined(self._formulas), numbers)),))
        return [patchwork.xml().slice(len(_ROW_ENDS)), pa.py_buffer(_ROW_ENDS.encode())]

    def _granted(self, seen: _Seen, room: int) -> dict[int, pa.Array]:
        """Which cells are links, and the variants of their columns; those without room count."""
        masks = {place: link_mask(seen.arrays[place]) for place in self._links}
        kept = granted(masks, room)
        left_out = sum(map(count, masks.values())) - sum(map(count, kept.values()))
        seen.warnings.update({"LINKS_AS_TEXT": left_out} if left_out else {})
        for place, mask in kept.items():
            needs, nullable = seen.variants[place]
            seen.variants[place] = ((needs, Share.of(mask, seen.arrays[place])), nullable)
        return kept

    def _build_row(self, variants: _Variants) -> pl.Expr:
        """The row whose cells are in a variant each, nullable or not; a null has no cell."""
        cells = self._cells(variants)
        return joined((*_ROW_BEGINS, *cells, *self._formulas, _ROW_ENDS), ignore_nulls=True)

    def _build_run(self, variants: _Variants) -> pl.Expr:
        """Neighbouring cells of a row."""
        return joined(self._cells(variants), ignore_nulls=True)

    def _cells(self, variants: _Variants) -> Parts:
        parts: list[Part] = []
        for place, (variant, nullable) in variants:
            cell = self._writers[place].parts(_place(place), pl.col(str(place)), variant)
            parts.extend([joined(cell)] if nullable else cell)
        return tuple(parts)

    def _build_sparse_parts(self, place: int, variant: Hashable) -> Parts:
        """The parts of a sparse column's cells, none of which is null."""
        column = pl.col(str(place))
        return self._writers[place].parts(_place(place, sparse=True), column, variant)


def _place(place: int, *, sparse: bool = False) -> Place:
    return Place(xl_col_to_name(place), sparse)


def _links(frame: pl.DataFrame, expressions: Mapping[int, pl.Expr], numbers: RowNumbers) -> Buffers:
    """The texts of the expressions for the links of each column."""
    buffers: list[pa.Buffer] = []
    for place, expression in expressions.items():
        links = pl.col(mask_name(place))
        rows = np.flatnonzero(frame.select(links).to_series().to_numpy())
        if len(rows):
            buffers.extend(texts(frame.filter(links), expression, numbers.of(rows)))
    return buffers


def as_frame(arrays: Mapping[int, pa.Array]) -> pl.DataFrame:
    """Arrays as a frame with their places for names, which shares their memory where it can."""
    batch = pa.RecordBatch.from_arrays([*arrays.values()], names=[*map(str, arrays)])
    frame = pl.from_arrow(batch, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # from_arrow types a batch too widely
    return frame

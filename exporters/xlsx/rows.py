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

from exporters.xlsx.cells import count
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
from exporters.xlsx.sparse import Patchwork, SparseColumn, filled, is_sparse, pieces_of
from exporters.xlsx.totals import Partial, partial_of
from exporters.xlsx.writers import cell_writers

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


_Variants = Mapping[int, tuple[Hashable, bool]]
"""By the places of columns: the variant of their cells, and whether any is null."""

_Items = tuple[tuple[int, tuple[Hashable, bool]], ...]
"""The same as a key of what is kept."""

_ROW_BEGINS: Final = ('<row r="', RowThen('">'))
_ROW_ENDS: Final = "</row>"


class RowWriter:
    """Writes blocks of one layout; `shell` knows the styles and formulas of its columns.

    Thread safe: expressions that two threads build at once are merely built twice.
    """

    def __init__(self, layout: Layout, shell: Shell) -> None:
        self._writers = cell_writers(layout, shell)
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
        self._run = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_run)
        self._sparse_parts = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_sparse_parts)

    def write(self, batch: pa.RecordBatch, first_row: int, room: int = 0) -> Rows:
        """The XML of `batch`, whose first row is the sheet's row `first_row` (1-based).

        At most `room` cells become links.
        """
        numbers = RowNumbers.counted(first_row, batch.num_rows)
        warnings: Counter[str] = Counter()
        arrays: dict[int, pa.Array] = {}
        variants: dict[int, tuple[Hashable, bool]] = {}
        sparse: dict[int, SparseColumn] = {}
        for place, array in enumerate(batch.columns):
            writer = self._writers[place]
            if place in self._dense or not is_sparse(array):
                arrays[place] = writer.prepare(array)
                sight = writer.look(arrays[place])
                variants[place] = (sight.variant, sight.nullable)
                warnings.update(sight.warnings)
            elif array.null_count < len(array):
                rows = filled(array)
                values = writer.prepare(array.take(rows))
                sight = writer.look(values)
                parts = self._sparse_parts(place, sight.variant)
                sparse[place] = SparseColumn(str(place), rows, values, parts)
                warnings.update(sight.warnings)
        masks = self._granted(arrays, room, warnings)
        for place, mask in masks.items():
            needs, nullable = variants[place]
            variants[place] = ((needs, Share.of(mask, arrays[place])), nullable)
        links = [pl.Series(mask_name(place), mask) for place, mask in masks.items()]
        frame = pl.DataFrame([*as_frame(arrays).get_columns(), *links])
        return Rows(
            self._patched(frame, variants, sparse, numbers)
            if sparse
            else texts(frame, self._row(tuple(variants.items())), numbers),
            batch.num_rows,
            warnings,
            [each for place in masks for each in _links(frame, place, hyperlinks(place), numbers)],
            [
                each
                for place in masks
                for each in _links(frame, place, relationships(place), numbers)
            ],
            {place: Partial.of(frame, figures) for place, figures in self._totals.items()},
        )

    def _patched(
        self,
        frame: pl.DataFrame,
        variants: _Variants,
        sparse: Mapping[int, SparseColumn],
        numbers: RowNumbers,
    ) -> Buffers:
        """The rows of a block with sparse columns; others are those of `frame`."""
        patchwork = Patchwork(numbers)
        # A row that ends the one before it is one piece less.
        patchwork.add((_ROW_ENDS + _ROW_BEGINS[0], _ROW_BEGINS[1]))
        pieces = dict(zip(sparse, pieces_of(sparse.values(), numbers), strict=True))
        for is_apart, places in groupby(sorted({*variants, *sparse}), sparse.__contains__):
            if is_apart:
                for place in places:
                    patchwork.add(pieces[place], sparse[place].rows)
            else:
                run = self._run(tuple((place, variants[place]) for place in places))
                patchwork.add((as_array(spelled(frame, run, numbers)),))
        if self._formulas:
            patchwork.add((as_array(spelled(frame, joined(self._formula_parts()), numbers)),))
        return [patchwork.xml().slice(len(_ROW_ENDS)), pa.py_buffer(_ROW_ENDS.encode())]

    def _granted(
        self, arrays: Mapping[int, pa.Array], room: int, warnings: Counter[str]
    ) -> dict[int, pa.Array]:
        """Which cells are links; those without room are counted."""
        masks = {place: link_mask(arrays[place]) for place in self._links}
        kept = granted(masks, room)
        left_out = sum(map(count, masks.values())) - sum(map(count, kept.values()))
        warnings.update({"LINKS_AS_TEXT": left_out} if left_out else {})
        return kept

    def _build_row(self, variants: _Items) -> pl.Expr:
        """The row whose cells are in a variant each, nullable or not; a null has no cell."""
        cells = self._cells(variants)
        return joined((*_ROW_BEGINS, *cells, *self._formula_parts(), _ROW_ENDS), ignore_nulls=True)

    def _build_run(self, variants: _Items) -> pl.Expr:
        """Neighbouring cells of a row."""
        return joined(self._cells(variants), ignore_nulls=True)

    def _cells(self, variants: _Items) -> Parts:
        parts: list[Part] = []
        for place, (variant, nullable) in variants:
            cell = self._writers[place].parts(_place(place), pl.col(str(place)), variant)
            parts.extend([joined(cell)] if nullable else cell)
        return tuple(parts)

    def _formula_parts(self) -> Parts:
        formulas = enumerate(self._formulas, len(self._writers))
        return tuple(part for place, each in formulas for part in each.parts(_place(place)))

    def _build_sparse_parts(self, place: int, variant: Hashable) -> Parts:
        """The parts of a sparse column's cells, none of which is null."""
        column = pl.col(str(place))
        return self._writers[place].parts(_place(place, sparse=True), column, variant)


def _place(place: int, *, sparse: bool = False) -> Place:
    return Place(xl_col_to_name(place), sparse)


def _links(
    frame: pl.DataFrame, place: int, expression: pl.Expr, numbers: RowNumbers
) -> Buffers:
    """The texts of `expression` for the links of a column."""
    links = pl.col(mask_name(place))
    rows = np.flatnonzero(frame.select(links).to_series().to_numpy())
    return texts(frame.filter(links), expression, numbers.of(rows)) if len(rows) else ()


def as_frame(arrays: Mapping[int, pa.Array]) -> pl.DataFrame:
    """Arrays as a frame with their places for names, which shares their memory where it can."""
    batch = pa.RecordBatch.from_arrays([*arrays.values()], names=[*map(str, arrays)])
    frame = pl.from_arrow(batch, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # from_arrow types a batch too widely
    return frame

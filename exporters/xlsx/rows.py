"""Record batches to rows of sheet XML, a whole block at a time.

One polars expression joins literals, row numbers and cell values into the text of each row; the
column's data buffers are the XML of the block. No row and no cell is touched by Python.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
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
    SingleCells,
    count,
)
from exporters.xlsx.formulas import FormulaCells
from exporters.xlsx.layout import Layout
from exporters.xlsx.links import (
    LinkCells,
    granted,
    hyperlinks,
    link_mask,
    mask_name,
    relationships,
)
from exporters.xlsx.markup import Part, Place, joined, numbered, row_then
from exporters.xlsx.options import XlsxOptions
from exporters.xlsx.shell import Shell
from exporters.xlsx.temporal import DateCells, DurationCells, TimeCells, TimestampCells
from exporters.xlsx.texts import TextCells
from exporters.xlsx.totals import Partial, partial_of

MAX_EXPRESSIONS: Final = 64
"""Row expressions that are kept: one for each combination of variants that blocks have."""

Buffers = Sequence[pa.Buffer]


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
        self._row = lru_cache(maxsize=MAX_EXPRESSIONS)(self._build_row)

    def write(self, batch: pa.RecordBatch, first_row: int, room: int = 0) -> Rows:
        """The XML of `batch`, whose first row is the sheet's row `first_row` (1-based).

        At most `room` cells become links.
        """
        arrays = [
            writer.prepare(array)
            for writer, array in zip(self._writers, batch.columns, strict=True)
        ]
        sights = [writer.look(array) for writer, array in zip(self._writers, arrays, strict=True)]
        frame = as_frame(arrays)
        warnings: Counter[str] = Counter()
        for sight in sights:
            warnings.update(sight.warnings)
        links = self._granted(arrays, room, warnings)
        if links:
            frame = frame.hstack([pl.Series(mask_name(at), mask) for at, mask in links.items()])
        row = self._row(tuple((sight.variant, sight.nullable) for sight in sights))
        return Rows(
            _texts(frame, row, first_row),
            batch.num_rows,
            warnings,
            [each for at in links for each in _links(frame, at, hyperlinks(at), first_row)],
            [each for at in links for each in _links(frame, at, relationships(at), first_row)],
            {at: Partial.of(frame, expression) for at, expression in self._totals.items()},
        )

    def _granted(
        self, arrays: Sequence[pa.Array], room: int, warnings: Counter[str]
    ) -> dict[int, pa.Array]:
        """Which cells are links; those without room are counted."""
        masks = {place: link_mask(arrays[place]) for place in self._links}
        kept = granted(masks, room)
        left_out = sum(map(count, masks.values())) - sum(map(count, kept.values()))
        warnings.update({"LINKS_AS_TEXT": left_out} if left_out else {})
        return kept

    def _build_row(self, variants: tuple[tuple[Hashable, bool], ...]) -> pl.Expr:
        """The row whose cells are in a variant each, nullable or not."""
        parts: list[Part] = ['<row r="', row_then('">')]
        for place, (variant, nullable) in enumerate(variants):
            where = Place(xl_col_to_name(place))
            cell = self._writers[place].parts(where, pl.col(str(place)), variant)
            parts.extend([joined(cell).fill_null("")] if nullable else cell)
        for place, formula in enumerate(self._formulas, len(self._writers)):
            parts.extend(formula.parts(Place(xl_col_to_name(place))))
        return joined((*parts, "</row>"))


def _texts(frame: pl.DataFrame, expression: pl.Expr, first_row: int) -> Buffers:
    """The texts of `expression`, one after another."""
    numbers = numbered(expression, first_row, frame.height)
    return _data_buffers(frame.hstack(numbers).select(expression).to_series())


def _links(frame: pl.DataFrame, place: int, expression: pl.Expr, first_row: int) -> Buffers:
    """The texts of `expression` for the links of a column."""
    numbers = numbered(expression, first_row, frame.height)
    links = frame.hstack(numbers).filter(pl.col(mask_name(place)))
    return _data_buffers(links.select(expression).to_series()) if links.height else ()


def as_frame(arrays: Sequence[pa.Array]) -> pl.DataFrame:
    """Arrays as a frame with columns `0`, `1`, …, which shares their memory where it can."""
    names = [str(place) for place in range(len(arrays))]
    batch = pa.RecordBatch.from_arrays(arrays, names=names)
    frame = pl.from_arrow(batch, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # from_arrow types a batch too widely
    return frame


def _writers(layout: Layout, shell: Shell) -> list[CellWriter]:
    """The writers of the stream's columns."""
    return [
        LinkCells(TextCells(0), shell.styles[place], mask_name(place))
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


def _data_buffers(xml: pl.Series) -> list[pa.Buffer]:
    """The texts of `xml`, one after another.

    polars appends the texts of a new column to data buffers in row order, so that the buffers
    are the XML already. Where they hold more or less than the texts, the texts are copied together.
    """
    buffers = xml.to_arrow(compat_level=pl.CompatLevel.newest()).buffers()[2:]
    if sum(buffer.size for buffer in buffers) == xml.str.len_bytes().sum():
        return list(buffers)
    return [xml.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]]

"""One workbook from its first part to its last: the shell's parts around sheets of rows."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from exporters.base import ByteSink
from exporters.packing.archive import Archive
from exporters.packing.deflate import Deflated
from exporters.xlsx.deflate import EFFORTS, deflate
from exporters.xlsx.layout import Layout
from exporters.xlsx.rows import RowWriter
from exporters.xlsx.shell import (
    PREFACE,
    RELATIONSHIPS_PART,
    SHEET_PART,
    Outline,
    SheetFrame,
    Shell,
    after_rows,
)
from exporters.xlsx.totals import Partial
from exporters.xlsx.widths import estimated_widths

SAMPLE_ROWS = 1_000
"""Rows of the first block by whose values the column widths are estimated."""

TOO_LARGE = "the workbook is over 4 GiB, more than Excel reads; export fewer rows"

_MARGINS = b"<pageMargins "
"""The element of every sheet before which `<hyperlinks>` has its place (CT_Worksheet)."""

_NO_RELATIONSHIPS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Relationships '
    b'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
)
_RELATIONSHIPS_END = b"</Relationships>"


@dataclass(frozen=True, slots=True)
class Piece:
    """Where rows go: the sheet (0-based), their first row (1-based), how many links it takes."""

    sheet: int
    name: str
    first_row: int
    room: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one sheet, ready for the archive."""

    piece: Piece
    rows: int
    deflated: Deflated
    warnings: Mapping[str, int]
    hyperlinks: Deflated | None
    relationships: Deflated | None
    partials: Mapping[int, Partial]


@dataclass(slots=True)
class _Sheet:
    """The sheet being written; its links are kept compressed until its rows have ended."""

    name: str
    rows: int = 0
    hyperlinks: list[Deflated] = field(default_factory=list)
    relationships: list[Deflated] = field(default_factory=list)
    totals: defaultdict[int, Partial] = field(default_factory=lambda: defaultdict(Partial))


class Workbook:
    """A workbook being written to `sink`; `first` holds its first rows, or none if it has none.

    `format` may run in any thread; everything else in one, with the blocks in order.
    """

    def __init__(
        self, sink: ByteSink, layout: Layout, name: str, first: pa.RecordBatch | None
    ) -> None:
        self._layout = layout
        self._compression = layout.options.compression
        self._package = Archive(sink, EFFORTS[self._compression], TOO_LARGE)
        sample = None if first is None else first.slice(0, SAMPLE_ROWS)
        self._shell = Shell(layout, estimated_widths(layout, sample), name)
        self._row_writer = RowWriter(layout, self._shell)
        self._ended: list[Outline] = []
        self._apart: set[str] = set()
        self._sheet = _Sheet(name)
        parts = self._shell.parts([Outline(name)])
        for part in PREFACE:
            self._package.add(part, parts[part])
        self._begin_sheet()

    def format(self, batch: pa.RecordBatch, piece: Piece) -> Block:
        """The block of canonical rows that go to `piece`."""
        rows = self._row_writer.write(batch, piece.first_row, piece.room)
        return Block(
            piece,
            rows.count,
            deflate(rows.xml, self._compression),
            rows.warnings,
            deflate(rows.hyperlinks, self._compression) if rows.hyperlinks else None,
            deflate(rows.relationships, self._compression) if rows.relationships else None,
            rows.partials,
        )

    def write(self, block: Block) -> None:
        """Add a block to its sheet, which is the last one's or the next."""
        if block.piece.sheet > len(self._ended):
            self._end_sheet()
            self._sheet = _Sheet(block.piece.name)
            self._begin_sheet()
        self._package.write(block.deflated)
        sheet = self._sheet
        sheet.rows += block.rows
        if block.hyperlinks is not None and block.relationships is not None:
            sheet.hyperlinks.append(block.hyperlinks)
            sheet.relationships.append(block.relationships)
        for place, partial in block.partials.items():
            sheet.totals[place] += partial

    def close(self) -> None:
        """Write what stands after the rows; the file is complete."""
        self._end_sheet()
        for name, part in after_rows(self._shell.parts(self._ended)):
            if name not in self._apart:
                self._package.add(name, part)
        self._package.close()

    def _begin_sheet(self) -> None:
        index = len(self._ended)
        self._package.begin(SHEET_PART.format(index + 1))
        self._write(self._shell.sheet(index, Outline(self._sheet.name)).head)

    def _end_sheet(self) -> None:
        outline = Outline(self._sheet.name, self._sheet.rows, self._totals())
        frame = self._shell.sheet(len(self._ended), outline)
        self._ended.append(outline)
        if not self._sheet.hyperlinks:
            self._write(frame.tail)
            self._package.end()
            return
        self._end_with_links(frame)

    def _end_with_links(self, frame: SheetFrame) -> None:
        before, margins, after = frame.tail.partition(_MARGINS)
        self._write(before + b"<hyperlinks>")
        for links in self._sheet.hyperlinks:
            self._package.write(links)
        self._write(b"</hyperlinks>" + margins + after)
        self._package.end()
        part = RELATIONSHIPS_PART.format(len(self._ended))
        self._apart.add(part)
        relationships = frame.relationships or _NO_RELATIONSHIPS
        self._package.begin(part)
        self._write(relationships.removesuffix(_RELATIONSHIPS_END))
        for links in self._sheet.relationships:
            self._package.write(links)
        self._write(_RELATIONSHIPS_END)
        self._package.end()

    def _totals(self) -> tuple[float | None, ...]:
        """The totals of the sheet's columns by place; none where there are no totals."""
        functions = self._layout.totals
        if not functions:
            return ()
        formulas = {place for place in functions if self._layout.is_formula(place)}
        return tuple(
            self._sheet.totals[place].total(functions[place])
            if place in functions and place not in formulas
            else None
            for place in range(len(self._layout.headers))
        )

    def _write(self, xml: bytes) -> None:
        self._package.write(deflate([xml], self._compression))

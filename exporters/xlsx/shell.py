"""Everything of a workbook but its data rows, built by XlsxWriter's public interface.

XlsxWriter writes a small workbook in memory: header, formats, widths, panes, and all that is asked
around the rows (`dressing.py`). Its sheet XML is split after the header row; the data rows are
streamed between the two halves. A sample row of blank cells, one for each column, shows which style
index each column has, so that no private name of XlsxWriter is touched.

What stands before the rows must not depend on how many there are (they are not known yet); what
depends on it, such as the range of a table, stands after them or in other parts, and is taken from
a shell built when the number is known.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from exporters.xlsx import dressing
from exporters.xlsx.features import given
from exporters.xlsx.formulas import ROW_MARK, formula_text, spelled
from exporters.xlsx.layout import Layout
from exporters.xlsx.looks import Looks

SHEET_PART: Final = "xl/worksheets/sheet{}.xml"
RELATIONSHIPS_PART: Final = "xl/worksheets/_rels/sheet{}.xml.rels"
TABLE_PART: Final = "xl/tables/table{}.xml"
"""Every sheet has a table, or none has."""

_CREATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The document's date: fixed, so that the same data makes the same bytes."""

_DIMENSION: Final = re.compile(rb"<dimension [^>]*/>")
_SAMPLE: Final = re.compile(r'<c r="([A-Z]+)\d+" s="(\d+)"/>')
_TABLE: Final = re.compile(rb"tables/table\d+\.xml")
_TABLE_NAME: Final = re.compile(rb"(?<=<f>SUBTOTAL\(...,)Table\d+(?=\[)")
_ROW_NUMBER: Final = re.compile(rb'( r="[A-Z]*)(\d+)')
_DATA_BAR: Final = re.compile(rb"(?<=\{DA7ABA51-AAAA-)BBBB-[0-9A-F]{4}(?=-)")
"""The number of the sheet in what XlsxWriter calls a data bar."""

_ROW_END: Final = b"</row>"


@dataclass(frozen=True, slots=True)
class Outline:
    """A sheet as it is known at its end."""

    name: str
    rows: int = 0
    totals: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetFrame:
    """A sheet's XML before and after its data rows, and the part that says what it refers to."""

    head: bytes
    tail: bytes
    relationships: bytes | None


class Shell:
    """Builds the parts of one workbook's shell.

    `widths` are in characters, None for Excel's default; `name` is that of the first sheet.
    """

    def __init__(self, layout: Layout, widths: Sequence[float | None], name: str) -> None:
        self._layout = layout
        self._widths = widths
        self._first = Outline(name)
        # A workbook of one sheet is built twice: before its rows, and after them.
        self._build = lru_cache(maxsize=2)(self._build_parts)
        self.styles, self.day_styles = self._find_styles()
        marked = [formula_text(segments, ROW_MARK) for segments in layout.segments]
        self._formulas = spelled(marked) if marked else []

    def formula(self, place: int) -> tuple[str, ...]:
        """The XML of a column's formula, parted where the number of the row stands."""
        return tuple(self._formulas[place - len(self._layout.columns)].split(ROW_MARK))

    def sheet(self, index: int, outline: Outline) -> SheetFrame:
        """The frame of sheet `index` (0-based).

        All sheets after the first are alike but for their rows: only the first is selected.
        """
        number = min(index, 1) + 1
        parts = self._build((outline,) if index == 0 else (self._first, outline))
        sheet = _DIMENSION.sub(b"", parts[SHEET_PART.format(number)], count=1)
        tail = self._moved(sheet[self._rows_end(sheet) :], outline)
        relationships = parts.get(RELATIONSHIPS_PART.format(number))
        return _numbered(
            SheetFrame(sheet[: self._rows_begin(sheet)], tail, relationships), index + 1
        )

    def parts(self, outlines: Sequence[Outline]) -> dict[str, bytes]:
        """Every part but the sheets."""
        sheets = {SHEET_PART.format(number + 1) for number in range(len(outlines))}
        parts = self._build(tuple(outlines))
        return {name: part for name, part in parts.items() if name not in sheets}

    def _moved(self, tail: bytes, outline: Outline) -> bytes:
        """The row of totals, which stands below the first data row, below the last."""
        totals, end, rest = tail.partition(b"</sheetData>")
        shift = self._layout.last_row(outline.rows) - self._layout.first_row
        moved = _ROW_NUMBER.sub(lambda found: found[1] + b"%d" % (int(found[2]) + shift), totals)
        return moved + end + rest

    def _find_styles(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The style index of each column's cells; 0, the default, needs no mention in a cell.

        And that of the days among them, which have their samples behind the last column; on a sheet
        without room for them they look like the others.
        """
        sheet = self._build((self._first,))[SHEET_PART.format(1)]
        sample = sheet[self._rows_begin(sheet) : self._rows_end(sheet)].decode()
        found = {letters: int(style) for letters, style in _SAMPLE.findall(sample)}
        count = len(self._layout.headers)
        styles = tuple(found.get(xl_col_to_name(place), 0) for place in range(count))
        days = (found.get(xl_col_to_name(count + place)) for place in range(count))
        return styles, tuple(
            style if day is None else day for style, day in zip(styles, days, strict=True)
        )

    def _rows_begin(self, sheet: bytes) -> int:
        """Where the header's row ends."""
        header = sheet.index(b'<row r="%d"' % self._layout.options.start_row)
        return sheet.index(_ROW_END, header) + len(_ROW_END)

    def _rows_end(self, sheet: bytes) -> int:
        """Where the row of totals stands, or else where the rows end."""
        totals = sheet.find(b'<row r="%d"' % (self._layout.first_row + 1))
        return totals if totals >= 0 else sheet.index(b"</sheetData>")

    def _build_parts(self, outlines: tuple[Outline, ...]) -> Mapping[str, bytes]:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
            workbook.set_properties({**given(self._layout.options.properties), "created": _CREATED})
            if self._layout.options.protection != "none":
                workbook.read_only_recommended()
            looks = Looks(workbook, self._layout)
            for number, outline in enumerate(outlines, 1):
                self._fill(workbook.add_worksheet(outline.name), outline, looks, number)
        with zipfile.ZipFile(buffer) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        for number, outline in enumerate(outlines, 1):
            table = TABLE_PART.format(number)
            if table in parts:
                parts[table] = dressing.stretched(parts[table], self._layout, outline.rows)
        return parts

    def _fill(self, sheet: Any, outline: Outline, looks: Looks, number: int) -> None:
        layout, options, rows = self._layout, self._layout.options, outline.rows
        self._write_columns(sheet, looks)
        if options.title is not None:
            sheet.write_string(0, 0, options.title, looks.title())
        rows_in_view = options.start_row if options.freeze_header else 0
        if rows_in_view or options.freeze_columns:
            sheet.freeze_panes(rows_in_view, options.freeze_columns)
        if options.table_style is not None:
            dressing.add_table(sheet, layout, looks, number)
        if layout.totals:
            dressing.add_totals(
                sheet, layout, looks, dressing.areas(layout, rows, number), outline.totals
            )
        if options.autofilter and options.table_style is None:
            last = layout.last_row(rows) - 1
            sheet.autofilter(options.start_row - 1, 0, last, len(layout.headers) - 1)
        dressing.add_conditional_formats(sheet, layout, looks, rows)
        dressing.add_validations(sheet, layout, rows)
        dressing.set_up_pages(sheet, layout)
        dressing.protect(sheet, layout)

    def _write_columns(self, sheet: Any, looks: Looks) -> None:
        """Widths, the header and the sample row."""
        top = self._layout.options.start_row - 1
        for place, (name, width) in enumerate(zip(self._layout.headers, self._widths, strict=True)):
            hidden = {"hidden": True} if place in self._layout.hidden else {}
            if width is not None or hidden:
                sheet.set_column(place, place, width, None, hidden)
            sheet.write_string(top, place, name, looks.header(place))
            # XlsxWriter leaves out a blank cell without a format: such a column has style 0.
            sheet.write_blank(top + 1, place, None, looks.cell(place))
            if not self._layout.is_formula(place) and (day := looks.day(place)) is not None:
                sheet.write_blank(top + 1, len(self._layout.headers) + place, None, day)


def _numbered(frame: SheetFrame, number: int) -> SheetFrame:
    """The frame with the names that XlsxWriter makes of a sheet's number (1-based)."""
    tail = _TABLE_NAME.sub(b"Table%d" % number, frame.tail)
    tail = _DATA_BAR.sub(b"BBBB-%04X" % number, tail)
    if frame.relationships is None:
        return SheetFrame(frame.head, tail, None)
    table = b"tables/table%d.xml" % number
    return SheetFrame(frame.head, tail, _TABLE.sub(table, frame.relationships))


PREFACE: Final = ("_rels/.rels", "docProps/core.xml", "xl/theme/theme1.xml")
"""Parts that do not depend on the rows and stand first: by them `file` knows an Excel workbook."""


def after_rows(parts: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """The parts that stand after the sheets, in XlsxWriter's order."""
    return [(name, part) for name, part in parts.items() if name not in PREFACE]

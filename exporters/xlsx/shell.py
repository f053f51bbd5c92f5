"""Everything of a workbook but its data rows, built by XlsxWriter's public interface.

XlsxWriter writes a small workbook in memory: header, formats, widths, panes, and all that is asked
around the rows (`dressing.py`). Its sheet XML is split after the header row; the data rows are
streamed between the two halves. A sample row of blank cells and formulas, one for each column,
shows which style index each column has and how its formula is spelled, so that no private name of
XlsxWriter is touched.

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
from exporters.xlsx.layout import Layout, Segments
from exporters.xlsx.looks import Looks

SHEET_PART: Final = "xl/worksheets/sheet{}.xml"
RELATIONSHIPS_PART: Final = "xl/worksheets/_rels/sheet{}.xml.rels"

_CREATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The document's date: fixed, so that the same data makes the same bytes."""

_DIMENSION: Final = re.compile(rb"<dimension [^>]*/>")
_SAMPLE: Final = re.compile(r'<c r="([A-Z]+)\d+"(?: s="(\d+)")?(?:/>|><f>(.*?)</f>)')
_TABLE_PART: Final = re.compile(rb"tables/table\d+\.xml")
_TABLE_NAME: Final = re.compile(rb"(?<=<f>SUBTOTAL\(...,)Table\d+(?=\[)")
_DATA_BAR: Final = re.compile(rb"(?<=\{DA7ABA51-AAAA-BBBB-)[0-9A-F]{4}(?=-0)")

ROW_MARK: Final = "\ue000"
"""Stands for the row number in a sample formula: a character of private use."""


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
    """Builds the parts of one workbook's shell; `widths` are in characters, None for default."""

    def __init__(self, layout: Layout, widths: Sequence[float | None]) -> None:
        self._layout = layout
        self._widths = widths
        self._frame = lru_cache(maxsize=8)(self._build_frame)
        self._samples = self._find_samples()
        self.styles = tuple(style for style, _formula in self._samples)

    def formula(self, place: int) -> tuple[str, ...]:
        """The XML of a column's formula, parted where the number of the row stands."""
        return tuple(self._samples[place][1].split(ROW_MARK))

    def sheet(self, index: int, outline: Outline) -> SheetFrame:
        """The frame of sheet `index` (0-based).

        All sheets after the first are alike but for their rows: only the first is selected.
        """
        frame = self._frame(min(index, 1), outline.rows, outline.totals)
        return frame if index <= 1 else _numbered(frame, index + 1)

    def parts(self, outlines: Sequence[Outline]) -> dict[str, bytes]:
        """Every part but the sheets."""
        sheets = {SHEET_PART.format(number + 1) for number in range(len(outlines))}
        return {name: part for name, part in self._build(outlines).items() if name not in sheets}

    def _find_samples(self) -> tuple[tuple[int, str], ...]:
        """Of each column the style index (0, the default, needs no mention) and the formula."""
        sheet = self._build([_ANY])[SHEET_PART.format(1)]
        begin = self._rows_begin(sheet)
        sample = sheet[begin : self._rows_end(sheet, 0)].decode()
        found = {
            letters: (int(style or 0), formula)
            for letters, style, formula in _SAMPLE.findall(sample)
        }
        places = range(len(self._layout.headers))
        return tuple(found.get(xl_col_to_name(place), (0, "")) for place in places)

    def _rows_begin(self, sheet: bytes) -> int:
        """Where the sample row stands, or would stand if no column had a style."""
        sample = sheet.find(b'<row r="%d"' % self._layout.first_row)
        return sample if sample >= 0 else self._rows_end(sheet, 0)

    def _rows_end(self, sheet: bytes, rows: int) -> int:
        """Where the row of totals stands, or else where the rows end."""
        totals = sheet.find(b'<row r="%d"' % (self._layout.last_row(rows) + 1))
        return totals if totals >= 0 else sheet.index(b"</sheetData>")

    def _build_frame(self, index: int, rows: int, totals: tuple[float | None, ...]) -> SheetFrame:
        outline = Outline(_ANY.name, rows, totals)
        parts = self._build([*[_ANY] * index, outline])
        sheet = _DIMENSION.sub(b"", parts[SHEET_PART.format(index + 1)], count=1)
        return SheetFrame(
            sheet[: self._rows_begin(sheet)],
            sheet[self._rows_end(sheet, rows) :],
            parts.get(RELATIONSHIPS_PART.format(index + 1)),
        )

    def _build(self, outlines: Sequence[Outline]) -> dict[str, bytes]:
        buffer = io.BytesIO()
        options = {"in_memory": True, "use_future_functions": True}
        with xlsxwriter.Workbook(buffer, options) as workbook:
            workbook.set_properties({**given(self._layout.options.properties), "created": _CREATED})
            if self._layout.options.protection != "none":
                workbook.read_only_recommended()
            looks = Looks(workbook, self._layout)
            for number, outline in enumerate(outlines, 1):
                name = None if outline is _ANY else outline.name
                sheet = workbook.add_worksheet(name or f"{_ANY.name}{number}")
                self._fill(sheet, outline, looks, number)
        with zipfile.ZipFile(buffer) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def _fill(self, sheet: Any, outline: Outline, looks: Looks, number: int) -> None:
        layout, options, rows = self._layout, self._layout.options, outline.rows
        self._write_columns(sheet, looks)
        if options.title is not None:
            sheet.write_string(0, 0, options.title, looks.title())
        rows_in_view = options.start_row if options.freeze_header else 0
        if rows_in_view or options.freeze_columns:
            sheet.freeze_panes(rows_in_view, options.freeze_columns)
        if options.table_style is not None:
            dressing.add_table(sheet, layout, looks, rows, outline.totals, number)
        elif layout.totals:
            dressing.add_totals(sheet, layout, looks, rows, outline.totals)
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
            if self._layout.is_formula(place):
                segments = self._layout.segments[place - len(self._layout.columns)]
                sheet.write_formula(top + 1, place, _marked(segments), looks.cell(place), "")
            else:
                # XlsxWriter leaves out a blank cell without a format: such a column has style 0.
                sheet.write_blank(top + 1, place, None, looks.cell(place))


def _numbered(frame: SheetFrame, number: int) -> SheetFrame:
    """The frame with the names that XlsxWriter makes of a sheet's number (1-based)."""
    tail = _TABLE_NAME.sub(b"Table%d" % number, frame.tail)
    tail = _DATA_BAR.sub(b"%04X" % number, tail)
    if frame.relationships is None:
        return SheetFrame(frame.head, tail, None)
    table = b"tables/table%d.xml" % number
    return SheetFrame(frame.head, tail, _TABLE_PART.sub(table, frame.relationships))


_ANY: Final = Outline("sheet")
"""A sheet whose name and rows do not matter."""


def _marked(segments: Segments) -> str:
    """A formula in which a mark stands for the number of the row."""
    parts = (
        literal + ("" if place is None else f"{xl_col_to_name(place)}{ROW_MARK}")
        for literal, place in segments
    )
    return "=" + "".join(parts)


PREFACE: Final = ("_rels/.rels", "docProps/core.xml", "xl/theme/theme1.xml")
"""Parts that do not depend on the rows and stand first: by them `file` knows an Excel workbook."""


def after_rows(parts: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """The parts that stand after the sheets, in XlsxWriter's order."""
    return [(name, part) for name, part in parts.items() if name not in PREFACE]

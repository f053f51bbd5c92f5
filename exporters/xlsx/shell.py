"""Everything of a workbook but its data rows, built by XlsxWriter's public interface.

XlsxWriter writes a small workbook in memory: header, formats, widths, panes, filter. Its sheet XML
is split after the header row; the data rows are streamed between the two halves. A sample row of
blank cells, one for each column's format, shows which style index each column has, so that no
private name of XlsxWriter is touched.

What stands before the rows must not depend on how many there are (they are not known yet); what
depends on it, such as the filter's range, stands after them or in other parts, and is taken from a
shell built when the number is known.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from exporters.columns import Column
from exporters.number_formats import written_format
from exporters.options import SHEET_NAME_UNITS, XlsxOptions

SHEET_PART: Final = "xl/worksheets/sheet{}.xml"

_CREATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The document's date: fixed, so that the same data makes the same bytes."""

_DIMENSION: Final = re.compile(rb"<dimension [^>]*/>")
_STYLE: Final = re.compile(rb'<c r="([A-Z]+)\d+" s="(\d+)"/>')

GENERAL: Final = "General"

_TIME_FORMAT: Final = "hh:mm:ss"
_DURATION_FORMAT: Final = "[h]:mm:ss"


@dataclass(frozen=True, slots=True)
class SheetFrame:
    """A sheet's XML before and after its data rows."""

    head: bytes
    tail: bytes


class Shell:
    """Builds the parts of one workbook's shell; `widths` are in characters, None for default."""

    def __init__(
        self, columns: Sequence[Column], options: XlsxOptions, widths: Sequence[float | None]
    ) -> None:
        self._columns = columns
        self._options = options
        self._widths = widths
        self._frame = lru_cache(maxsize=8)(self._build_frame)
        self.styles = self._styles()

    def sheet(self, index: int, rows: int) -> SheetFrame:
        """The frame of sheet `index` (0-based) with `rows` data rows.

        All sheets after the first are alike: only the first is the selected one.
        """
        return self._frame(min(index, 1), rows)

    def parts(self, rows: Sequence[int]) -> dict[str, bytes]:
        """Every part but the sheets, for sheets of so many data rows."""
        sheets = {SHEET_PART.format(number + 1) for number in range(len(rows))}
        return {name: part for name, part in self._build(rows).items() if name not in sheets}

    def _styles(self) -> tuple[int, ...]:
        """The style index of each column's cells; 0, the default, needs no mention in a cell."""
        sheet = self._build([0])[SHEET_PART.format(1)]
        sample = sheet[self._rows_begin(sheet) :]
        found = {letters.decode(): int(style) for letters, style in _STYLE.findall(sample)}
        return tuple(found.get(xl_col_to_name(place), 0) for place in range(len(self._columns)))

    def _rows_begin(self, sheet: bytes) -> int:
        """Where the sample row stands, or would stand if no column had a style."""
        sample = sheet.find(b'<row r="%d"' % (self._options.start_row + 1))
        return sample if sample >= 0 else sheet.index(b"</sheetData>")

    def _build_frame(self, index: int, rows: int) -> SheetFrame:
        parts = self._build([0] * index + [rows])
        return self._split(parts[SHEET_PART.format(index + 1)])

    def _split(self, sheet: bytes) -> SheetFrame:
        sheet = _DIMENSION.sub(b"", sheet, count=1)
        end = sheet.index(b"</sheetData>")
        return SheetFrame(sheet[: self._rows_begin(sheet)], sheet[end:])

    def _build(self, rows: Sequence[int]) -> dict[str, bytes]:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
            workbook.set_properties({"created": _CREATED})
            header = workbook.add_format({"bold": True, "bottom": 1, "valign": "top"})
            formats = _Formats(workbook, self._options)
            for index, count in enumerate(rows):
                sheet = workbook.add_worksheet(sheet_title(self._options.sheet_name, index))
                self._fill(sheet, count, header, formats)
        with zipfile.ZipFile(buffer) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def _fill(self, sheet: Any, count: int, header: Any, formats: "_Formats") -> None:
        top = self._options.start_row - 1
        for place, (column, width) in enumerate(zip(self._columns, self._widths, strict=True)):
            shown = formats.of(column)
            if width is not None:
                sheet.set_column(place, place, width)
            sheet.write_string(top, place, column.header, header)
            # XlsxWriter leaves out a blank cell without a format: such a column has style 0.
            sheet.write_blank(top + 1, place, None, shown)
        if self._options.freeze_header:
            sheet.freeze_panes(top + 1, 0)
        if self._options.autofilter:
            sheet.autofilter(top, 0, top + max(count, 1), len(self._columns) - 1)


class _Formats:
    """One XlsxWriter format for each look in use."""

    def __init__(self, workbook: Any, options: XlsxOptions) -> None:
        self._make = lru_cache(None)(lambda look: workbook.add_format(dict(look)))
        self._options = options

    def of(self, column: Column) -> Any:
        """The format of a column's cells; None for plain values, which are General."""
        look: dict[str, str | int] = {}
        shown = column.format or default_format(column.type, self._options)
        if shown != GENERAL:
            look["num_format"] = written_format(shown)
        if pa.types.is_boolean(column.type):
            # As Excel centres them anyway; with a style of its own a boolean is also TRUE in
            # LibreOffice, which shows 1 beside a number of the same style.
            look["align"] = "center"
        return self._make(tuple(look.items())) if look else None


def default_format(kind: pa.DataType, options: XlsxOptions) -> str:
    """The Excel number format, or its name, that a canonical type has by default."""
    if pa.types.is_date(kind):
        return options.date_format
    if pa.types.is_timestamp(kind):
        return options.datetime_format
    if pa.types.is_time(kind):
        return _TIME_FORMAT
    return _DURATION_FORMAT if pa.types.is_duration(kind) else GENERAL


def sheet_title(name: str, index: int) -> str:
    """The name of sheet `index` (0-based): `Sheet1`, `Sheet1 (2)`, … as long as Excel takes.

    No two are alike, whatever the first is called: Excel compares without case.
    """
    if index == 0:
        return name
    title = _with_suffix(name, f" ({index + 1})")
    if title.casefold() == name.casefold():
        return _with_suffix(name, f" #{index + 1}")
    return title


def _with_suffix(name: str, suffix: str) -> str:
    """`name`, cut where it leaves no room for `suffix`; Excel counts UTF-16 units."""
    room = 2 * (SHEET_NAME_UNITS - len(suffix))
    return name.encode("utf-16-le")[:room].decode("utf-16-le", errors="ignore") + suffix


PREFACE: Final = ("_rels/.rels", "docProps/core.xml", "xl/theme/theme1.xml")
"""Parts that do not depend on the rows and stand first: by them `file` knows an Excel workbook."""


def after_rows(parts: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """The parts that stand after the sheets, in XlsxWriter's order."""
    return [(name, part) for name, part in parts.items() if name not in PREFACE]

"""XlsxWriter formats for everything that a workbook shows: cells, header, title, totals, rules."""

from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from exporters.number_formats import shown_code, written_format
from exporters.xlsx.features import CellStyle, given
from exporters.xlsx.layout import Layout
from exporters.xlsx.options import XlsxOptions

GENERAL: Final = "General"

_TIME_FORMAT: Final = "hh:mm:ss"
_DURATION_FORMAT: Final = "[h]:mm:ss"

_HEADER: Final = {"bold": True, "bottom": 1, "valign": "top"}
_TITLE: Final = {"bold": True, "font_size": 14}
_TOTAL: Final = {"bold": True, "top": 1}
_LINK: Final = {"font_color": "#0563C1", "underline": 1}
"""As Excel shows a link that nobody has followed yet."""

_TEXT: Final = "@"
_RIGHT: Final = {"align": "right"}
_CENTER: Final = {"align": "center"}
_BESIDE_BUTTON: Final = {"indent": 2}
"""About as wide as a filter button, which Excel draws over the right end of a header."""

_BOOLEAN: Final = {"num_format": '"TRUE";"TRUE";"FALSE"'} | _CENTER
"""As Excel shows booleans anyway; LibreOffice would print 1 for TRUE."""

_NAMES: Final = {
    "font": "font_name",
    "size": "font_size",
    "color": "font_color",
    "background": "bg_color",
    "wrap": "text_wrap",
}
_BORDERS: Final[dict[str, dict[str, int]]] = {
    "none": {"bottom": 0},
    "bottom": {"bottom": 1},
    "all": {"border": 1, "bottom": 1},
}

Look = dict[str, Any]


class Looks:
    """The formats of one XlsxWriter workbook, each made once."""

    def __init__(self, workbook: Any, layout: Layout) -> None:
        self._make = lru_cache(None)(lambda look: workbook.add_format(dict(look)))
        self._layout = layout
        self._header = _HEADER | written(layout.options.header_style)

    def header(self, place: int) -> Any:
        """The format of a column's header, which stands where the column's values do."""
        return self._of(self._header if "align" in self._header else self._aligned(place))

    def title(self) -> Any:
        """The title's format."""
        return self._of(_TITLE | written(self._layout.options.title_style))

    def cell(self, place: int) -> Any:
        """The format of a column's cells; None for plain values, which are General."""
        look = self._cell(place)
        return self._of(look) if look else None

    def day(self, place: int) -> Any:
        """The format of cells of moments that are days; None where it is that of all cells."""
        column = self._layout.columns[place]
        if column.reading is None or column.reading.type != "date" or column.format:
            return None
        return self._of({"num_format": written_format(self._layout.options.date_format)})

    def total(self, place: int) -> Any:
        """The format of a column's cell in the row of totals."""
        counts = self._layout.totals.get(place) == "count"
        return self._of(_TOTAL if counts else self._cell(place) | _TOTAL)

    def rule(self, style: CellStyle) -> Any:
        """The format of cells that a conditional format or rule finds."""
        return self._of(written(style))

    def _aligned(self, place: int) -> Look:
        """The header where Excel puts the column's values; of a filter button, on its left."""
        kind = self._layout.kind(place)
        code = shown_code(number_format(self._layout, place))
        if kind is not None and pa.types.is_boolean(kind):
            return self._header | _CENTER
        unknown = kind is None and code == GENERAL
        if unknown or code == _TEXT or _is_text(kind):
            return self._header
        button = _BESIDE_BUTTON if self._layout.options.autofilter else {}
        return self._header | _RIGHT | button

    def _cell(self, place: int) -> Look:
        code = number_format(self._layout, place)
        look: Look = {} if code == GENERAL else {"num_format": written_format(code)}
        kind = self._layout.kind(place)
        if kind is not None and pa.types.is_boolean(kind):
            return _BOOLEAN | look
        return look | _LINK if place in self._layout.links else look

    def _of(self, look: Look) -> Any:
        return self._make(tuple(sorted(look.items())))


def written(style: CellStyle) -> Look:
    """A style in XlsxWriter's terms."""
    look = given(style)
    border = _BORDERS[look.pop("border")] if "border" in look else {}
    return {_NAMES.get(name, name): value for name, value in look.items()} | border


def _is_text(kind: pa.DataType | None) -> bool:
    return kind is not None and bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def number_format(layout: Layout, place: int) -> str:
    """The Excel number format of a column, or its name."""
    if layout.is_formula(place):
        return layout.formulas[place - len(layout.columns)].format or GENERAL
    column = layout.columns[place]
    return column.format or default_format(column.shown, layout.options)


def default_format(kind: pa.DataType, options: XlsxOptions) -> str:
    """The Excel number format, or its name, that a canonical type has by default."""
    if pa.types.is_date(kind):
        return options.date_format
    if pa.types.is_timestamp(kind):
        return options.datetime_format
    if pa.types.is_time(kind):
        return _TIME_FORMAT
    return _DURATION_FORMAT if pa.types.is_duration(kind) else GENERAL

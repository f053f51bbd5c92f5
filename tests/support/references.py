"""A small table of every kind of cell, as XlsxWriter writes it.

XlsxWriter is told so by its public interface, apart from how the exporter does it; its own tests
compare its files with Excel's.
"""

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import xlsxwriter

from tests.support.packages import Package

NOON = dt.datetime(2024, 2, 29, 12)
URLS = [
    "https://example.com/a b?x=1&y=<2>#part %\"<one>'",
    "http://example.com/%7Euser?q=100%#a#b",
    "no address",
    "ftp://example.com/#",
    'mailto:ada@example.com?subject="[x]^`{y}"',
    "https://example.com/\u6f22\u5b57#\u5b57",
]
TEXTS = ["plain", 'a & <b> "c"', " padded ", None, "two\nlines\t", "_x0041_\x01"]
TABLE: Mapping[str, tuple[pa.DataType, list[Any]]] = {
    "name": (pa.string(), TEXTS),
    "qty": (pa.int64(), [1, -2, None, 10**15 - 1, 0, 7]),
    "price": (pa.float64(), [0.1, 1e300, None, -2.5, 100.0, 1 / 3]),
    "paid": (pa.bool_(), [True, False, None, True, True, False]),
    "day": (pa.date32(), [NOON.date(), None, dt.date(1900, 3, 1), *[NOON.date()] * 3]),
    "at": (pa.timestamp("us"), [NOON, None, *[NOON + dt.timedelta(hours=6)] * 4]),
    "time": (pa.time32("s"), [dt.time(18), None, dt.time(0), *[dt.time(12)] * 3]),
    "span": (pa.duration("s"), [dt.timedelta(hours=36), None, *[dt.timedelta(0)] * 4]),
    "link": (pa.string(), URLS),
    "region": (pa.string(), ["N", "N", "S & E", "S & E", "S & E", None]),
}
ROWS = 6
NAMES = list(TABLE)
LAST = len(NAMES) - 1

Look = Mapping[str, Any]
RIGHT, BUTTON = {"align": "right"}, {"align": "right", "indent": 2}
HEADER: Look = {"bold": True, "bottom": 1, "valign": "top"}
BOOLEAN: Look = {"align": "center", "num_format": '"TRUE";"TRUE";"FALSE"'}
DAY: Look = {"num_format": "yyyy-mm-dd"}
LINK: Look = {"font_color": "#0563C1", "underline": 1}
TOTAL: Look = {"bold": True, "top": 1}
LOOKS: Mapping[str, Look] = {
    "paid": BOOLEAN,
    "day": DAY,
    "at": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "time": {"num_format": "hh:mm:ss"},
    "span": {"num_format": "[h]:mm:ss"},
}


class Reference:
    """The table as XlsxWriter writes it, row by row; each case adds its feature."""

    def __init__(self, *, constant_memory: bool = True) -> None:
        self._buffer = io.BytesIO()
        options = {"constant_memory": constant_memory, "use_future_functions": True}
        self.book = xlsxwriter.Workbook(self._buffer, options)
        self.properties()
        self.look = lru_cache(None)(lambda **look: self.book.add_format(look) if look else None)
        self.sheet: Any = None

    def properties(self, **properties: str) -> None:
        created = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        self.book.set_properties({**properties, "created": created})

    def begin(self, name: str = "Sheet1") -> Any:
        self.sheet = self.book.add_worksheet(name)
        return self.sheet

    def header(
        self, top: int = 0, names: Sequence[str] = NAMES, *, buttons: bool = False, **look: Any
    ) -> None:
        for place, name in enumerate(names):
            right = BUTTON if buttons else RIGHT
            aligned = {"paid": {"align": "center"}, "name": {}, "link": {}, "region": {}}
            format_ = self.look(**(HEADER | aligned.get(name, right) | look))
            self.sheet.write_string(top, place, name, format_)

    def rows(
        self,
        top: int = 0,
        rows: range = range(ROWS),
        looks: Mapping[str, Look] = LOOKS,
        *,
        links: bool = False,
        more: Callable[[int], None] = lambda _row: None,
    ) -> None:
        for below, row in enumerate(rows, top + 1):
            for place, (name, (_type, values)) in enumerate(TABLE.items()):
                if links and name == "link" and ":" in (values[row] or ""):
                    url = values[row]
                    self.sheet.write_url(below, place, url, self.look(**LINK), url)
                else:
                    self._cell(below, place, values[row], self.look(**looks.get(name, {})))
            more(below)

    def table(self, top: int = 0, **options: Any) -> Any:
        """The sheet of a case that adds something to the plain table."""
        sheet = self.begin()
        self.header(top)
        sheet.freeze_panes(top + 1, 0)
        self.rows(top, **options)
        return sheet

    def package(self) -> Package:
        self.book.close()
        return Package(self._buffer.getvalue())

    def _cell(self, row: int, place: int, value: Any, format_: Any) -> None:
        match value:
            case None:
                pass
            case bool():
                self.sheet.write_boolean(row, place, value, format_)
            case int() | float():
                self.sheet.write_number(row, place, value, format_)
            case str():
                self.sheet.write_string(row, place, value, format_)
            case _:
                self.sheet.write_datetime(row, place, value, format_)

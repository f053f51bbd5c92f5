"""What a file of CSV must be, in plain Python: cell by cell, without the libraries that write it.

`Model` says what docs/formats.md promises of a table under options: the text of the file, what is
counted in warnings, and which cells may be named where the export is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import strategies as st

from exporters import CsvOptions

Value = Any
Values = Sequence[Value]
Place = tuple[int | None, int]
"""Row and column; no row for the header."""

BEGINNINGS = tuple("=+-@\t\r")
SHIFTS = "\x0e\x0f\x1b"
"""With ISO-2022 these switch alphabets: no text can have them."""


@dataclass(frozen=True)
class Kind:
    """A type to send, and its text without options."""

    name: str
    type: pa.DataType
    values: st.SearchStrategy[Value]

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sheet:
    """A table: its names, kinds and columns."""

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    columns: tuple[list[Value], ...]

    @property
    def rows(self) -> list[tuple[Value, ...]]:
        return list(zip(*self.columns, strict=True))

    def batch(self) -> pa.RecordBatch:
        arrays = [
            pa.array(values, kind.type)
            for values, kind in zip(self.columns, self.kinds, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.names))


@cache
def has(codec: str, character: str) -> bool:
    """Whether an encoding has a character."""
    if codec.startswith("iso2022") and character in SHIFTS:
        return False
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class Cell:
    text: str | None
    """Guarded and fitted to the encoding."""
    is_text: bool
    is_guarded: bool = False
    is_replaced: bool = False
    offences: tuple[str, ...] = ()
    """Words of a message that may refuse it."""


class Model:
    """The file of a sheet under options."""

    def __init__(self, sheet: Sheet, options: CsvOptions, patterns: Sequence[str | None]) -> None:
        self._options = options
        self._alone = len(sheet.names) == 1
        names = [[self._foreign(name) for name in sheet.names]] if options.header else []
        rows = [
            [
                self._cell(kind, value, pattern)
                for kind, value, pattern in zip(sheet.kinds, row, patterns, strict=True)
            ]
            for row in sheet.rows
        ]
        self._lines = names + rows
        self._first_row = 0 if options.header else 1

    @property
    def text(self) -> str:
        end = {"lf": "\n", "crlf": "\r\n"}[self._options.line_terminator]
        return "".join(
            self._options.delimiter.join(
                self._written(cell, self._may_begin_file(line, column))
                for column, cell in enumerate(cells)
            )
            + end
            for line, cells in enumerate(self._lines)
        )

    @property
    def warnings(self) -> dict[str, int]:
        cells = [cell for line in self._lines for cell in line]
        counts = {
            "CHARACTERS_REPLACED": sum(cell.is_replaced for cell in cells),
            "FORMULAS_GUARDED": sum(cell.is_guarded for cell in cells),
        }
        return {code: count for code, count in counts.items() if count}

    @property
    def offences(self) -> dict[Place, set[str]]:
        """The first refused cell of each column and reason; a refusal must be one of these."""
        found: dict[Place, set[str]] = {}
        for column in range(len(self._lines[0]) if self._lines else 0):
            seen: set[str] = set()
            for line, cells in enumerate(self._lines):
                for words in cells[column].offences:
                    reason = words.partition(" ")[0]
                    if reason not in seen:
                        seen.add(reason)
                        row = line + self._first_row
                        found.setdefault((row or None, column), set()).add(words)
        return found

    def _may_begin_file(self, line: int, column: int) -> bool:
        return column == 0 and (line == 0 or not self._options.header)

    def _written(self, cell: Cell, may_begin_file: bool) -> str:
        options = self._options
        if cell.text is None:
            return '""' if self._alone and not options.null else options.null
        if options.quoting == "none":
            return cell.text
        needed = cell.is_text and (
            self._parts_cells(cell.text)
            or cell.text in ("", options.null)
            or (may_begin_file and cell.text.startswith(("ID", "\ufeff")))
        )
        if options.quoting == "all" or needed or (options.quoting == "strings" and cell.is_text):
            return '"' + cell.text.replace('"', '""') + '"'
        return cell.text

    def _parts_cells(self, text: str) -> bool:
        return any(each in text for each in ('"', "\r", "\n", self._options.delimiter))

    def _cell(self, kind: Kind, value: Value, pattern: str | None) -> Cell:
        if pa.types.is_string(kind.type):
            return self._foreign(value)
        is_text = pattern is not None or pa.types.is_duration(kind.type)
        text = None if value is None else spelled(kind, value, self._options, pattern)
        return self._fitted(text, is_text=is_text)

    def _foreign(self, text: str | None) -> Cell:
        guard = self._options.formula_guard
        is_formula = text is not None and text.startswith(BEGINNINGS) and guard != "off"
        if is_formula and guard == "prefix":
            text = f"'{text}"
        offence = ("formula begins as a formula",) if is_formula and guard == "reject" else ()
        return self._fitted(text, is_text=True, is_guarded=is_formula, offences=offence)

    def _fitted(
        self,
        text: str | None,
        *,
        is_text: bool,
        is_guarded: bool = False,
        offences: tuple[str, ...] = (),
    ) -> Cell:
        options, codec = self._options, self._options.charset.codec
        lacking = [each for each in text or "" if not has(codec, each)]
        if lacking and options.encoding_errors == "error":
            words = f"lacks has {lacking[0]!r} (U+{ord(lacking[0]):04X})"
            offences = (*offences, words)
        elif lacking and text is not None:
            text = "".join(self._substitute(each) if each in lacking else each for each in text)
        if options.quoting == "none":
            offences = (*offences, *self._unquotable(text))
        is_replaced = bool(lacking) and options.encoding_errors != "error"
        return Cell(text, is_text, is_guarded, is_replaced, offences)

    def _substitute(self, character: str) -> str:
        is_replaced = self._options.encoding_errors == "replace"
        return "?" if is_replaced else f"&#{ord(character)};"

    def _unquotable(self, text: str | None) -> Iterator[str]:
        if text is not None and self._parts_cells(text):
            yield "structure holds a quote, a line end or the delimiter"
        if self._alone and not (self._options.null if text is None else text):
            yield "empty would be an empty line"


# How values are spelled.


def spelled(kind: Kind, value: Value, options: CsvOptions, pattern: str | None) -> str:
    if isinstance(value, datetime):
        return _moment(kind, value, options, pattern)
    if isinstance(value, date):
        return _in_pattern(value, pattern) if pattern else value.isoformat()
    return _SPELL[type(value)](value, options)


def _moment(kind: Kind, value: datetime, options: CsvOptions, pattern: str | None) -> str:
    """`value` is naive; of a zoned kind it is of UTC."""
    zone = kind.type.tz and (options.timezone or kind.type.tz)
    if zone is None:
        return _in_pattern(value, pattern) if pattern else _iso(value)
    shown = value.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone))
    if pattern:
        return _in_pattern(shown, pattern)
    return _iso(shown) + ("Z" if zone == "UTC" else shown.strftime("%z"))


def _iso(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _in_pattern(day: date, pattern: str) -> str:
    """Without strftime, which is the platform's."""
    parts = {"Y": f"{day.year:04}", "m": f"{day.month:02}", "d": f"{day.day:02}", "%": "%"}
    if isinstance(day, datetime):
        parts |= {"H": f"{day.hour:02}", "M": f"{day.minute:02}", "S": f"{day.second:02}"}
    first, *rest = pattern.split("%")
    return first + "".join(parts[each[0]] + each[1:] for each in rest)


def _duration(span: timedelta, _options: CsvOptions) -> str:
    microseconds = span // timedelta(microseconds=1)
    seconds, fraction = divmod(abs(microseconds), 10**6)
    digits = f".{fraction:06}".rstrip("0") if fraction else ""
    sign = "-" if microseconds < 0 else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{digits}"


_SPELL: dict[type, Callable[[Value, CsvOptions], str]] = {
    bool: lambda value, options: options.true if value else options.false,
    int: lambda value, _options: str(value),
    Decimal: lambda value, options: f"{value:f}".replace(".", options.decimal),
    timedelta: _duration,
}

"""Where everything of a workbook stands: columns by their places, rows by their numbers.

Made from the projection and the options before any data, so that every complaint about a column
that does not exist comes early. Places are 0-based, rows are 1-based as in Excel.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

import pyarrow as pa

from exporters.columns import Column, Projection
from exporters.errors import InvalidOptions, LimitExceeded
from exporters.hints import closest
from exporters.number_formats import check_format
from exporters.xlsx.conditions import FormulaRule
from exporters.xlsx.features import (
    MAX_FORMULA,
    UNKEPT,
    FormulaColumn,
    TotalFunction,
    formula_segments,
)
from exporters.xlsx.formulas import Segments, formula_text
from exporters.xlsx.options import SHEET_ROWS, XlsxOptions
from exporters.xlsx.sheet_names import units

MAX_COLUMNS: Final = 16_384
"""Columns of an Excel sheet (Excel specifications and limits)."""

MAX_HEADER_LENGTH: Final = 32_767 // 2
"""Characters, each of which may be two of the UTF-16 units that a cell takes."""

MAX_TABLE_HEADER: Final = 255
"""UTF-16 units of the header of a column of an Excel table."""


class Layout:
    """The columns of the sheets and what is asked of each.

    Raises `InvalidOptions` for a column that does not exist or cannot have what is asked of it,
    `LimitExceeded` for more than a sheet takes.
    """

    def __init__(self, projection: Projection, options: XlsxOptions) -> None:
        self.columns: tuple[Column, ...] = projection.columns
        self.formulas: tuple[FormulaColumn, ...] = tuple(options.formulas)
        self.headers = (
            *(column.header for column in self.columns),
            *(formula.header for formula in self.formulas),
        )
        self.options = options
        self._names = _places(self.headers, self.columns, projection.schema.names)
        self._check_columns()
        self.segments = tuple(self.segments_of("formulas", each.formula) for each in self.formulas)
        self._check_circles()
        self.totals = self._totals()
        self.links = frozenset(self.place("urls", name) for name in options.urls)
        self.hidden = frozenset(
            self.place("hidden_columns", name) for name in options.hidden_columns
        )
        self.split = None if options.split_by is None else self.place("split_by", options.split_by)
        self._check_features()

    @property
    def first_row(self) -> int:
        """The sheet's row (1-based) of the first data row."""
        return self.options.start_row + 1

    @property
    def rows_a_sheet(self) -> int:
        """How many data rows a sheet takes."""
        room = SHEET_ROWS - self.options.start_row - bool(self.totals)
        return min(self.options.rows_per_sheet, room)

    def last_row(self, rows: int) -> int:
        """The sheet's row (1-based) of the last of `rows` data rows; tables have at least one."""
        return self.options.start_row + max(rows, 1)

    def place(self, key: str, name: str) -> int:
        """The place of a column. Raises `InvalidOptions` where option `key` names none."""
        if name not in self._names:
            hint = closest(name, list(self._names)) or f"; it has: {', '.join(self.headers[:20])}"
            raise InvalidOptions(f"options.{key}: column {name[:60]!r} is not in the file{hint}")
        return self._names[name]

    def is_formula(self, place: int) -> bool:
        """Whether the column at `place` is one that Excel calculates."""
        return place >= len(self.columns)

    def kind(self, place: int) -> pa.DataType | None:
        """The type that the cells at `place` look like; None for a formula's."""
        return None if self.is_formula(place) else self.columns[place].shown

    def segments_of(self, key: str, formula: str) -> Segments:
        """A checked formula of option `key` with its columns found."""
        segments = tuple(
            (literal, None if name is None else self.place(key, name))
            for literal, name in formula_segments(formula)
        )
        length = len(formula_text(segments, SHEET_ROWS, fixed=True))
        if length > MAX_FORMULA:
            message = f"options.{key}: the formula {formula[:40]!r}… has {length} characters with "
            raise InvalidOptions(f"{message}its cells; Excel takes {MAX_FORMULA}")
        return segments

    def _check_circles(self) -> None:
        """No formula may need its own value, not by way of others either."""
        needs = {
            place: {each for _literal, each in segments if each is not None}
            for place, segments in enumerate(self.segments, len(self.columns))
        }
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            name, *between = (self.headers[place] for place in error.args[1][:-1])
            way = f" by way of {', '.join(map(repr, between))}" if between else ""
            message = f"options.formulas: {name!r} refers to itself{way}; name other columns"
            raise InvalidOptions(message) from None

    def _totals(self) -> Mapping[int, TotalFunction]:
        found: dict[int, TotalFunction] = {}
        for name, function in self.options.totals.items():
            place = self.place("totals", name)
            if place in found:
                message = f"options.totals: {self.headers[place]!r} has two; leave out one of them"
                raise InvalidOptions(message)
            self._check_total(place, function)
            found[place] = function
        return found

    def _check_total(self, place: int, function: TotalFunction) -> None:
        kind = self.kind(place)
        if kind is None or function == "count" or _is_number(kind):
            return
        if pa.types.is_temporal(kind) and (
            function in {"min", "max"} or pa.types.is_duration(kind)
        ):
            return
        possible = "min, max or count" if pa.types.is_temporal(kind) else "count"
        raise InvalidOptions(
            f"options.totals: {self.headers[place]!r} is {kind}, which has no {function}; "
            f"use {possible}"
        )

    def _check_columns(self) -> None:
        if len(self.headers) > MAX_COLUMNS:
            message = f"{len(self.headers)} columns; an Excel sheet has at most {MAX_COLUMNS}"
            raise LimitExceeded(message)
        twice = _twice(self.headers) if self.formulas else None
        if twice is not None:
            message = f"options.formulas: two columns have the header {twice!r}; give one another"
            raise InvalidOptions(message)
        _check_lengths(self.headers, MAX_HEADER_LENGTH)
        for column in self.columns:
            _check_format(column)

    def _check_features(self) -> None:
        options = self.options
        for each in (*options.conditional_formats, *options.validations):
            key = "validations" if each in options.validations else "conditional_formats"
            self.place(key, each.column)
            if isinstance(each, FormulaRule):
                self.segments_of(key, each.formula)
        twice = _twice(
            self.headers[self.place("validations", each.column)] for each in options.validations
        )
        if twice is not None:
            message = f"options.validations: {twice!r} has two lists; leave out one of them"
            raise InvalidOptions(message)
        for place in self.links:
            self._check_text("urls", place)
        if self.split is not None:
            self._check_split(self.split)
        if options.table_style is not None:
            self._check_table()

    def _check_text(self, key: str, place: int) -> None:
        kind = self.kind(place)
        if kind is None or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            what = "a formula" if kind is None else str(kind)
            message = f"options.{key}: {self.headers[place]!r} is {what}; name a column of texts"
            raise InvalidOptions(message)

    def _check_split(self, place: int) -> None:
        if self.is_formula(place):
            message = f"options.split_by: {self.headers[place]!r} is a formula; name another column"
            raise InvalidOptions(message)

    def _check_table(self) -> None:
        """An Excel table names its columns: each has a name, and no two differ in case only."""
        _check_lengths(self.headers, MAX_TABLE_HEADER, units)
        twice = _twice(header.casefold() for header in self.headers)
        if twice is not None or not all(header.strip() for header in self.headers):
            what = "an empty header" if twice is None else f"{twice!r} twice, case aside"
            message = f"options.table_style: the columns have {what}; a table needs one for each"
            raise InvalidOptions(message)
        unkept = next(filter(UNKEPT.search, self.headers), None)
        if unkept is not None:
            message = (
                f"options.table_style: the header {unkept[:40]!r} has a character that a table "
            )
            raise InvalidOptions(f"{message}cannot keep; give another")


def _places(
    headers: Sequence[str], columns: Sequence[Column], names: Sequence[str]
) -> dict[str, int]:
    """Places by header, and by the stream's name where no header is the same."""
    by_name: dict[str, int] = {}
    for place, column in enumerate(columns):
        if column.index is not None:
            by_name.setdefault(names[column.index], place)
    return by_name | {header: place for place, header in enumerate(headers)}


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _twice(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _check_lengths(headers: Sequence[str], most: int, length: Callable[[str], int] = len) -> None:
    for header in headers:
        if (found := length(header)) > most:
            message = f"the header {header[:40]!r}… has {found} characters; at most {most}"
            raise LimitExceeded(message)


def _check_format(column: Column) -> None:
    if column.format is None:
        return
    try:
        check_format(column.format)
    except ValueError as error:
        message = f"columns: {column.header!r} has the format {column.format!r}; {error}"
        raise InvalidOptions(message) from None

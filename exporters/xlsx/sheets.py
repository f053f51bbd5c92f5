"""Which sheet rows go to: the next one when a sheet is full, or when another value begins."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.errors import InvalidData, LimitExceeded
from exporters.hints import SHOWN_VALUE
from exporters.packing.archive import MAX_LENGTH
from exporters.value_texts import value_texts
from exporters.xlsx.layout import Layout
from exporters.xlsx.links import LinkRoom
from exporters.xlsx.sheet_names import numbered_name, sheet_name_of
from exporters.xlsx.workbook import Piece

MAX_SHEETS: Final = 1_000
"""Excel names no limit but memory; nobody can use a workbook with more."""


class Sheets:
    """The sheets of a workbook as they fill up.

    The bound of a sheet's XML is exact for blocks that are written and an upper bound for those in
    flight.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._names = _Names()
        self._values: set[str | None] = set()
        self._value: str | None = None
        self._begin()

    @property
    def count(self) -> int:
        """Sheets so far, at least one."""
        return self._index + 1

    @property
    def name(self) -> str:
        """The name of the sheet that is being filled."""
        return self._name

    def turn_to(self, value: str | None) -> None:
        """Go on with the rows of `value` in the column that splits the sheets.

        Raises `InvalidData` for a value whose sheet has ended already.
        """
        if value == self._value and value in self._values:
            return
        if value in self._values:
            column = self._layout.options.split_by
            shown = repr(value)[:SHOWN_VALUE]
            raise InvalidData(
                f"options.split_by: the rows of {shown} in column {column!r} do not stand "
                "together; sort the rows by that column"
            )
        first = not self._values
        self._value = value
        self._values.add(value)
        if first:
            self._names = _Names()
            self._name = self._next_name()
        else:
            self.next()

    def next(self) -> None:
        """Begin another sheet. Raises `LimitExceeded` for more than a workbook can have."""
        if self.count == MAX_SHEETS:
            remedy = "split by another column" if self._values else "raise options.rows_per_sheet"
            raise LimitExceeded(f"the rows need more than {MAX_SHEETS} sheets; {remedy}")
        self._begin(self._index + 1)

    def room(self, bound: int) -> int:
        """How many rows the sheet still takes, of a block of at most `bound` bytes of XML."""
        if self._rows > 0 and self._bound + bound > MAX_LENGTH:
            return 0
        return self._layout.rows_a_sheet - self._rows

    def take(self, rows: int, bound: int, links: list[pa.Array]) -> Piece:
        """Where a block goes that has room."""
        piece = Piece(
            self._index, self._name, self._layout.first_row + self._rows, self._links.take(links)
        )
        self._rows += rows
        self._bound += bound
        return piece

    def written(self, piece: Piece, length: int, bound: int) -> None:
        """A block of `length` bytes, thought to be at most `bound`, is in the file."""
        if piece.sheet == self._index:
            self._bound += length - bound

    def _begin(self, index: int = 0) -> None:
        self._index = index
        self._rows = 0
        self._bound = 0
        self._links = LinkRoom()
        self._name = self._next_name()

    def _next_name(self) -> str:
        options = self._layout.options
        if not self._values:
            return self._names.next(options.sheet_name)
        known = None if self._value is None else options.sheet_names.get(self._value)
        return self._names.next(known or sheet_name_of(self._value))


class _Names:
    """Names of sheets, of which no two are alike; Excel compares without case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: Counter[str] = Counter()

    def next(self, name: str) -> str:
        """`name`, or that name with the first free number."""
        while True:
            self._numbers[name] += 1
            numbered = numbered_name(name, self._numbers[name])
            if numbered.casefold() not in self._taken:
                self._taken.add(numbered.casefold())
                return numbered


def runs(values: pa.Array) -> Iterator[tuple[str | None, int]]:
    """Each run of equal values as its text, and its length."""
    encoded = pc.run_end_encode(value_texts(values))
    begin = 0
    for value, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
        yield value, end - begin
        begin = end

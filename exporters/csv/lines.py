"""Blocks of rows to lines of CSV: spelled, guarded, fitted to the encoding, quoted, joined."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from exporters.base import Data
from exporters.columns import Column
from exporters.csv.assembly import LineWriter
from exporters.csv.cells import Cells, cells_of, name_cells
from exporters.csv.guard import guarded
from exporters.csv.options import CsvOptions
from exporters.csv.places import Where, in_column, in_header
from exporters.csv.quoting import Quoting, quoted

WARNINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CHARACTERS_REPLACED": "texts have characters that the encoding lacks; others stand there",
        "FORMULAS_GUARDED": "texts begin as formulas do; a ' stands before them",
    }
)

_AROUND_CELL: Final = len('"",')

_WIDE_GROWTH: Final = 4
"""UTF-32 has four bytes for each of ASCII."""

_REFERENCE_GROWTH: Final = 5
"""`&#128;` stands for a character of two bytes, and then perhaps in UTF-16."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Bytes of the file, and how many cells were changed for it, by the code of the warning."""

    data: Data
    changed: Mapping[str, int]


class LineFormatter:
    """Turns batches of canonical columns into lines. Thread safe.

    Raises `InvalidOptions` for a format that a column cannot be shown in, and `InvalidData` for a
    header that the options forbid.
    """

    def __init__(self, columns: Sequence[Column], options: CsvOptions) -> None:
        cells = [cells_of(column, options) for column in columns]
        self._format = _Formatter(cells, options, begins_file=not options.header)
        self._headers = [column.header for column in columns]
        names = _Formatter([name_cells(each) for each in self._headers], options, begins_file=True)
        header = [pa.array([each]) for each in self._headers]
        head = names(header, [in_header] * len(header)) if options.header else Lines(b"", {})
        self.head = options.charset.mark + bytes(memoryview(head.data))
        """What each file begins with: the byte order mark and the line of column names."""
        self.changed_names = head.changed
        """How many names were changed, by the code of the warning."""

    def size(self, rows: int, texts: int) -> int:
        """Bytes of the file, at most about, of rows whose texts have so many bytes."""
        return (rows * self._format.row_bytes + texts) * self._format.growth

    def __call__(self, batch: pa.RecordBatch, first_row: int) -> Lines:
        """The lines of a batch; `first_row` is how many rows of the export come before it.

        Raises `InvalidData` for a text that the options forbid.
        """
        return self._format(
            batch.columns, [in_column(header, first_row) for header in self._headers]
        )


class _Formatter:
    """Lines of cells, whether they are values or names."""

    def __init__(self, cells: Sequence[Cells], options: CsvOptions, *, begins_file: bool) -> None:
        self._cells = cells
        self._begins_file = begins_file
        self._options = options
        self._charset = options.charset
        # pyarrow's writer puts the text for null between the columns, in UTF-8.
        self._by_column = options.charset.keeps_ascii and options.null.isascii()
        # A null that is a line of its own has to be seen; pyarrow's writer does not quote nulls.
        alone = len(cells) == 1
        self._quoting = Quoting(options.delimiter, options.null, alone)
        everything = options.quoting == "all"
        self._quoted = [
            everything or (options.quoting == "strings" and each.is_text) for each in cells
        ]
        null = len(options.null.encode())
        self.row_bytes = sum(max(each.width, null) + _AROUND_CELL for each in cells)
        """Bytes of a line besides its texts."""
        self.growth = self._growth()
        """By how much the encoding may lengthen them."""
        self._write = LineWriter([each and not alone for each in self._quoted], options)

    def __call__(self, columns: Sequence[pa.Array], where: Sequence[Where]) -> Lines:
        changed: Counter[str] = Counter()
        texts = []
        for cells, array, place in zip(self._cells, columns, where, strict=True):
            spelled = cells.spell(array)
            if cells.is_foreign:
                spelled, count = guarded(spelled, self._options.formula_guard, place)
                changed["FORMULAS_GUARDED"] += count
            texts.append(spelled)
        try:
            data = self._encoded(texts, where)
        except UnicodeEncodeError:
            for column, place in enumerate(where):
                texts[column], count = self._charset.fitted(
                    texts[column], self._options.encoding_errors, place
                )
                changed["CHARACTERS_REPLACED"] += count
            data = self._encoded(texts, where)
        return Lines(data, changed)

    def _growth(self) -> int:
        if self._charset.is_utf8:
            return 1
        if self._options.encoding_errors == "xmlcharref":
            return _REFERENCE_GROWTH
        return 2 if self._by_column else _WIDE_GROWTH

    def _encoded(self, texts: Sequence[pa.Array], where: Sequence[Where]) -> Data:
        """Texts as bytes of the file. Raises `UnicodeEncodeError`."""
        cells = [self._cell(column, each, where[column]) for column, each in enumerate(texts)]
        if self._charset.is_utf8:
            return self._write(cells)
        if self._by_column:
            return self._write([self._charset.encode_column(each) for each in cells])
        return self._charset.encode_block(self._write(cells))

    def _cell(self, column: int, texts: pa.Array, where: Where) -> pa.Array:
        """Texts with those quotes that pyarrow's writer does not give them."""
        if self._quoted[column]:
            return self._quoting.seen(quoted(texts)) if self._quoting.alone else texts
        if self._options.quoting == "none":
            self._quoting.refuse(texts, where)
            return texts
        if self._cells[column].is_text:
            begins = self._begins_file and column == 0
            texts = self._quoting.where_needed(texts, may_begin_file=begins)
        return self._quoting.seen(texts)

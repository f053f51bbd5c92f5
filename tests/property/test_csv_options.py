"""Every option with every other: the file is the one that plain Python would write.

What the model says of a cell is written here apart from the exporter; three independent readers
then have to find those cells in the bytes.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exporters.errors import InvalidData
from tests.property.strategies import TEXTS
from tests.support.csv_files import written

Options = dict[str, Any]
Cell = str | None

EPOCH = datetime(1970, 1, 1)
DAY = "%d.%m.%Y"
MOMENT = "%Y/%m/%d %H-%M-%S"

ENCODINGS = [
    "utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "shift_jis", "euc_kr", "cp1252", "latin-1",
    "utf-16", "utf-32", "iso2022_jp", "hz", "cp037", "utf-7",
]  # fmt: skip

FORMULAS = tuple("=+-@\t\r")


@dataclass(frozen=True)
class Column:
    """Values, the array of them, and how the model writes one."""

    kind: str
    values: list[Any]
    array: pa.Array


@dataclass(frozen=True)
class Case:
    columns: list[Column]
    names: list[str]
    batches: list[pa.RecordBatch]
    options: Options

    @property
    def whole(self) -> pa.RecordBatch:
        return pa.record_batch([each.array for each in self.columns], names=self.names)


# What is sent.

_MOMENTS = st.integers(-(2**31), 2**32 - 1)
"""From 1901 to 2106; zoned ones are kept below 2037."""

_VALUES: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "text": (TEXTS, pa.string()),
    "large": (TEXTS, pa.large_string()),
    "whole": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "float": (st.floats(-1e15, 1e15).map(lambda each: round(each, 3)), pa.float64()),
    "decimal": (st.decimals(-(10**6), 10**6, places=2), pa.decimal128(12, 2)),
    "bool": (st.booleans(), pa.bool_()),
    "date": (st.integers(-(10**5), 10**5), pa.date32()),
    "naive": (_MOMENTS, pa.timestamp("s")),
    "zoned": (st.integers(0, 2**31 - 10**7), pa.timestamp("s", "Asia/Shanghai")),
    "utc": (st.integers(0, 2**31 - 10**7), pa.timestamp("s", "UTC")),
}


@st.composite
def options(draw: st.DrawFn) -> Options:
    """Options that go together, most of them as they are by default."""
    decimal = draw(st.sampled_from([".", ","]))
    delimiters = [";", "tab", "|", "^", "~"] + ([","] if decimal == "." else [])
    return {
        "quoting": draw(st.sampled_from(["strings", "minimal", "all", "none"])),
        "delimiter": draw(st.sampled_from(delimiters)),
        "line_terminator": draw(st.sampled_from(["lf", "crlf"])),
        "header": draw(st.booleans()),
        "null": draw(st.sampled_from(["", "NULL", "\\N", "-"])),
        "true": draw(st.sampled_from(["true", "yes", "1", "T T"])),
        "false": draw(st.sampled_from(["false", "no", "0"])),
        "decimal": decimal,
        "date_format": draw(st.sampled_from([None, DAY])),
        "datetime_format": draw(st.sampled_from([None, MOMENT])),
        "timezone": draw(st.sampled_from([None, "America/New_York", "UTC"])),
        "encoding": draw(st.sampled_from(ENCODINGS)),
        "encoding_errors": draw(st.sampled_from(["error", "replace", "xmlcharref"])),
        "formula_guard": draw(st.sampled_from(["off", "prefix", "reject"])),
    }


@st.composite
def columns(draw: st.DrawFn, rows: int) -> Column:
    kind = draw(st.sampled_from(sorted(_VALUES)))
    values, type_ = _VALUES[kind]
    drawn = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
    return Column(kind, drawn, pa.array(drawn, type_))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows = draw(st.integers(0, 8))
    parts = draw(st.lists(columns(rows), min_size=1, max_size=4))
    alike = st.sampled_from(["a", "b,c", "=x", "ID", "é", "名", 'q"'])
    names = draw(st.lists(alike, min_size=len(parts), max_size=len(parts), unique=True))
    whole = pa.record_batch([each.array for each in parts], names=names)
    cuts = sorted({0, rows, *draw(st.lists(st.integers(0, rows), max_size=3))})
    batches = [whole.slice(start, end - start) for start, end in pairwise(cuts)]
    return Case(parts, names, batches, draw(options()))


# What the model writes.


class Refused(Exception):
    """The model says that the export fails."""


class Model:
    """Plain Python: a cell at a time."""

    def __init__(self, case: Case) -> None:
        self.options = case.options
        self.changed = {"CHARACTERS_REPLACED": 0, "FORMULAS_GUARDED": 0}
        self.codec = case.options["encoding"]
        self.delimiter = "\t" if case.options["delimiter"] == "tab" else case.options["delimiter"]
        self.end = "\r\n" if case.options["line_terminator"] == "crlf" else "\n"
        self.rows = [
            [self.cell(column.kind, value) for column, value in zip(case.columns, row, strict=True)]
            for row in zip(*(each.values for each in case.columns), strict=True)
        ]
        self.names = [self.text(each) for each in case.names] if case.options["header"] else []
        self.quoted = [self._quotes(each.kind) for each in case.columns]
        self.lines = self._lines()

    def cell(self, kind: str, value: Any) -> Cell:
        if value is None:
            return None
        if kind in ("text", "large"):
            return self.text(value)
        if kind == "bool":
            return str(self.options["true" if value else "false"])
        if kind in ("float", "decimal"):
            return self.number(value).replace(".", self.options["decimal"])
        if kind == "whole":
            return str(value)
        return self.moment(kind, value)

    def number(self, value: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            return "-0" if str(value) == "-0.0" else str(int(value))
        return format(value, "f") if not isinstance(value, float) else f"{value!r}"

    def moment(self, kind: str, value: int) -> str:
        if kind == "date":
            day = EPOCH + timedelta(days=value)
            return day.strftime(self.options["date_format"] or "%Y-%m-%d")
        wall, suffix = EPOCH + timedelta(seconds=value), ""
        if kind != "naive":
            zone = self.options["timezone"] or ("UTC" if kind == "utc" else "Asia/Shanghai")
            local = datetime.fromtimestamp(value, ZoneInfo(zone))
            wall, suffix = local.replace(tzinfo=None), "Z" if zone == "UTC" else f"{local:%z}"
        if self.options["datetime_format"]:
            return wall.strftime(self.options["datetime_format"])
        return wall.isoformat(" ") + suffix

    def text(self, text: str) -> str:
        # Python's shift_jis reads these back as a backslash and a tilde.
        assume(self.codec != "shift_jis" or not {"\u00a5", "\u203e"} & {*text})
        if text.startswith(FORMULAS) and self.options["formula_guard"] != "off":
            if self.options["formula_guard"] == "reject":
                raise Refused
            self.changed["FORMULAS_GUARDED"] += 1
            text = f"'{text}"
        fitted = "".join(map(self.fitted, text))
        self.changed["CHARACTERS_REPLACED"] += fitted != text
        return fitted

    def fitted(self, character: str) -> str:
        try:
            character.encode(self.codec)
        except UnicodeEncodeError:
            if self.options["encoding_errors"] == "error":
                raise Refused from None
            if self.options["encoding_errors"] == "replace":
                return "?"
            return f"&#{ord(character)};"
        return character

    def _quotes(self, kind: str) -> bool:
        patterned = (kind == "date" and self.options["date_format"]) or (
            kind in ("naive", "zoned", "utc") and self.options["datetime_format"]
        )
        quoting = self.options["quoting"]
        return quoting == "all" or (
            quoting == "strings" and bool(kind in ("text", "large") or patterned)
        )

    def _lines(self) -> str:
        quoting = self.options["quoting"]
        head = [self._line(self.names, [quoting in ("all", "strings")] * len(self.names), True)]
        lines = [self._line(row, self.quoted, not self.options["header"]) for row in self.rows]
        return "".join([*(head if self.options["header"] else []), *lines])

    def _line(self, row: Sequence[Cell], quoted: Sequence[bool], first: bool) -> str:
        cells = [
            self._written(cell, each, alone=len(row) == 1, first=first and place == 0)
            for place, (cell, each) in enumerate(zip(row, quoted, strict=True))
        ]
        return self.delimiter.join(cells) + self.end

    def _written(self, cell: Cell, quoted: bool, *, alone: bool, first: bool) -> str:
        null = str(self.options["null"])
        if self.options["quoting"] == "none":
            shown = null if cell is None else cell
            if re.search(rf'["\r\n{re.escape(self.delimiter)}]', cell or "") or (
                alone and not shown
            ):
                raise Refused
            return shown
        if cell is None:
            return null if null or not alone else '""'
        needed = cell in ("", null) or any(each in cell for each in f'"\r\n{self.delimiter}')
        signature = first and cell.startswith(("ID", "\ufeff"))
        if quoted or needed or signature:
            return '"' + cell.replace('"', '""') + '"'
        return cell


def model_of(case: Case) -> Model | None:
    """None where the export must fail."""
    try:
        return Model(case)
    except Refused:
        return None


def file_of(case: Case, batches: Sequence[pa.RecordBatch] | None = None) -> bytes | None:
    """None where the export fails."""
    batches = case.batches if batches is None else batches
    try:
        return written(batches, case.whole.schema, **case.options).data
    except InvalidData:
        return None


@given(cases())
@settings(max_examples=700, deadline=None)
def test_the_file_is_the_one_that_python_would_write(case: Case) -> None:
    model = model_of(case)
    if model is None:
        assert file_of(case) is None
        return
    data, changed = written(case.batches, case.whole.schema, **case.options)
    assert data.decode(model.codec) == model.lines
    assert changed == {code: count for code, count in model.changed.items() if count}


@given(cases())
@settings(max_examples=250, deadline=None)
def test_the_cut_of_the_stream_leaves_no_trace(case: Case) -> None:
    whole = file_of(case, [case.whole])
    assert file_of(case) == whole
    padding = pa.record_batch(
        [pa.concat_arrays([each.array, each.array]) for each in case.columns], names=case.names
    )
    rows = case.whole.num_rows
    assert file_of(case, [padding.slice(rows)]) == whole
    assert file_of(case, [case.whole.slice(row, 1) for row in range(rows)]) == whole


def readable(case: Case) -> tuple[bytes, Model]:
    """The file of a case that is not refused."""
    model = model_of(case)
    assume(model is not None)
    data = file_of(case)
    assert model is not None
    assert data is not None
    return data, model


def nothing_is_null(model: Model) -> list[list[str]]:
    """The cells for a reader that knows no null: the text for it stands there."""
    null = str(model.options["null"])
    rows = [[null if each is None else each for each in row] for row in model.rows]
    return [*([model.names] if model.options["header"] else []), *rows]


@given(cases())
@settings(max_examples=300, deadline=None)
def test_pythons_reader_finds_every_cell(case: Case) -> None:
    data, model = readable(case)
    quoting = csv.QUOTE_NONE if case.options["quoting"] == "none" else csv.QUOTE_MINIMAL
    lines = io.StringIO(data.decode(model.codec), newline="")
    found = csv.reader(lines, delimiter=model.delimiter, quoting=quoting, strict=True)
    assert list(found) == nothing_is_null(model)


def null_of(case: Case) -> tuple[str, bool]:
    """The text for null, and whether it is told apart by its quotes."""
    alone = len(case.columns) == 1 and not case.options["null"]
    return case.options["null"], case.options["quoting"] != "none" and not alone


def with_nulls(case: Case, model: Model) -> list[list[Cell]]:
    """The cells for a reader that sees quotes: a number like the text for null is one."""
    null, told_apart = null_of(case)
    is_text = [
        each.kind in ("text", "large") or quoted
        for each, quoted in zip(case.columns, model.quoted, strict=True)
    ]
    return [
        [
            None if cell == null and not (told_apart and text) else cell
            for cell, text in zip(row, is_text, strict=True)
        ]
        for row in model.rows
    ]


@given(cases())
@settings(max_examples=300, deadline=None)
def test_arrow_finds_every_cell_and_null(case: Case) -> None:
    data, model = readable(case)
    assume(data.decode(model.codec))
    null, told_apart = null_of(case)
    names = [str(place) for place in range(len(case.columns))]
    # Its own conversion from other encodings is Python's.
    text = data.decode(model.codec).encode()
    assume(not text.startswith(b"\xef\xbb\xbf"))  # which it takes for the mark of the file
    table = pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(
            column_names=names, skip_rows=0, use_threads=False,
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=model.delimiter,
            quote_char=False if case.options["quoting"] == "none" else '"',
            newlines_in_values=True,
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=not told_apart,
        ),
    )  # fmt: skip
    rows = [list(row.values()) for row in table.to_pylist()]
    assert rows[len(rows) - len(model.rows) :] == with_nulls(case, model)
    assert len(rows) == len(model.rows) + case.options["header"]


@given(cases())
@settings(max_examples=120, deadline=None, derandomize=True)  # it refuses a few rare files
def test_duckdb_finds_every_cell(case: Case) -> None:
    """It knows UTF-8 and no text with a NUL, and takes quoted texts for null as well."""
    case.options.update(encoding="utf-8")
    data, model = readable(case)
    assume(model.rows and b"\0" not in data and not data.startswith(b"\xef\xbb\xbf"))
    # A row of one empty cell is an empty line to it, quoted or not.
    assume(len(case.columns) > 1)
    # It takes a carriage return within quotes for the end of a line when it looks for one.
    assume(b"\r" not in data.replace(model.end.encode(), b""))
    names = {str(place): "VARCHAR" for place in range(len(case.columns))}
    with TemporaryDirectory() as directory:
        path = Path(directory, "file.csv")
        path.write_bytes(data)
        found = duckdb.read_csv(
            str(path), header=False, skiprows=0, columns=names, all_varchar=True,
            delimiter=model.delimiter, quotechar="" if case.options["quoting"] == "none" else '"',
            escapechar="" if case.options["quoting"] == "none" else '"', na_values="\x01never",
            auto_detect=False, strict_mode=True,
        ).fetchall()  # fmt: skip
    expected = nothing_is_null(model)
    assert [list(row) for row in found] == expected

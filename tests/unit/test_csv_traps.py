"""The traps that parsers of CSV are tested with, and RFC 4180 rule by rule."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from exporters import CsvOptions, InvalidData, InvalidOptions, Workers, open_exporter

Rows: TypeAlias = Sequence[Sequence[str | None]]
Export: TypeAlias = Callable[..., bytes]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers


@pytest.fixture
def export(workers: Workers) -> Export:
    """The file of a table, or of rows of texts under `c0`, `c1` …"""

    def export(data: pa.Table | Rows, **options: Any) -> bytes:
        table = data if isinstance(data, pa.Table) else texts(data)
        sink = io.BytesIO()
        parsed = CsvOptions.parse(options)
        with open_exporter("csv", sink, table.schema, (), parsed, workers) as exporter:
            for batch in table.to_batches():
                exporter.write_batch(batch)
        return sink.getvalue()

    return export


def texts(rows: Rows) -> pa.Table:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=[f"c{place}" for place in range(len(columns))])


class TestRfc4180:
    """The rules of its section 2, by their numbers."""

    def test_1_each_record_is_on_a_line_of_its_own_that_ends_in_crlf(self, export: Export) -> None:
        rows = [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]
        options = {"header": False, "line_terminator": "crlf", "quoting": "minimal"}
        assert export(rows, **options) == b"aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"

    def test_2_the_last_record_ends_in_a_line_break_too(self, export: Export) -> None:
        assert export([["a"]], header=False, line_terminator="crlf") == b'"a"\r\n'
        assert export([["a"]], header=False, line_terminator="lf") == b'"a"\n'

    def test_3_the_header_has_the_format_of_records(self, export: Export) -> None:
        table = pa.table({'field "1"': ["aaa"], "field,2": ["bbb"], "field\n3": ["ccc"]})
        assert export(table, line_terminator="crlf") == (
            b'"field ""1""","field,2","field\n3"\r\n"aaa","bbb","ccc"\r\n'
        )

    def test_4_spaces_are_part_of_a_field_and_no_comma_follows_the_last(
        self, export: Export
    ) -> None:
        rows = [[" a", "b ", " "], [" ", " ", None]]
        assert export(rows, header=False, quoting="minimal") == b" a,b , \n , ,\n"

    def test_4_every_line_has_as_many_fields_as_the_others(self, export: Export) -> None:
        rows = [["a", None, None], [None, None, None], [None, None, "c"]]
        assert export(rows, header=False) == b'"a",,\n,,\n,,"c"\n'

    def test_5_fields_may_stand_in_quotes(self, export: Export) -> None:
        rows = [["aaa", "bbb", "ccc"]]
        assert export(rows, header=False, quoting="strings") == b'"aaa","bbb","ccc"\n'
        assert export(rows, header=False, quoting="all") == b'"aaa","bbb","ccc"\n'
        assert export(rows, header=False, quoting="minimal") == b"aaa,bbb,ccc\n"
        assert export(rows, header=False, quoting="none") == b"aaa,bbb,ccc\n"

    def test_6_fields_with_line_breaks_quotes_and_commas_stand_in_quotes(
        self, export: Export
    ) -> None:
        rows = [["aaa", "b \r\nbb", "ccc"], ["zzz", "y,yy", "xxx"]]
        options = {"header": False, "line_terminator": "crlf", "quoting": "minimal"}
        assert export(rows, **options) == b'aaa,"b \r\nbb",ccc\r\nzzz,"y,yy",xxx\r\n'

    def test_7_a_quote_within_a_field_is_doubled(self, export: Export) -> None:
        rows = [["aaa", 'b"bb', "ccc"]]
        assert export(rows, header=False) == b'"aaa","b""bb","ccc"\n'
        assert export(rows, header=False, quoting="minimal") == b'aaa,"b""bb",ccc\n'


def around(text: str) -> Rows:
    """A text in the first, a middle and the last cell, and in all of a line."""
    return [
        [text, "m", "l"],
        ["f", text, "l"],
        ["f", "m", text],
        [text, text, text],
        [text + "x", f"x{text}x", "x" + text],
    ]


CASES: dict[str, Rows] = {
    "plain": [["a", "b"], ["c", "d"]],
    "quote": around('"'),
    "two quotes": around('""'),
    "three quotes": around('"""'),
    "quotes around": around('"quoted"'),
    "quote and comma": around('","'),
    "quote and line end": around('"\n"'),
    "comma": around(","),
    "commas": around(",,"),
    "semicolon": around(";"),
    "tab": around("\t"),
    "pipe": around("|"),
    "LF": around("\n"),
    "CR": around("\r"),
    "CRLF": around("\r\n"),
    "LF CR": around("\n\r"),
    "line ends": around("\n\n\n"),
    "blank lines within": around("a\n\nb\r\n\r\nc"),
    "a line like a record": around('a\n"f","m","l"\nb'),
    "space": around(" "),
    "spaces around": around("  padded  "),
    "space before a quote": around(' "x" '),
    "no-break space": around("\u00a0"),
    "ideographic space": around("\u3000"),
    "byte order mark": around("\ufeff"),
    "U+2028": around("\u2028"),
    "U+2029": around("\u2029"),
    "next line": around("\u0085"),
    "vertical tab and form feed": around("\x0b\x0c"),
    "file and record separators": around("\x1c\x1d\x1e\x1f"),
    "escape and delete": around("\x1b[0m\x7f"),
    "Ctrl-Z": around("\x1a"),
    "NUL": around("\x00"),
    "NUL before a quote": around('\x00"\x00'),
    "backslash": around("\\"),
    "backslash and quote": around('\\"'),
    "backslash and letter": around("\\n\\t\\N"),
    "apostrophe": around("'"),
    "number sign": around("#"),
    "comment": around("# no comment"),
    "SYLK": around("ID"),
    "leading zeros": around("007"),
    "long digits": around("12345678901234567890123456789"),
    "exponent": around("1e5"),
    "number with a point": around("1.50"),
    "date": around("2024-02-29"),
    "boolean": around("true"),
    "not a number": around("NaN"),
    "null in words": around("NULL"),
    "null of databases": around("\\N"),
    "NA": around("NA"),
    "formula": around("=1+1"),
    "emoji": around("👩‍👩‍👧‍👦🏳️‍🌈😀"),
    "beyond the basic plane": around("𠮷野家"),
    "Chinese": around("张三，李四"),
    "combining marks": around(unicodedata.normalize("NFD", "é ü ñ")),
    "right to left": around("שלום, עולם \u202eabc\u202c"),
    "replacement character": around("\ufffd"),
    "non-characters": around("\ufffe\uffff\U0010ffff"),
    "zero width": around("\u200b\u200d\u2060"),
    "empty first": [["", "x"], [None, "x"]],
    "empty last": [["x", ""], ["x", None]],
    "only empty": [["", ""], ["", ""]],
    "only null": [[None, None], [None, None]],
    "empty beside null": [["", None], [None, ""]],
    "one cell": [["x"]],
    "one column": [["a"], ["b\nc"], ['"'], [" "]],
    "one column of empty texts": [["a"], [""], ["b"]],
    "long cells": [["x" * 2**20, "y"], ["y", '"\n,' * 2**18]],
    "long cell of Chinese": [["张" * 2**18, None]],
    "many columns": [[str(n) if n % 3 else None for n in range(1_000)]],
    "many rows": [[str(n)] for n in range(20_000)],
    "many empty rows": [["", None]] * 20_000,
}  # fmt: skip


def is_delimiter(character: str) -> bool:
    """Whether no number, date or quote has it, as docs/formats.md says."""
    return not character.isalnum() and character not in '+-.: "\r\n'


def needs_quotes(rows: Rows) -> bool:
    """Whether a text would part its line, or be an empty line."""
    return any(
        (len(row) == 1 and not row[0]) or any(set(cell or "") & set('",\r\n') for cell in row)
        for row in rows
    )


Read: TypeAlias = list[list[str | None]]
Reader: TypeAlias = Callable[[Path, str, Sequence[str]], Read]
"""Of a file, its delimiter and its names, to all rows below these."""


def by_python(path: Path, delimiter: str, names: Sequence[str]) -> Read:
    """It knows no null: an empty text is one, and so is what is compared."""
    previous = csv.field_size_limit(2**30)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, delimiter=delimiter, strict=True)
    finally:
        csv.field_size_limit(previous)
    assert header == names
    return [list(row) for row in rows]


def by_arrow(path: Path, delimiter: str, names: Sequence[str]) -> Read:
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(block_size=2**24),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    assert table.column_names == names
    return [list(row.values()) for row in table.to_pylist()]


def by_polars(path: Path, delimiter: str, names: Sequence[str]) -> Read:
    frame = pl.read_csv(path, separator=delimiter, infer_schema=False)
    assert frame.columns == names
    return [list(row) for row in frame.iter_rows()]


def by_duckdb(path: Path, delimiter: str, names: Sequence[str]) -> Read:
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    query = f"""
        SELECT * FROM read_csv($path, delim = $delimiter, quote = '"', escape = '"', header = true,
        columns = {{{types}}}, auto_detect = false, allow_quoted_nulls = false, strict_mode = true,
        max_line_size = 100000000)
    """
    with duckdb.connect() as connection:
        found = connection.execute(query, {"path": str(path), "delimiter": delimiter})
        return [list(row) for row in found.fetchall()]


READERS: dict[str, Reader] = {
    "python": by_python,
    "arrow": by_arrow,
    "polars": by_polars,
    "duckdb": by_duckdb,
}
"""There is no case that one of them cannot read."""


def without_null(rows: Rows) -> list[list[str | None]]:
    return [[cell or "" for cell in row] for row in rows]


def assert_reads(reader: str, data: bytes, rows: Rows, delimiter: str, path: Path) -> None:
    path.write_bytes(data)
    names = [f"c{place}" for place in range(len(rows[0]))]
    got = READERS[reader](path, delimiter, names)
    assert got == (without_null(rows) if reader == "python" else list(map(list, rows)))


@pytest.mark.parametrize("line_terminator", ["lf", "crlf"])
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reader", READERS)
def test_what_was_sent_is_read(
    export: Export, tmp_path: Path, reader: str, case: str, quoting: str, line_terminator: str
) -> None:
    data = export(CASES[case], quoting=quoting, line_terminator=line_terminator)
    assert_reads(reader, data, CASES[case], ",", tmp_path / "a.csv")


DELIMITERS = ["tab", *(chr(each) for each in range(1, 128) if is_delimiter(chr(each)))]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("quoting", ["strings", "minimal"])
@pytest.mark.parametrize("reader", READERS)
def test_every_delimiter_may_stand_within_texts(
    export: Export, tmp_path: Path, reader: str, delimiter: str, quoting: str
) -> None:
    character = "\t" if delimiter == "tab" else delimiter
    rows = [*around(character), *around(f'{character}"{character}\n'), ["", None, "ab"]]
    data = export(rows, delimiter=delimiter, quoting=quoting)
    assert_reads(reader, data, rows, character, tmp_path / "a.csv")


@pytest.mark.parametrize("delimiter", sorted(set(map(chr, range(128))) - {*DELIMITERS}))
def test_what_values_are_written_with_is_no_delimiter(export: Export, delimiter: str) -> None:
    with pytest.raises(InvalidOptions, match=r"use 'tab' or one ASCII character"):
        export([["a"]], delimiter=delimiter)


@pytest.mark.parametrize("line_terminator", ["lf", "crlf"])
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize("reader", READERS)
def test_no_row_of_a_single_null_or_empty_text_is_lost(
    export: Export, tmp_path: Path, reader: str, quoting: str, line_terminator: str
) -> None:
    """Which of the two it was is not in the file: both are `""`."""
    options = {"quoting": quoting, "line_terminator": line_terminator}
    data = export([[None], ["a"], [""], [None]], **options)
    end = {"lf": "\n", "crlf": "\r\n"}[line_terminator]
    a = "a" if quoting == "minimal" else '"a"'
    assert data.decode().split(end)[1:] == ['""', a, '""', '""', ""]
    assert_reads(reader, data, [[""], ["a"], [""], [""]], ",", tmp_path / "a.csv")


UNQUOTED = {name: rows for name, rows in CASES.items() if not needs_quotes(rows)}


@pytest.mark.parametrize("case", UNQUOTED)
def test_texts_that_need_no_quotes_are_written_without_any(export: Export, case: str) -> None:
    lines = [",".join(cell or "" for cell in row) for row in UNQUOTED[case]]
    data = export(UNQUOTED[case], quoting="none", header=False)
    assert data.decode().split("\n") == [*lines, ""]


@pytest.mark.parametrize("case", sorted(CASES.keys() - UNQUOTED.keys()))
def test_texts_that_need_quotes_are_refused_where_there_are_none(export: Export, case: str) -> None:
    row, column = next(
        (row, column)
        for column in range(len(CASES[case][0]))
        for row, cells in enumerate(CASES[case])
        if needs_quotes([[cells[column]] * min(len(cells), 2)])
    )
    with pytest.raises(InvalidData, match=rf"^column 'c{column}', row {row + 1}: "):
        export(CASES[case], quoting="none")

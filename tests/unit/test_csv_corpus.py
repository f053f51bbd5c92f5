"""RFC 4180 byte by byte, and the texts on which writers and readers of CSV have come to grief."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from tests.support.csv_files import file_of, python_rows

Rows = list[list[str]]
Read = Callable[[bytes, str, Path], Rows]


# RFC 4180, section 2.


def test_rule_1_each_record_is_a_line_ended_by_crlf() -> None:
    data = file_of(
        {"a": ["aaa", "zzz"], "b": ["bbb", "yyy"]},
        header=False, quoting="minimal", line_terminator="crlf",
    )  # fmt: skip
    assert data == b"aaa,bbb\r\nzzz,yyy\r\n"


def test_rule_2_the_last_line_has_its_end_too() -> None:
    assert file_of({"a": ["x"]}, header=False, line_terminator="crlf") == b'"x"\r\n'


def test_rule_3_the_names_are_a_line_as_any_other() -> None:
    data = file_of(
        {"field_name": ["aaa"], "other": ["bbb"]}, quoting="minimal", line_terminator="crlf"
    )
    assert data == b"field_name,other\r\naaa,bbb\r\n"


def test_rule_4_spaces_are_part_of_a_field_and_no_comma_follows_the_last() -> None:
    assert file_of({"a": [" a "], "b": ["b "]}, quoting="minimal") == b"a,b\n a ,b \n"


def test_rule_5_a_field_may_be_in_quotes_and_one_without_has_none() -> None:
    table = {"a": ["aaa", "b"], "b": [1, 2]}
    assert file_of(table, header=False) == b'"aaa",1\n"b",2\n'
    assert file_of(table, header=False, quoting="minimal") == b"aaa,1\nb,2\n"


def test_rule_6_line_ends_quotes_and_commas_are_within_quotes() -> None:
    table = {"a": ["aaa", "c\nd"], "b": ["b\r\nbb", "e,f"], "c": ["ccc", "g\rh"]}
    data = file_of(table, header=False, quoting="minimal", line_terminator="crlf")
    assert data == b'aaa,"b\r\nbb",ccc\r\n"c\nd","e,f","g\rh"\r\n'


def test_rule_7_a_quote_is_written_twice() -> None:
    table = {"a": ["aaa"], "b": ['b"bb'], "c": ["ccc"]}
    assert file_of(table, header=False, quoting="minimal") == b'aaa,"b""bb",ccc\n'
    assert file_of(table, header=False) == b'"aaa","b""bb","ccc"\n'


# Readers that are not ours.


def by_python(data: bytes, delimiter: str, _directory: Path) -> Rows:
    return python_rows(data.decode(), delimiter)


def by_arrow(data: bytes, delimiter: str, _directory: Path) -> Rows:
    width = len(python_rows(data.decode(), delimiter)[0])
    names = [str(place) for place in range(width)]
    table = pacsv.read_csv(
        io.BytesIO(data),
        pacsv.ReadOptions(column_names=names, block_size=1 << 23),
        pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=["\1null"]
        ),
    )
    return [list(row.values()) for row in table.to_pylist()]


def by_polars(data: bytes, delimiter: str, _directory: Path) -> Rows:
    frame = pl.read_csv(data, has_header=False, separator=delimiter, infer_schema=False)
    return [["" if each is None else each for each in row] for row in frame.iter_rows()]


def by_duckdb(data: bytes, delimiter: str, directory: Path) -> Rows:
    path = directory / "file.csv"
    path.write_bytes(data)
    width = len(python_rows(data.decode(), delimiter)[0])
    names = {f"c{place}": "VARCHAR" for place in range(width)}
    found = duckdb.read_csv(
        str(path), header=False, columns=names, delimiter=delimiter, quotechar='"',
        escapechar='"', auto_detect=False, na_values="\1null", max_line_size=1 << 23,
        buffer_size=1 << 25, parallel=False,
    ).fetchall()  # fmt: skip
    return [list(row) for row in found]


READERS: dict[str, Read] = {
    "python": by_python, "arrow": by_arrow, "polars": by_polars, "duckdb": by_duckdb,
}  # fmt: skip

reader = pytest.mark.parametrize("reader", READERS)

TRAPS: dict[str, list[str]] = {
    "quotes": ['a"b', '"a', 'a"', '"a"', '""', 'a""b'],
    "quotes alone": ['"', '""', '"""', '""""', '"' * 99],
    "delimiters": ["a,b", ",a", "a,", ",", ",,,", 'a,"b",c', '",'],
    "line feeds": ["a\nb", "\na", "a\n", "\n", "\n\n", 'a"\n"b', "a,\n,b"],
    "carriage returns": ["a\rb", "\ra", "a\r", "\r", "\r\r"],
    "both": ["a\r\nb", "\r\na", "a\r\n", "\r\n", "\n\r", '"\r\n"'],
    "spaces": [" a", "a ", " ", "  ", "\ta", "a\t", "\t", "\u00a0", "\u3000字\u3000"],
    "backslashes": ["\\", "a\\", '\\"', "\\n", "\\\\", 'a\\"b', "\\N", '\\",'],
    "signatures": ["ID", "ID;PWXL;N;E", "IDENTITY", "PK\x03\x04", "%PDF-1.7", "sep=;", "<html>"],
    "numbers": ["007", "00", "+1", "1e5", "1E400", "0x1F", "12345678901234567890", "9" * 40,
                "1.0", ".5", "1,5", "-0", "NaN", "inf", "1_000"],
    "words": ["true", "FALSE", "NULL", "null", "NA", "N/A", "nan", "None", "-", "\\N", "#N/A"],
    "dates": ["2024-02-29", "1/2/3", "MARCH1", "SEPT2", "24:00", "2024-02-30"],
    "comments": ["#", "# a", "#a", "//", "--", ";a", "!a"],
    "formulas": ["=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("a","b")', "=cmd|' /C calc'!A0"],
    "emoji": ["😀", "👨‍👩‍👧", "🇨🇳", "e\u0301", "a😀b"],
    "right to left": ["שלום", "مرحبا", "a\u202eb\u202c", "\u200f"],
    "Chinese": ["漢字", "𠮷野家", "，", "“引”", "﹐", "＂"],
    "line ends of Unicode": ["a\u2028b", "\u2029", "a\x85b", "a\x0bb", "a\x0cb", "\x1c\x1d\x1e"],
    "marks": ["a\ufeffb", "a\ufeff", "\ufffe", "\uffff", "\ufffd"],
    "controls": ["\x01", "a\x08b", "\x1a", "\x1b[31m", "\x7f"],
    "apostrophes": ["'", "'a'", "a'b", "''", "`", "´"],
}  # fmt: skip


def check(reader: str, table: dict[str, Any], directory: Path, **options: Any) -> None:
    """All cells of a table of texts are read back, null as nothing."""
    delimiter = options.get("delimiter", ",")
    columns = [["" if each is None else each for each in column] for column in table.values()]
    data = file_of(table, **options)
    rows = READERS[reader](data, "\t" if delimiter == "tab" else delimiter, directory)
    assert rows == [list(table), *map(list, zip(*columns, strict=True))]


@reader
@pytest.mark.parametrize("end", ["lf", "crlf"])
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_read_back_in_the_first_middle_and_last_column(
    trap: str, quoting: str, end: str, reader: str, tmp_path: Path
) -> None:
    texts = TRAPS[trap]
    table = {"a": texts, "b": texts[::-1], "c": ["x"] * len(texts), "d": texts}
    check(reader, table, tmp_path, quoting=quoting, line_terminator=end)


@reader
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_read_back_alone(trap: str, reader: str, tmp_path: Path) -> None:
    check(reader, {"a": TRAPS[trap]}, tmp_path)


@pytest.mark.parametrize(
    ("trap", "reader"),
    [
        (trap, reader)
        for trap, texts in TRAPS.items()
        for reader in READERS
        if reader != "duckdb" or "\r" not in "".join(texts)
    ],
)
def test_a_trap_is_read_back_as_a_name(trap: str, reader: str, tmp_path: Path) -> None:
    """DuckDB takes the first carriage return of a file, quoted or not, for the end of its line."""
    check(reader, {text: ["x"] for text in TRAPS[trap]}, tmp_path, quoting="minimal")


@reader
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize(
    "table",
    [
        {"a": ["", "x"], "b": ["y", ""]},
        {"a": ["", ""], "b": ["", ""]},
        {"a": [None, "x"], "b": ["y", None]},
        {"a": [None, None], "b": [None, None], "c": [None, ""]},
    ],
    ids=["empty", "only empty", "null", "only null"],
)
def test_empty_cells_at_either_end_are_cells(
    table: dict[str, Any], quoting: str, reader: str, tmp_path: Path
) -> None:
    arrays = {name: pa.array(each, pa.string()) for name, each in table.items()}
    data = file_of(arrays, quoting=quoting)
    rows = READERS[reader](data, ",", tmp_path)
    assert rows[1:] == [[each or "" for each in row] for row in zip(*table.values(), strict=True)]


@reader
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
def test_no_row_of_a_single_null_is_lost(quoting: str, reader: str, tmp_path: Path) -> None:
    data = file_of({"v": pa.array([None, 1, None, None])}, quoting=quoting)
    assert READERS[reader](data, ",", tmp_path) == [["v"], [""], ["1"], [""], [""]]


@reader
@pytest.mark.parametrize("delimiter", [";", "tab", "|", "~", "^", "\\", "!", "*", "_", "/", "{"])
def test_a_delimiter_within_a_text_parts_no_cells(
    delimiter: str, reader: str, tmp_path: Path
) -> None:
    mark = "\t" if delimiter == "tab" else delimiter
    texts = [mark, f"a{mark}b", f"{mark}a", f"a{mark}", mark * 3, f'"{mark}"', ",", "x"]
    for quoting in ("strings", "minimal"):
        check(reader, {"a": texts, "b": texts}, tmp_path, delimiter=delimiter, quoting=quoting)


@pytest.mark.parametrize("reader", ["python", "arrow", "polars"])
def test_nul_is_a_character_as_any_other(reader: str, tmp_path: Path) -> None:
    """DuckDB refuses it in a file."""
    check(reader, {"a": ["\0", "a\0b", "\0a", "a\0"], "b": ["x"] * 4}, tmp_path)


@reader
@pytest.mark.parametrize("quoting", ["strings", "minimal"])
def test_a_byte_order_mark_that_begins_the_data_is_kept(
    quoting: str, reader: str, tmp_path: Path
) -> None:
    check(reader, {"\ufeffa": ["\ufeffb", "c"], "b": ["\ufeff", "d"]}, tmp_path, quoting=quoting)


@pytest.mark.parametrize("reader", ["arrow", "polars", "duckdb"])
@pytest.mark.parametrize(
    "text", ["x" * 2**20, '"' * 2**19, "字\n" * 2**18], ids=["x", "quotes", "lines"]
)
def test_a_text_of_a_megabyte_is_one_cell(text: str, reader: str, tmp_path: Path) -> None:
    """Python's reader takes 128 KiB a cell unless it is told otherwise, for the whole process."""
    data = file_of({"a": [text, "x"], "b": ["y", text]}, header=False)
    rows = data.decode().split('"x"')
    assert len(rows) == 2
    names = ["a", "b"]
    if reader == "arrow":
        found = pacsv.read_csv(
            io.BytesIO(data),
            pacsv.ReadOptions(column_names=names, block_size=1 << 24),
            pacsv.ParseOptions(newlines_in_values=True),
        ).to_pylist()
    elif reader == "polars":
        frame = pl.read_csv(data, has_header=False, new_columns=names, infer_schema=False)
        found = frame.to_dicts()
    else:
        path = tmp_path / "file.csv"
        path.write_bytes(data)
        columns = dict.fromkeys(names, "VARCHAR")
        relation = duckdb.read_csv(
            str(path), header=False, columns=columns, auto_detect=False, quotechar='"',
            escapechar='"', max_line_size=1 << 23, buffer_size=1 << 25, parallel=False,
        )  # fmt: skip
        found = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    assert found == [{"a": text, "b": "y"}, {"a": "x", "b": text}]


@reader
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
def test_a_thousand_columns_of_one_row_are_one_line(
    quoting: str, reader: str, tmp_path: Path
) -> None:
    table = {f"c{place}": [f'{place},"'] for place in range(1000)}
    check(reader, table, tmp_path, quoting=quoting)

"""Reads exported files with readers that are not ours and compares every cell with the source."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import python_calamine

_CHUNK_ROWS: Final = 16_384

_EPOCH_UNIT: Final = pa.timestamp("us")


class Mismatch(Exception):
    """The file is not the source; the message names the first row and column that differ."""


def compare_csv(path: Path, source: pa.Table) -> int:
    """Compare a CSV file, read by pyarrow, with `source`; how many cells are equal.

    Null and empty text are told apart: only the first is unquoted. Raises `Mismatch`.
    """
    options = pacsv.ConvertOptions(
        column_types=source.schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        found = pacsv.read_csv(path, convert_options=options)
    except pa.ArrowInvalid as error:
        raise Mismatch(f"pyarrow cannot read the CSV file as the source's types: {error}") from None
    _check_names(found.column_names, source)
    _check_rows(found.num_rows, source)
    for name in source.column_names:
        _check_values(name, 0, found[name].combine_chunks(), source[name].combine_chunks())
    return int(source.num_rows * source.num_columns)


def compare_xlsx(path: Path, source: pa.Table) -> int:
    """Compare a workbook, read by calamine, with `source`; how many cells are equal.

    A workbook's numbers are floats and its timestamps show the clock of their zone; calamine
    reads an empty text as an empty cell. Raises `Mismatch`.
    """
    expected = _as_in_excel(source)
    at = 0
    for chunk in _sheet_chunks(path, source):
        piece = expected.slice(at, len(chunk))
        _check_rows(at + len(chunk), source, so_far=True)
        for name, values in zip(source.column_names, zip(*chunk, strict=True), strict=True):
            want = piece[name].combine_chunks()
            _check_values(name, at, _read_cells(name, at, values, want.type), want)
        at += len(chunk)
    _check_rows(at, source)
    return int(source.num_rows * source.num_columns)


def _sheet_chunks(path: Path, source: pa.Table) -> Iterator[list[list[Any]]]:
    """The data rows of all sheets, some thousands at a time; each sheet has its header."""
    with python_calamine.load_workbook(path) as book:
        for name in book.sheet_names:
            rows = iter(book.get_sheet_by_name(name).iter_rows())
            _check_names(next(rows, []), source)
            while chunk := list(islice(rows, _CHUNK_ROWS)):
                yield chunk


def _as_in_excel(source: pa.Table) -> pa.Table:
    """The source as Excel can hold it."""
    return pa.table({name: _column_in_excel(source[name]) for name in source.column_names})


def _column_in_excel(column: pa.ChunkedArray) -> pa.ChunkedArray:
    types = pa.types
    if types.is_integer(column.type) or types.is_floating(column.type):
        return column.cast(pa.float64())
    if types.is_timestamp(column.type):
        local = pc.local_timestamp(column) if column.type.tz else column
        return local.cast(_EPOCH_UNIT)
    if types.is_string(column.type):
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column


def _read_cells(name: str, at: int, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    cells = [None if value == "" else value for value in values]
    if pa.types.is_timestamp(kind):
        cells = [_midnight(value) if type(value) is date else value for value in cells]
    try:
        return pa.array(cells, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        last = at + len(cells)
        where = f"column {name!r}, rows {at + 1:,} to {last:,}"
        raise Mismatch(f"{where}: a cell is not {kind}: {error}") from None


def _midnight(day: date) -> datetime:
    """A whole number of days is a date to calamine, whatever the cell's format shows."""
    return datetime.combine(day, time.min)


def _check_names(found: Sequence[Any], source: pa.Table) -> None:
    if list(found) != source.column_names:
        raise Mismatch(f"the header is {list(found)}; the source has {source.column_names}")


def _check_rows(found: int, source: pa.Table, *, so_far: bool = False) -> None:
    if found > source.num_rows or (not so_far and found < source.num_rows):
        raise Mismatch(f"the file has {found:,} rows; the source has {source.num_rows:,}")


def _check_values(name: str, at: int, found: pa.Array, expected: pa.Array) -> None:
    """Both null or both the same, in every row; `at` rows came before these."""
    equal = pc.fill_null(pc.equal(found, expected), False)
    same = pc.or_(equal, pc.and_(pc.is_null(found), pc.is_null(expected)))
    row = pc.index(same, False).as_py()
    if row >= 0:
        raise Mismatch(
            f"row {at + row + 1:,}, column {name!r}: the file has {found[row].as_py()!r}, "
            f"the source {expected[row].as_py()!r}"
        )

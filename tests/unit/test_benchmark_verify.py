"""The demo's comparison finds a cell that differs, and says which."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter

from benchmarks.verify import Mismatch, compare_csv, compare_xlsx

Row = list[Any]

SOURCE = pa.table(
    {
        "count": pa.array([1, None, 3], pa.int64()),
        "name": ["first", "", None],
        "at": pa.array(
            [datetime(2013, 1, 1, 5, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC), None],
            pa.timestamp("s", "UTC"),
        ),
    }
)

EXCEL_ROWS: list[Row] = [
    [1, "first", datetime(2013, 1, 1, 5)],
    [None, None, datetime(2013, 1, 2)],
    [3, None, None],
]

CSV_ROWS = [
    '"count","name","at"',
    '1,"first",2013-01-01 05:00:00Z',
    ',"",2013-01-02 00:00:00Z',
    "3,,",
]


def write_csv(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_xlsx(path: Path, rows: list[Row], *, rows_a_sheet: int = 100) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        for start in range(0, len(rows), rows_a_sheet):
            sheet = book.add_worksheet()
            for number, row in enumerate(
                [SOURCE.column_names, *rows[start : start + rows_a_sheet]]
            ):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write(number, column, value)
    return path


def changed(rows: list[Row], row: int, column: int, value: object) -> list[Row]:
    copy = [list(each) for each in rows]
    copy[row][column] = value
    return copy


def test_an_equal_csv_file_gives_its_number_of_cells(tmp_path: Path) -> None:
    assert compare_csv(write_csv(tmp_path / "a.csv", CSV_ROWS), SOURCE) == 9


def test_an_equal_workbook_gives_its_number_of_cells(tmp_path: Path) -> None:
    assert compare_xlsx(write_xlsx(tmp_path / "a.xlsx", EXCEL_ROWS), SOURCE) == 9


def test_a_workbook_of_several_sheets_is_one_table(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", EXCEL_ROWS, rows_a_sheet=2)
    assert compare_xlsx(path, SOURCE) == 9


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (
            1,
            '2,"first",2013-01-01 05:00:00Z',
            r"row 1, column 'count': the file has 2, the source 1",
        ),
        (2, ",,2013-01-02 00:00:00Z", "row 2, column 'name': the file has None, the source ''"),
        (3, '3,"",', "row 3, column 'name': the file has '', the source None"),
        (0, '"count","name","when"', "the header is"),
        (1, 'x,"first",2013-01-01 05:00:00Z', "pyarrow cannot read"),
    ],
)
def test_a_csv_file_that_differs_is_told(
    tmp_path: Path, line: int, text: str, message: str
) -> None:
    lines = [text if number == line else old for number, old in enumerate(CSV_ROWS)]
    with pytest.raises(Mismatch, match=message):
        compare_csv(write_csv(tmp_path / "a.csv", lines), SOURCE)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(EXCEL_ROWS, 2, 0, 4), "row 3, column 'count': the file has 4.0, the source 3.0"),
        (changed(EXCEL_ROWS, 1, 0, 0), "row 2, column 'count': the file has 0.0, the source None"),
        (changed(EXCEL_ROWS, 0, 0, "1"), "column 'count', rows 1 to 3: a cell is not double"),
        (changed(EXCEL_ROWS, 0, 1, "First"), "row 1, column 'name'"),
        (changed(EXCEL_ROWS, 0, 2, datetime(2013, 1, 1, 5, 0, 1)), "row 1, column 'at'"),
        (EXCEL_ROWS[:2], "the file has 2 rows; the source has 3"),
        ([*EXCEL_ROWS, [4, "more", None]], "the file has 4 rows; the source has 3"),
    ],
)
def test_a_workbook_that_differs_is_told(tmp_path: Path, rows: list[Row], message: str) -> None:
    with pytest.raises(Mismatch, match=message):
        compare_xlsx(write_xlsx(tmp_path / "a.xlsx", rows), SOURCE)


def test_a_csv_file_without_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(Mismatch, match="the file has 0 rows; the source has 3"):
        compare_csv(write_csv(tmp_path / "a.csv", CSV_ROWS[:1]), SOURCE)

"""Columns of texts that are read: what becomes a number, a date, a boolean, and what stays text."""

import io
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from exporters import ColumnOptions, CsvOptions, Workers, open_exporter
from tests.support.workbooks import File, written

MORNING = datetime(2024, 1, 5, 10, 30)
DAY = datetime(2024, 1, 5)


def book(kind: str | None, *values: str | None, wish: str | None = None, **options: Any) -> File:
    batch = pa.record_batch({"value": pa.array(values, pa.string())})
    asked = ColumnOptions("value", type=kind, format=wish, lenient=True)  # type: ignore[arg-type]
    return written(batch, [asked], **options)


def cells(file: File) -> list[object]:
    return [row[0] for row in file.rows[0][1:]]


def formats(file: File) -> list[str]:
    return [str(row[0].number_format) for row in file.sheet.iter_rows(min_row=2)]


def test_numbers_are_numbers_in_the_digits_that_they_came_with() -> None:
    file = book("number", "1.50", "-3", "0.1", "999999999999999")
    assert cells(file) == [1.5, -3, 0.1, 999_999_999_999_999]
    assert [each.text for each in file.found("v")][1:] == ["1.50", "-3", "0.1", "999999999999999"]
    assert file.warnings == {}


def test_texts_among_numbers_stay_texts_in_their_own_cells_and_are_counted() -> None:
    file = book("number", "1", "n/a", "007", "1e3", "12345678901234567890", None, "<&>")
    assert cells(file) == [1, "n/a", "007", 1000, "12345678901234567890", None, "<&>"]
    assert file.warnings == {"UNREAD_NUMBERS_AS_TEXT": 3, "LONG_NUMBERS_AS_TEXT": 1}


def test_a_number_format_is_excels() -> None:
    file = book("number", "1234.5", "n/a", wish="#,##0.00")
    assert formats(file)[0] == "#,##0.00"
    assert file.warnings == {"UNREAD_NUMBERS_AS_TEXT": 1}


def test_a_format_that_nobody_knows_is_told_and_does_not_stop_the_export() -> None:
    file = book("number", "1", wish="%.2f")
    assert cells(file) == [1]
    assert file.warnings == {"FORMATS_IGNORED": 1}


def test_days_look_like_days_and_times_like_times() -> None:
    file = book("date", "2024-01-05", "2024-01-05 10:30:00", "1704450600", "2024/1/5")
    assert cells(file) == [DAY, MORNING, MORNING, DAY]
    day, time = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
    assert formats(file) == [day, time, time, day]
    assert file.warnings == {}


@pytest.mark.parametrize("values", [["2024-01-05"], ["2024-01-05 10:30"]])
def test_columns_of_one_kind_look_alike(values: list[str]) -> None:
    file = book("date", *values * 3, date_format="d.m.yy", datetime_format="d.m.yy h:mm")
    assert len(set(formats(file))) == 1
    assert formats(file)[0] == ("d.m.yy h:mm" if ":" in values[0] else "d.m.yy")


def test_dates_are_read_and_shown_in_the_given_notation() -> None:
    file = book("date", "05/01/2024", "5/1/2024", wish="d/m/Y")
    assert cells(file) == [DAY, DAY]
    assert formats(file) == ["dd/mm/yyyy"] * 2


def test_what_is_no_date_and_what_excel_lacks_stay_as_they_came() -> None:
    file = book("date", "2024-01-05", "0000-00-00", "soon", None, "1899-12-31")
    assert cells(file) == [DAY, "0000-00-00", "soon", None, "1899-12-31"]
    assert file.warnings == {"UNREAD_DATES_AS_TEXT": 2, "DATES_AS_TEXT": 1}


def test_the_end_of_time_stays_within_excels() -> None:
    file = book("date", "9999-12-31", "9999-12-31 23:59:59", "9999-12-31 23:59:59.9999")
    assert cells(file)[:2] == [datetime(9999, 12, 31), datetime(9999, 12, 31, 23, 59, 59)]
    assert cells(file)[2] == "9999-12-31 23:59:59.9999"


def test_times_with_an_offset_are_shown_in_the_zone_that_was_asked_for() -> None:
    file = book("date", "2024-01-05T10:30:00+08:00", timezone="UTC")
    assert cells(file) == [datetime(2024, 1, 5, 2, 30)]


def test_booleans_are_booleans_and_other_words_stay_texts() -> None:
    file = book("boolean", "true", "N", "1", None, "maybe")
    assert cells(file) == [True, False, True, None, "maybe"]
    assert file.warnings == {"UNREAD_BOOLEANS_AS_TEXT": 1}


def test_texts_stay_texts_and_nulls_are_no_cells() -> None:
    file = book(None, "1", "2024-01-05", None, "=1+1")
    assert cells(file) == ["1", "2024-01-05", None, "=1+1"]
    assert len(file.found("c")) == 4  # the header and three


def test_columns_may_have_the_same_header() -> None:
    batch = pa.record_batch({"a": pa.array(["1"]), "b": pa.array(["2"])})
    asked = [ColumnOptions(name, header="id", type="number", lenient=True) for name in "ab"]
    assert written(batch, asked).rows == [[("id", "id"), (1, 2)]]


@pytest.mark.parametrize("kind", ["number", "date", "boolean"])
def test_a_large_block_that_is_mostly_empty_has_its_cells_in_their_rows(kind: str) -> None:
    """Such columns go a way of their own."""
    value = {"number": "2.5", "date": "2024-01-05", "boolean": "yes"}[kind]
    read = {"number": 2.5, "date": DAY, "boolean": True}[kind]
    rows = 10_000
    values = [None if row % 5 else value if row % 2 else "other" for row in range(rows)]
    batch = pa.record_batch({"n": pa.array(map(str, range(rows))), "value": pa.array(values)})
    asked = [
        ColumnOptions("n", type="number", lenient=True),
        ColumnOptions("value", type=kind, lenient=True),  # type: ignore[arg-type]
    ]
    found = [row[1] for row in written(batch, asked).rows[0][1:]]
    assert found == [read if each == value else each for each in values]


def test_blocks_of_a_column_may_differ() -> None:
    first = pa.record_batch({"value": pa.array(["1"] * 20_000)})
    second = pa.record_batch({"value": pa.array(["1", "x"] * 10_000)})
    asked = [ColumnOptions("value", type="number", lenient=True)]
    file = written([first, second], asked)
    assert [row[0] for row in file.rows[0][1:]] == [1] * 20_000 + [1, "x"] * 10_000
    assert file.warnings == {"UNREAD_NUMBERS_AS_TEXT": 10_000}


def test_both_readers_see_the_same() -> None:
    file = book("date", "2024-01-05", "2024-01-05 10:30:00", "soon")
    [[_header, *rows]] = file.by_calamine
    assert [row[0] for row in rows] == [DAY.date(), MORNING, "soon"]


def test_in_csv_texts_stand_as_they_were_sent() -> None:
    batch = pa.record_batch({"value": pa.array(["1.50", "007", "", "2024/1/5"])})
    sink, workers = io.BytesIO(), Workers(threads=1)
    asked = [ColumnOptions("value", header="v", type="number", lenient=True)]
    options = CsvOptions.parse({"quoting": "minimal"})
    with open_exporter("csv", sink, batch.schema, asked, options, workers) as exporter:
        exporter.write_batch(batch)
    workers.close()
    assert sink.getvalue() == b'v\n1.50\n007\n""\n2024/1/5\n'

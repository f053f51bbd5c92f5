from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters import InvalidData, LimitExceeded
from exporters.columns import Projection
from exporters.xlsx import sheets as module
from exporters.xlsx.layout import Layout
from exporters.xlsx.options import XlsxOptions
from exporters.xlsx.sheets import MAX_SHEETS, Sheets, runs
from tests.support.workbooks import File, written


def sheets_of(file: File) -> dict[str, list[Any]]:
    """The first column's values below the header, by sheet."""
    assert file.sheets == len(file.book.sheetnames)
    return {sheet.title: [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
            for sheet in file.book}  # fmt: skip


def split(values: pa.Array | list[Any], **options: Any) -> dict[str, list[Any]]:
    """Rows numbered from 0, split by these values."""
    table = pa.table({"n": range(len(values)), "key": values})
    return sheets_of(written(table, split_by="key", **options))


def test_each_value_gets_a_sheet() -> None:
    assert split(["a", "a", "b", "c", "c", "c"]) == {"a": [0, 1], "b": [2], "c": [3, 4, 5]}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([None, None, "a"], ["(empty)", "a"]),
        (["a", None], ["a", "(empty)"]),
        ([None], ["(empty)"]),
        (["", None, "(empty)"], ["(empty)", "(empty) (2)", "(empty) (3)"]),
    ],
)
def test_null_is_a_value_wherever_it_stands(values: list[str | None], names: list[str]) -> None:
    assert list(split(pa.array(values, pa.string()))) == names


def test_names_that_differ_in_case_only_are_numbered() -> None:
    assert list(split(["a", "A", "b", "A (2)"])) == ["a", "A (2)", "b", "A (2) (2)"]


def test_values_that_excel_cannot_have_for_names_are_cleaned_and_kept_apart() -> None:
    assert list(split(["a/b", "a:b", "a" * 40, "a" * 41, "History"])) == [
        "a_b",
        "a_b (2)",
        "a" * 31,
        "a" * 27 + " (2)",
        "History_",
    ]


def test_sheets_have_the_names_that_were_given_to_their_values() -> None:
    names = {"DE": "Germany", "FR": "France", "XX": "nobody"}
    assert list(split(["DE", "EN", "FR"], sheet_names=names)) == ["Germany", "EN", "France"]


def test_a_name_that_was_given_may_be_the_value_of_a_later_sheet() -> None:
    assert list(split(["a", "b"], sheet_names={"a": "B"})) == ["B", "b (2)"]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (pa.array([1, 1, 2]), ["1", "2"]),
        (pa.array([True, False, None]), ["true", "false", "(empty)"]),
        (pa.array([date(2024, 2, 29)]), ["2024-02-29"]),
        (pa.array([0.5, float("nan"), float("nan")]), ["0.5", "nan"]),
        (pa.array(["x", "x", "y"]).dictionary_encode(), ["x", "y"]),
        (pc.run_end_encode(pa.array(["x", "x", "y"])), ["x", "y"]),
        (pa.array(["x", "y"], pa.string_view()), ["x", "y"]),
        (pa.nulls(2), ["(empty)"]),
    ],
)
def test_values_of_every_type_are_names(values: pa.Array, names: list[str]) -> None:
    batch = pa.record_batch({"n": range(len(values)), "key": values})
    assert list(sheets_of(written(batch, split_by="key"))) == names


def test_a_value_goes_on_through_batches_and_blocks() -> None:
    rows = 60_000
    table = pa.table({"n": range(rows), "key": [f"{n // 25_000}" for n in range(rows)]})
    file = written(table.to_batches(max_chunksize=7_001), split_by="key")
    assert file.book.sheetnames == ["0", "1", "2"]
    found = [[row[0] for row in sheet[1:]] for sheet in file.by_calamine]
    assert found == [[*range(25_000)], [*range(25_000, 50_000)], [*range(50_000, rows)]]


def test_each_value_fills_sheets_of_its_own() -> None:
    values = ["a"] * 5 + ["b"] * 2 + ["c"]
    assert split(values, rows_per_sheet=2) == {
        "a": [0, 1],
        "a (2)": [2, 3],
        "a (3)": [4],
        "b": [5, 6],
        "c": [7],
    }


def test_a_name_that_was_given_is_numbered_too() -> None:
    assert list(split(["a"] * 3, rows_per_sheet=2, sheet_names={"a": "A!"})) == ["A!", "A! (2)"]


@pytest.mark.parametrize("values", [["a", "b", "a"], ["a", "A", "a"], [None, "a", None]])
def test_a_value_that_comes_back_fails_the_export(values: list[str | None]) -> None:
    message = rf"^options.split_by: the rows of {values[0]!r} in column 'key' do not stand together"
    with pytest.raises(InvalidData, match=message):
        split(pa.array(values))


def test_a_value_that_comes_back_in_a_later_batch_fails_too() -> None:
    batches = [pa.record_batch({"key": [each] * 20_000}) for each in "aba"]
    with pytest.raises(InvalidData, match=r"sort the rows by that column"):
        written(batches, split_by="key")


def test_a_long_value_that_comes_back_is_shown_briefly() -> None:
    with pytest.raises(InvalidData) as failed:
        split(["x" * 10_000, "b", "x" * 10_000])
    assert len(str(failed.value)) < 200


def test_more_values_than_anybody_can_use_are_refused() -> None:
    message = "the rows need more than 1000 sheets; split by another column"
    with pytest.raises(LimitExceeded, match=message):
        split(pa.array(range(MAX_SHEETS + 1)))


def test_as_many_values_as_there_may_be_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SHEETS", 40)
    assert len(split(pa.array(range(40)))) == 40


def test_without_rows_there_is_one_sheet_with_its_usual_name() -> None:
    batch = pa.record_batch({"key": pa.array([], pa.string())})
    file = written(batch, split_by="key", sheet_name="Orders")
    assert file.rows == [[("key",)]]
    assert file.book.sheetnames == ["Orders"]


def test_columns_are_as_wide_as_the_values_of_all_sheets_need() -> None:
    file = written(pa.table({"t": ["x", "x" * 30], "key": ["a", "b"]}), split_by="key")
    assert [sheet.column_dimensions["A"].width > 30 for sheet in file.book] == [True, True]


def test_sheets_without_a_column_to_split_by_share_the_name_asked_for() -> None:
    file = written(pa.table({"n": range(5)}), rows_per_sheet=2, sheet_name="Orders")
    assert file.book.sheetnames == ["Orders", "Orders (2)", "Orders (3)"]


# The sheets by themselves


def sheets(**options: Any) -> Sheets:
    schema = pa.schema([("key", pa.string())])
    return Sheets(Layout(Projection(schema), XlsxOptions.parse(options)))


def test_a_sheet_with_rows_has_no_room_for_a_block_that_could_pass_4_gib() -> None:
    filling = sheets()
    assert filling.room(2**33) == filling.room(0)
    filling.take(10, 2**31, [])
    assert filling.room(2**31) == 0
    assert filling.room(2**31 - 2) == filling.room(0)


def test_a_block_that_is_written_is_counted_by_what_it_is() -> None:
    filling = sheets()
    piece = filling.take(10, 2**32, [])
    assert filling.room(1) == 0
    filling.written(piece, 100, 2**32)
    assert filling.room(1) == filling.room(0)


def test_a_block_of_an_earlier_sheet_changes_nothing() -> None:
    filling = sheets()
    piece = filling.take(10, 100, [])
    filling.next()
    filling.take(1, 2**32, [])
    filling.written(piece, 1, 100)
    assert filling.room(1) == 0


def test_rows_go_below_those_before_them() -> None:
    filling = sheets(start_row=3)
    rows = [filling.take(count, 1, []).first_row for count in (10, 5, 1)]
    assert rows == [4, 14, 19]


@pytest.mark.parametrize("chunks", [[[]], [["a"]], [["a", "a", None, None, "b"]]])
def test_runs_are_values_and_their_lengths(chunks: list[list[str | None]]) -> None:
    [values] = chunks
    found = list(runs(pa.array(values, pa.string())))
    assert [value for value, length in found for _ in range(length)] == values
    assert len(found) == len(set(values))


def test_runs_of_a_slice_are_those_of_its_rows() -> None:
    assert list(runs(pa.array(["a", "a", "b", "b"]).slice(1, 2))) == [("a", 1), ("b", 1)]


def test_durations_name_their_sheets_as_they_are_written() -> None:
    table = pa.table({"length": pa.array([3600, 3600, 90_061], pa.duration("s")), "n": [1, 2, 3]})
    assert written(table, split_by="length").book.sheetnames == ["1_00_00", "25_01_01"]

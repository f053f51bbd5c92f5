import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from openpyxl.utils import get_column_letter

from exporters.xlsx.totals import Partial
from tests.support.workbooks import MAIN, File, written

EVERY = ("sum", "average", "count", "min", "max")


def totals_of(file: File, number: int = 1) -> dict[str, str | None]:
    """The values in the file of the last row of a sheet, by column; None for an empty one."""
    cells = file.found("row", number)[-1]
    return {
        str(cell.get("r"))[0]: cell.findtext(MAIN + "v") or None
        for cell in cells
        if cell.find(MAIN + "f") is not None
    }


def total(values: pa.Array | list[Any], function: str, **options: Any) -> float | None:
    """The value in the file of the total of one column."""
    file = written(pa.table({"a": values}), totals={"a": function}, **options)
    [value] = totals_of(file).values()
    return None if value is None else float(value)


def every(values: pa.Array | list[Any], **options: Any) -> dict[str, float | None]:
    return {function: total(values, function, **options) for function in EVERY}


def serial(moment: datetime) -> float:
    return (moment - datetime(1899, 12, 30)) / timedelta(days=1)


def test_totals_stand_below_the_rows_behind_their_label() -> None:
    table = pa.table({"name": ["a", "b"], "n": [1, 2], "x": [0.5, None]})
    file = written(table, totals={"n": "sum", "x": "average"})
    assert file.rows[0][3] == ("Total", "=SUBTOTAL(109,B2:B3)", "=SUBTOTAL(101,C2:C3)")
    assert [cell.value for cell in file.values.active[4]] == ["Total", 3, 0.5]


@pytest.mark.parametrize(
    ("function", "number"),
    [("sum", 109), ("average", 101), ("count", 103), ("min", 105), ("max", 104)],
)  # fmt: skip
def test_a_total_leaves_out_rows_that_a_filter_hides(function: str, number: int) -> None:
    file = written(pa.table({"a": [1, 2]}), totals={"a": function})
    assert file.sheet["A4"].value == f"=SUBTOTAL({number},A2:A3)"


def test_the_label_stands_in_the_first_column_without_a_total() -> None:
    table = pa.table({"a": [1], "b": [2], "c": [3]})
    file = written(table, totals={"a": "sum"}, totals_label="<All> & more")
    assert [cell.value for cell in file.sheet[3]] == ["=SUBTOTAL(109,A2:A2)", "<All> & more", None]


def test_there_is_no_label_where_every_column_has_a_total() -> None:
    file = written(pa.table({"a": [1]}), totals={"a": "sum"})
    assert [cell.value for cell in file.sheet[3]] == ["=SUBTOTAL(109,A2:A2)"]


def test_totals_are_bold_below_a_line_in_the_format_of_their_column() -> None:
    table = pa.table({"day": [date(2024, 2, 29)], "name": ["x"], "length": [timedelta(hours=3)]})
    file = written(table, totals={"day": "max", "name": "count", "length": "sum"})
    row = file.sheet[3]
    assert [cell.number_format for cell in row] == ["yyyy-mm-dd", "General", "[h]:mm:ss"]
    assert all(cell.font.bold and cell.border.top.style == "thin" for cell in row)


def test_a_count_of_dates_is_a_number() -> None:
    file = written(pa.table({"day": [date(2024, 2, 29)]}), totals={"day": "count"})
    assert file.sheet["A3"].number_format == "General"


# Values in the file, for readers that do not calculate


def test_numbers_are_added_up() -> None:
    assert every([3, 1, None, 2]) == {"sum": 6, "average": 2, "count": 3, "min": 1, "max": 3}


def test_negative_numbers_have_a_greatest_one_too() -> None:
    found = every([-3, -1, None])
    assert found == {"sum": -4, "average": -2, "count": 2, "min": -3, "max": -1}


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_nothing_adds_up_to_zero_and_has_no_average(values: list[None]) -> None:
    """As in Excel, where the least and the greatest of nothing are 0, and the average an error."""
    found = every(pa.array(values, pa.int64()))
    assert found == {"sum": 0, "average": None, "count": 0, "min": 0, "max": 0}


def test_numbers_that_became_texts_are_counted_and_not_added() -> None:
    values = [10**15, 1, 2, -(2**63)]
    assert every(values) == {"sum": 3, "average": 1.5, "count": 4, "min": 1, "max": 2}


def test_only_texts_have_no_average() -> None:
    found = every([10**15])
    assert found == {"sum": 0, "average": None, "count": 1, "min": 0, "max": 0}


def test_long_numbers_that_stay_numbers_are_added_as_excel_reads_them() -> None:
    values = pa.array([2**64 - 1, 1], pa.uint64())
    assert total(values, "sum", long_numbers="number") == 2.0**64
    assert total(values, "max", long_numbers="number") == 2.0**64
    assert total(values, "sum") == 1


def test_many_large_numbers_do_not_overflow() -> None:
    values = pa.array([2**63 - 1] * 40_000)
    assert total(values, "sum", long_numbers="number") == pytest.approx(40_000 * 2.0**63)


def test_what_is_not_finite_is_an_empty_cell_and_not_counted() -> None:
    values = [1.0, math.nan, math.inf, -math.inf, None, 4.0]
    assert every(values) == {"sum": 5, "average": 2.5, "count": 2, "min": 1, "max": 4}


def test_sums_that_excel_cannot_hold_have_no_value() -> None:
    found = every([1.7e308, 1.7e308])
    assert found == {"sum": None, "average": None, "count": 2, "min": 1.7e308, "max": 1.7e308}


def test_short_floats_are_added_as_their_cells_show_them() -> None:
    values = pa.array([0.1, 0.2], pa.float32())
    assert total(values, "sum") == pytest.approx(0.1 + 0.2, rel=1e-15)
    assert total(values, "max") == 0.2


@pytest.mark.parametrize("kind", [pa.decimal128(10, 2), pa.decimal32(9, 2), pa.decimal256(38, 2)])
def test_decimals_are_added_up(kind: pa.DataType) -> None:
    values = pa.array([Decimal("1.25"), Decimal("-0.75"), None]).cast(kind)
    assert every(values) == {"sum": 0.5, "average": 0.25, "count": 2, "min": -0.75, "max": 1.25}


def test_decimals_of_over_15_digits_are_texts_and_not_added() -> None:
    values = pa.array(
        [Decimal("12345678901234.56"), Decimal("2.50"), Decimal("100000000000000.50")]
    )
    assert every(values) == {"sum": 2.5, "average": 2.5, "count": 3, "min": 2.5, "max": 2.5}
    assert total(values, "max", long_numbers="number") == 100000000000000.5


def test_decimals_without_a_scale_may_be_large() -> None:
    values = pa.array([Decimal(10) ** 30, Decimal(1)], pa.decimal128(38, 0))
    assert total(values, "sum") == 1
    assert total(values, "sum", long_numbers="number") == 1e30


def test_dates_have_an_earliest_and_a_latest_that_excel_has() -> None:
    values = [date(1800, 1, 1), date(2024, 2, 29), date(1999, 12, 31), None]
    assert total(values, "min") == serial(datetime(1999, 12, 31))
    assert total(values, "max") == serial(datetime(2024, 2, 29))
    assert total(values, "count") == 3


def test_timestamps_are_those_of_the_wall_clock() -> None:
    values = pa.array([datetime(2024, 1, 1, 20), datetime(1800, 1, 1)], pa.timestamp("us", "UTC"))
    assert total(values, "min") == serial(datetime(2024, 1, 1, 20))
    shown = total(values, "max", timezone="Asia/Shanghai")
    assert shown == pytest.approx(serial(datetime(2024, 1, 2, 4)), abs=1e-9)


def test_times_have_an_earliest_and_a_latest() -> None:
    values = pa.array([time(6), None, time(18)], pa.time32("s"))
    assert [total(values, each) for each in ("min", "max", "count")] == [0.25, 0.75, 2]


def test_durations_are_added_in_days_but_for_negative_ones() -> None:
    values = [timedelta(hours=36), timedelta(hours=12), timedelta(hours=-1), None]
    assert every(values) == {"sum": 2, "average": 1, "count": 3, "min": 0.5, "max": 1.5}


def test_texts_are_counted_and_empty_ones_too() -> None:
    """COUNTA counts a cell with an empty text."""
    assert total(["a", "", None], "count") == 2


def test_booleans_and_links_are_counted() -> None:
    assert total([True, False, None], "count") == 2
    assert total(["https://example.com", "x", None], "count", urls=["a"]) == 2


def test_totals_of_formulas_are_left_to_whoever_calculates() -> None:
    file = written(
        pa.table({"a": [1, 2]}),
        formulas=[{"header": "f", "formula": "={a}*2", "format": "0.0"}],
        totals={"f": "sum"},
    )
    assert file.sheet["B4"].value == "=SUBTOTAL(109,B2:B3)"
    assert file.sheet["B4"].number_format == "0.0"
    assert totals_of(file) == {"B": None}


# Blocks and sheets


def test_blocks_are_added_up() -> None:
    rows = 60_000
    table = pa.table({"n": range(rows), "t": ["x", None] * (rows // 2)})
    file = written(table.to_batches(max_chunksize=7_001), totals={"n": "sum", "t": "count"})
    assert totals_of(file) == {"A": str(float(sum(range(rows)))), "B": str(rows // 2)}
    assert file.parts["xl/worksheets/sheet1.xml"].count(b"SUBTOTAL(109,A2:A60001)") == 1


@pytest.mark.parametrize("rows", [1, 3, 4, 6, 7])
def test_each_sheet_has_its_own_totals(rows: int) -> None:
    file = written(pa.table({"n": range(1, rows + 1)}), totals={"n": "sum"}, rows_per_sheet=3)
    starts = range(1, rows + 1, 3)
    assert file.sheets == len(starts)
    for number, start in enumerate(starts, 1):
        values = range(start, min(start + 3, rows + 1))
        assert totals_of(file, number) == {"A": str(float(sum(values)))}
        cells = [cell.value for cell in file.book.worksheets[number - 1]["A"]]
        assert cells == ["n", *values, f"=SUBTOTAL(109,A2:A{len(values) + 1})"]


def test_a_sheet_that_gets_no_rows_has_totals_of_nothing() -> None:
    file = written(pa.record_batch({"n": pa.array([], pa.int8())}), totals={"n": "sum"})
    assert file.sheet["A3"].value == "=SUBTOTAL(109,A2:A2)"
    assert totals_of(file) == {"A": "0.0"}


def test_the_row_of_totals_needs_a_row_of_the_sheet() -> None:
    rows = 1_048_575
    table = pa.table({"n": pa.array([1] * rows, pa.int8())})
    file = written(table, totals={"n": "sum"})
    assert file.sheets == 2
    assert b'<row r="1048576"' in file.parts["xl/worksheets/sheet1.xml"]
    assert (totals_of(file, 1), totals_of(file, 2)) == ({"A": f"{rows - 1}.0"}, {"A": "1.0"})


def test_split_sheets_have_totals_of_their_values() -> None:
    table = pa.table({"n": [1, 2, 3, 4], "key": ["a", "a", "b", "b"]})
    file = written(table, totals={"n": "sum"}, split_by="key", title="Sums")
    assert [totals_of(file, number) for number in (1, 2)] == [{"A": "3.0"}, {"A": "7.0"}]
    assert [sheet["A6"].value for sheet in file.book] == ["=SUBTOTAL(109,A4:A5)"] * 2


def test_many_columns_have_totals() -> None:
    table = pa.table({f"c{n}": [n, n] for n in range(60)})
    file = written(table, totals={f"c{n}": "sum" for n in range(60)})
    values = [file.values.active[f"{get_column_letter(n + 1)}4"].value for n in range(60)]
    assert values == [2 * n for n in range(60)]


def test_partials_of_nothing_change_nothing() -> None:
    some = Partial(3, 2, 1.5, -1.0, 2.5)
    assert some + Partial() == Partial() + some == some
    assert some + some == Partial(6, 4, 3.0, -1.0, 2.5)

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from exporters.xlsx import rows
from exporters.xlsx.sparse import FEWEST_ROWS, is_sparse
from tests.support.workbooks import written

ROWS = 2 * FEWEST_ROWS

VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "whole": (pa.int64(), [1, -(10**17), 7]),
    "float": (pa.float64(), [0.1, float("nan"), float("inf"), -2.5]),
    "single": (pa.float32(), [0.1, float("nan")]),
    "decimal": (pa.decimal128(20, 2), [Decimal("1.50"), Decimal("123456789012345678.25")]),
    "wide": (pa.decimal256(50, 2), [Decimal("1.50"), Decimal(10) ** 40]),
    "text": (pa.string(), ["plain", "<&>", " edge ", "_x0041_", "\x01", "", "漢字 😀"]),
    "flag": (pa.bool_(), [True, False]),
    "day": (pa.date32(), [date(2024, 2, 29), date(1800, 1, 1)]),
    "at": (pa.timestamp("us"), [datetime(2024, 2, 29, 13), datetime(1800, 1, 1)]),
    "zoned": (pa.timestamp("ms", "Asia/Shanghai"), [datetime(2024, 2, 29, 13)]),
    "length": (pa.duration("s"), [timedelta(hours=36), timedelta(hours=-1)]),
    "names": (pa.list_(pa.string()), [["a", None], []]),
    "nothing": (pa.int64(), [None]),
}


def mostly_null(kind: pa.DataType, values: list[Any]) -> pa.Array:
    """The values in turn, in one row of nine."""
    every = [values[row // 9 % len(values)] if row % 9 == 4 else None for row in range(ROWS)]
    return pa.array(every, kind)


SPARSE = {name: mostly_null(*values) for name, values in VALUES.items()}


@pytest.mark.parametrize("name", SPARSE)
def test_a_column_that_is_mostly_null_is_the_same_cell_by_cell(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({name: SPARSE[name]})
    spread = written(table)
    monkeypatch.setattr(rows, "is_sparse", lambda _array: False)
    dense = written(table)
    assert spread.parts == dense.parts
    assert spread.warnings == dense.warnings


def test_so_is_a_table_of_them_beside_full_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pa.table({"row": pa.array(range(ROWS)), **SPARSE})
    spread = written(table, rows_per_sheet=FEWEST_ROWS + 5)
    monkeypatch.setattr(rows, "is_sparse", lambda _array: False)
    assert spread.parts == written(table, rows_per_sheet=FEWEST_ROWS + 5).parts


@pytest.mark.parametrize(
    ("nulls", "size", "sparse"),
    [
        (FEWEST_ROWS * 3 // 4 + 1, FEWEST_ROWS, True),
        (FEWEST_ROWS * 3 // 4, FEWEST_ROWS, False),
        (FEWEST_ROWS - 1, FEWEST_ROWS - 1, False),
    ],
)
def test_few_rows_and_few_nulls_are_not_worth_it(nulls: int, size: int, sparse: bool) -> None:
    assert is_sparse(pa.array([None] * nulls + [1] * (size - nulls))) is sparse

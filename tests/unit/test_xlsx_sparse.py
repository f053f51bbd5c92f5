import itertools
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from exporters import ColumnOptions
from exporters.xlsx import rows
from exporters.xlsx.sparse import FEWEST_ROWS, filled, sparse_places
from tests.support.workbooks import File, written

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
    "time": (pa.time64("us"), [timedelta(hours=13).seconds * 1_000_000]),
    "length": (pa.duration("s"), [timedelta(hours=36), timedelta(hours=-1)]),
    "names": (pa.list_(pa.string()), [["a", None], []]),
    "kind": (pa.dictionary(pa.int8(), pa.string()), ["a", "&"]),
    "not a number": (pa.float64(), [float("nan")]),
    "nothing": (pa.int64(), [None]),
}


def mostly_null(kind: pa.DataType, values: list[Any]) -> pa.Array:
    """The values in turn, in one row of nine."""
    every = [values[row // 9 % len(values)] if row % 9 == 4 else None for row in range(ROWS)]
    return pa.array(every, kind)


SPARSE = {name: mostly_null(*values) for name, values in VALUES.items()}
NUMBERS = pa.array(range(ROWS))

Writing = Callable[..., File]


@pytest.fixture
def both_ways(monkeypatch: pytest.MonkeyPatch) -> Writing:
    """Writes a workbook twice, and demands that sparse columns make the same as whole ones."""

    def write(
        table: pa.Table | pa.RecordBatch, columns: list[ColumnOptions] | None = None, **options: Any
    ) -> File:
        patched: list[frozenset[int]] = []

        def watched(batch: pa.RecordBatch) -> frozenset[int]:
            patched.append(sparse_places(batch))
            return patched[-1]

        monkeypatch.setattr(rows, "sparse_places", watched)
        apart = written(table, columns or (), **options)
        assert any(patched)
        monkeypatch.setattr(rows, "sparse_places", lambda _batch: frozenset())
        whole = written(table, columns or (), **options)
        assert apart.parts == whole.parts
        assert apart.warnings == whole.warnings
        return apart

    return write


@pytest.mark.parametrize("name", [name for name in SPARSE if name != "nothing"])
def test_a_column_that_is_mostly_null_is_the_same_cell_by_cell(
    name: str, both_ways: Writing
) -> None:
    both_ways(pa.table({name: SPARSE[name]}))


def test_so_is_a_table_of_them_beside_full_columns(both_ways: Writing) -> None:
    table = pa.table({"row": NUMBERS, **SPARSE, "last": NUMBERS})
    file = both_ways(table, rows_per_sheet=FEWEST_ROWS + 5)
    assert file.sheets == 2


@pytest.mark.parametrize("full", list(itertools.product([False, True], repeat=3)), ids=str)
def test_full_and_sparse_columns_stand_in_their_order(
    full: tuple[bool, ...], both_ways: Writing
) -> None:
    """A full column before, between and behind them, and empty ones anywhere."""
    places = iter(full)
    columns = {}
    for name in ("float", "day", "text"):
        if next(places):
            columns[f"before {name}"] = NUMBERS
        columns |= {name: SPARSE[name], f"{name} again": SPARSE[name]}
        columns[f"no {name}"] = SPARSE["nothing"]
    both_ways(pa.table(columns))


def test_rows_without_a_cell_are_rows_all_the_same(both_ways: Writing) -> None:
    lonely = pa.array([None] * (ROWS - 1) + [1])
    xml = both_ways(pa.table({"n": lonely})).parts["xl/worksheets/sheet1.xml"]
    assert xml.count(b'"></row>') == ROWS - 1
    assert f'<row r="{ROWS + 1}"><c r="A{ROWS + 1}"><v>1</v></c></row></sheetData>'.encode() in xml


def test_features_find_sparse_columns_as_they_are(both_ways: Writing) -> None:
    links = ["https://example.com/a#b", "no link", None, None, None]
    table = pa.table(
        {
            "row": NUMBERS,
            **{name: SPARSE[name] for name in ("whole", "float", "text", "day", "at", "single")},
            "link": [links[row % len(links)] for row in range(ROWS)],
            "nothing": SPARSE["nothing"],
        }
    )
    file = both_ways(
        table,
        title="A title",
        start_row=5,
        urls=["link"],
        totals={"float": "sum", "text": "count", "nothing": "sum"},
        formulas=[{"header": "more", "formula": "={row}+{whole}*{row}"}],
        conditional_formats=[{"column": "whole", "type": "color_scale"}],
    )
    assert len(file.found("hyperlink")) == ROWS // 5 + 1


def test_a_sheet_for_each_value_begins_with_its_own_rows(both_ways: Writing) -> None:
    """Slices of a block, whose bitmaps begin within a byte."""
    cut = FEWEST_ROWS + 3
    kinds = pa.array(["a"] * cut + ["b"] * (ROWS - cut))
    names = ("whole", "float", "text", "flag", "at")
    table = pa.table({"kind": kinds, **{name: SPARSE[name] for name in names}})
    assert both_ways(table, split_by="kind").sheets == 2


def of_nulls(*nulls: int, rows: int = FEWEST_ROWS) -> pa.RecordBatch:
    """Columns that have so many nulls each."""
    columns = [pa.array([None] * each + [1] * (rows - each), pa.int8()) for each in nulls]
    return pa.RecordBatch.from_arrays(columns, [str(place) for place in range(len(nulls))])


HALF = FEWEST_ROWS // 2


@pytest.mark.parametrize(
    ("batch", "places"),
    [
        (of_nulls(HALF + 1), {0}),
        (of_nulls(HALF), set()),
        (of_nulls(FEWEST_ROWS - 1, rows=FEWEST_ROWS - 1), set()),
        (of_nulls(FEWEST_ROWS - 2, rows=FEWEST_ROWS - 1), set()),
        (of_nulls(0, FEWEST_ROWS - 1, FEWEST_ROWS - 1), {1, 2}),
        (of_nulls(0, 0, FEWEST_ROWS - 1), set()),
        (of_nulls(FEWEST_ROWS, 0, FEWEST_ROWS), set()),
        (of_nulls(FEWEST_ROWS, HALF - 1, FEWEST_ROWS - 1), {2}),
    ],
    ids=[
        "more than half",
        "half",
        "empty",
        "few rows",
        "most of the block",
        "less of the block",
        "empty columns",
        "beside an empty column",
    ],
)
def test_columns_are_sparse_where_most_of_the_block_is_null(
    batch: pa.RecordBatch, places: set[int]
) -> None:
    assert sparse_places(batch) == places


@pytest.mark.parametrize("start", [0, 1, 7, 8, 13])
def test_rows_are_found_in_any_slice(start: int) -> None:
    values = pa.array([None if row % 3 else row for row in range(50)])
    found = filled(values.slice(start))
    assert found.tolist() == [row - start for row in range(start, 50) if row % 3 == 0]

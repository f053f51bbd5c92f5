import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.xlsx.options import SHEET_ROWS
from exporters.xlsx.row_numbers import RowNumbers


@given(st.integers(1, SHEET_ROWS), st.integers(1, 30_000), st.text(max_size=9))
def test_numbers_are_counted_from_the_first(first: int, count: int, following: str) -> None:
    following = following.replace("\0", "")  # which XML has nowhere
    numbers = RowNumbers.counted(first, count)
    assert len(numbers) == count
    found = numbers.then(following)
    assert found.to_pylist() == [f"{number}{following}" for number in range(first, first + count)]


@pytest.mark.parametrize("first", [1, 9, 99, 999, 9_995, 19_995, 99_995, 999_995])
def test_some_of_them_stay_in_their_order(first: int) -> None:
    numbers = RowNumbers.counted(first, 20).of(np.array([0, 3, 7, 19]))
    assert numbers.then(">").to_pylist() == [f"{first + row}>" for row in (0, 3, 7, 19)]


def test_none_of_them_is_an_array_all_the_same() -> None:
    none = RowNumbers.counted(5, 20).of(np.array([], np.int64))
    assert none.then(">").equals(pa.array([], pa.large_string()))

import math
import struct
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporters.csv.number_texts import boolean_texts, float_texts, with_comma

MOST_WHOLE = 1e21


def texts(values: list[float | None], kind: pa.DataType | None = None) -> list[str | None]:
    return float_texts(pa.array(values, kind or pa.float64())).to_pylist()


def bits(number: float) -> bytes:
    """Equality that tells the zeros apart."""
    return struct.pack("d", number)


def digits(text: str) -> str:
    """The digits that a number's text has, without the zeros around them."""
    return text.lstrip("-").partition("e")[0].replace(".", "").strip("0")


FINITE = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(10**22), 10**22).map(float)


@given(st.lists(st.none() | FINITE | WHOLE, max_size=30))
@example([None, None])
@example([1e16, None, 0.5, 1e300, 2.0])
@example([1e21, 999999999999999868928.0, -1e21, 1e20])
@example([2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64, -(2.0**63)])
@example([0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308])
def test_floats_read_back_equal(values: list[float | None]) -> None:
    for value, text in zip(values, texts(values), strict=True):
        assert (text is None) == (value is None)
        if text is not None and value is not None:
            assert bits(float(text)) == bits(value), text


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_fractions_have_the_digits_of_pythons_repr(values: list[float]) -> None:
    for value, text in zip(values, texts([*values]), strict=True):
        if not value.is_integer():
            assert digits(text or "") == digits(repr(value))


@given(st.lists(WHOLE | st.integers(0, 69).map(lambda power: 2.0**power), min_size=1, max_size=30))
def test_whole_numbers_below_the_bound_are_their_digits_alone(values: list[float]) -> None:
    for value, text in zip(values, texts([*values]), strict=True):
        if abs(value) < MOST_WHOLE and value:
            assert text == str(int(value))
        elif value:
            assert "e" in (text or "")


@given(st.lists(st.none() | st.floats(width=32, allow_nan=False), max_size=30))
def test_floats_of_32_bits_read_back_equal(values: list[float | None]) -> None:
    for value, text in zip(values, texts(values, pa.float32()), strict=True):
        assert (text is None) == (value is None)
        if text is not None and value is not None:
            assert bits(float(np.float32(text))) == bits(value), text


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=30))
def test_floats_of_32_bits_have_no_digits_of_the_64(values: list[float]) -> None:
    for value, text in zip(values, texts([*values], pa.float32()), strict=True):
        if not value.is_integer():
            assert len(digits(text or "")) <= 9


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (1e-7, "1e-7"),
        (10.0, "10"), (100.5, "100.5"), (1e15, "1" + "0" * 15), (1e16, "1" + "0" * 16),
        (-1e16, "-1" + "0" * 16), (1e20, "1" + "0" * 20), (1e21, "1e+21"), (-1e21, "-1e+21"),
        (999999999999999868928.0, "999999999999999868928"), (2.0**53, "9007199254740992"),
        (2.0**63, "9223372036854775808"), (5e-324, "5e-324"), (0.30000000000000004,) * 2,
        (math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "NaN"),
    ],
)  # fmt: skip
def test_a_float_is_spelled_so(value: float, text: str | float) -> None:
    assert texts([value]) == [str(text)]


@pytest.mark.parametrize(("value", "text"), [(0.1, "0.1"), (2.0**24, "16777216"), (-0.0, "-0")])
@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_a_float_of_either_width_is_spelled_so(value: float, text: str, kind: pa.DataType) -> None:
    assert texts([value], kind) == [text]


def test_what_is_not_finite_stands_beside_long_digits() -> None:
    values = [math.nan, 1e20, None, math.inf, -1e16, 1e-300, 3.0]
    assert texts(values) == [
        "NaN", "1" + "0" * 20, None, "inf", "-1" + "0" * 16, "1e-300", "3",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
@pytest.mark.parametrize("rows", [0, 1, 9])
def test_nulls_alone_have_no_texts(kind: pa.DataType, rows: int) -> None:
    assert texts([None] * rows, kind) == [None] * rows


@pytest.mark.parametrize("garbage", [1e20, math.nan, 7.0, 1e300])
def test_what_stands_under_a_null_does_not_matter(garbage: float) -> None:
    buffers = [pa.py_buffer(bytes([0b101])), pa.py_buffer(np.array([1.0, garbage, 2e17]))]
    array = pa.Array.from_buffers(pa.float64(), 3, buffers)
    assert float_texts(array).to_pylist() == ["1", None, "2" + "0" * 17]


def test_a_slice_is_its_own_rows() -> None:
    array = pa.array([1.0, None, 1e20, 0.5, None, math.nan, 2.0])
    every = float_texts(array).to_pylist()
    for start in range(len(array)):
        for length in range(len(array) - start):
            part = float_texts(array.slice(start, length))
            part.validate(full=True)
            assert part.to_pylist() == every[start : start + length]


def test_spelling_leaves_the_numbers_as_they_were() -> None:
    array = pa.array([1.0, 2.0, 1e20])
    assert float_texts(array).equals(float_texts(array))
    assert array.to_pylist() == [1.0, 2.0, 1e20]


@given(st.lists(st.none() | FINITE, max_size=20))
def test_a_decimal_comma_stands_where_the_point_did(values: list[float | None]) -> None:
    points = float_texts(pa.array(values, pa.float64()))
    for comma, point in zip(with_comma(points).to_pylist(), points.to_pylist(), strict=True):
        assert comma == (None if point is None else point.replace(".", ","))


def test_a_decimal_comma_changes_a_slice_alone() -> None:
    points = pa.array(["1.5", None, "2.5", "1e-7", "3"])
    assert with_comma(points.slice(1, 3)).to_pylist() == [None, "2,5", "1e-7"]
    assert points.to_pylist() == ["1.5", None, "2.5", "1e-7", "3"]


@given(st.lists(st.booleans() | st.none(), max_size=20), st.integers(0, 5))
def test_booleans_are_one_of_two_words(values: list[bool | None], start: int) -> None:
    words = pa.array(["não", "sim"])
    array = pa.array(values, pa.bool_()).slice(start)
    expected = [None if each is None else ("não", "sim")[each] for each in values[start:]]
    assert boolean_texts(array, words).to_pylist() == expected


@given(st.integers(10**16, 10**21 - 1))
def test_long_digits_are_those_of_the_nearest_float(number: int) -> None:
    [text] = texts([float(number)])
    if float(number) < MOST_WHOLE:
        assert Fraction(text or "0") == Fraction(float(number))

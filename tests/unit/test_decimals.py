from decimal import Decimal

import pyarrow as pa
import pytest

from exporters.decimals import decimal_texts

VALUES = ["0", "1.5", "-0.25", None, "-120.75"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.decimal32(9, 2), pa.decimal64(18, 7), pa.decimal128(38, 6), pa.decimal128(38, 30),
        pa.decimal256(76, 2), pa.decimal256(76, 70),
    ],
    ids=str,
)  # fmt: skip
def test_every_digit_is_written_and_no_exponent(kind: pa.DataType) -> None:
    values = [None if each is None else Decimal(each) for each in VALUES]
    exact = Decimal(1).scaleb(-kind.scale)
    expected = [None if each is None else f"{each + 0 * exact:.{kind.scale}f}" for each in values]
    array = pa.array(values, kind)
    assert decimal_texts(array).to_pylist() == expected
    assert decimal_texts(array.slice(2, 2)).to_pylist() == expected[2:4]


@pytest.mark.parametrize("kind", [pa.decimal256(76, 75), pa.decimal128(38, 37)], ids=str)
def test_the_smallest_decimal_has_all_its_zeros(kind: pa.DataType) -> None:
    least = Decimal(-1).scaleb(-kind.scale)
    [text] = decimal_texts(pa.array([least], kind)).to_pylist()
    assert text == "-0." + "0" * (kind.scale - 1) + "1"


def test_a_negative_scale_is_written_as_zeros() -> None:
    array = pa.array([Decimal(123000), None, Decimal(0)], pa.decimal128(30, -3))
    assert decimal_texts(array).to_pylist() == ["123000", None, "0"]

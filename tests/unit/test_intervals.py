import pyarrow as pa
import pytest

from exporters.intervals import interval_texts

HOUR = 3600 * 10**9


def intervals(*values: tuple[int, int, int] | None) -> pa.Array:
    return pa.array(values, pa.month_day_nano_interval())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((14, 3, 4 * HOUR + 5 * HOUR // 60 + 6_789_000_000), "P1Y2M3DT4H5M6.789S"),
        ((0, 0, 0), "PT0S"),
        ((12, 0, 0), "P1Y"),
        ((11, 0, 0), "P11M"),
        ((0, 400, 0), "P400D"),
        ((0, 0, 30 * HOUR), "PT30H"),
        ((0, 0, 60_000_000_000), "PT1M"),
        ((0, 0, 10_000_000_000), "PT10S"),
        ((0, 0, 1), "PT0.000000001S"),
        ((0, 0, -500_000_000), "PT-0.5S"),
        ((-14, -3, -HOUR - 1), "P-1Y-2M-3DT-1H-0.000000001S"),
        ((1, -1, 1_000_000_000), "P1M-1DT1S"),
        (
            (-(2**31), -(2**31), -(2**63)),
            "P-178956970Y-8M-2147483648DT-2562047H-47M-16.854775808S",
        ),
    ],
)
def test_an_interval_is_an_iso_8601_duration(value: tuple[int, int, int], text: str) -> None:
    assert interval_texts(intervals(value)).to_pylist() == [text]


def test_nulls_and_slices_keep_their_rows() -> None:
    array = intervals((1, 0, 0), None, (0, 1, 0), (0, 0, HOUR))
    assert interval_texts(array.slice(1, 2)).to_pylist() == [None, "P1D"]
    assert interval_texts(array.slice(0, 0)).to_pylist() == []

import re
from datetime import timedelta

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.durations import duration_text

UNITS = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def shown(values: list[int | None], unit: str) -> list[str | None]:
    series = pl.Series("d", pa.array(values, pa.duration(unit)))
    return series.to_frame().select(duration_text(pl.col("d"), unit)).to_series().to_list()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0:00:00"),
        (1, "0:00:00.001"),
        (1_000, "0:00:01"),
        (61_500, "0:01:01.5"),
        (86_400_000, "24:00:00"),
        (360_000_000_000, "100000:00:00"),
        (-1, "-0:00:00.001"),
        (-3_723_040, "-1:02:03.04"),
        (None, None),
    ],
)
def test_a_duration_is_hours_minutes_seconds(value: int | None, text: str | None) -> None:
    assert shown([value], "ms") == [text]


@pytest.mark.parametrize(("unit", "text"), [("us", "0:00:00.000001"), ("ns", "0:00:00.000000001")])
def test_the_fraction_is_as_fine_as_the_unit(unit: str, text: str) -> None:
    assert shown([1], unit) == [text]


@given(st.sampled_from(sorted(UNITS)), st.integers(-(2**63) + 1, 2**63 - 1))
def test_the_text_adds_up_to_the_duration(unit: str, value: int) -> None:
    [text] = shown([value], unit)
    assert text is not None
    match = re.fullmatch(r"(-?)(\d+):([0-5]\d):([0-5]\d)(?:\.(\d*[1-9]))?", text)
    assert match
    sign, hours, minutes, seconds, fraction = match.groups()
    digits = len(str(UNITS[unit])) - 1
    size = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    size = size * UNITS[unit] + int((fraction or "").ljust(digits, "0"))
    assert (-size if sign else size) == value


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=23, minutes=59)))
def test_python_writes_durations_within_a_day_alike(value: timedelta) -> None:
    [text] = shown([value // timedelta(microseconds=1)], "us")
    written = str(value)
    assert text == (written.rstrip("0") if "." in written else written)


def test_the_shortest_of_all_durations_has_one_sign() -> None:
    """Its size is one more than the largest 64-bit number."""
    assert shown([-(2**63)], "ns") == ["-2562047:47:16.854775808"]

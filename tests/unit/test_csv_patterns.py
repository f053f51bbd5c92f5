from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from exporters.columns import Column
from exporters.csv.patterns import check_pattern, in_pattern
from exporters.errors import InvalidOptions

DAY = pa.array([date(2024, 2, 29), None])


def test_a_date_is_shown_in_its_pattern() -> None:
    assert in_pattern(DAY, "%d.%m.%Y").to_pylist() == ["29.02.2024", None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_timestamp_of_any_unit_is_shown_in_its_pattern(unit: str) -> None:
    moments = pa.array([datetime(2024, 2, 29, 17, 5), None], pa.timestamp(unit))
    assert in_pattern(moments, "%Y/%m/%d %H:%M").to_pylist() == ["2024/02/29 17:05", None]


@pytest.mark.parametrize(("zone", "clock"), [("Asia/Shanghai", "20:00"), ("+05:30", "17:30")])
def test_a_zoned_time_is_shown_by_its_own_clock(zone: str, clock: str) -> None:
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    stamps = pa.array([noon], pa.timestamp("us", zone))
    assert in_pattern(stamps, "%H:%M").to_pylist() == [clock]


@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.string(), pa.duration("s"), pa.time32("s")], ids=str
)
def test_other_types_take_no_pattern(kind: pa.DataType) -> None:
    with pytest.raises(InvalidOptions, match=r"'x' is .*; in csv only dates and timestamps take"):
        check_pattern(Column(0, "x", kind), "%d", "columns")


@pytest.mark.parametrize(
    ("kind", "pattern"), [(pa.date32(), "%H"), (pa.date32(), "%Q"), (pa.timestamp("s"), "%!")]
)
def test_what_is_no_pattern_for_the_type_is_refused_before_any_data(
    kind: pa.DataType, pattern: str
) -> None:
    with pytest.raises(InvalidOptions, match=f"the format '{pattern}'; use strftime's notation"):
        check_pattern(Column(0, "x", kind), pattern, "options.date_format")


@pytest.mark.parametrize("pattern", ["%s", "a %s", "iso", "iso:strict", "yyyy"])
def test_words_and_seconds_are_no_pattern(pattern: str) -> None:
    with pytest.raises(InvalidOptions, match=r"use strftime's notation, as '%d.%m.%Y', without %s"):
        check_pattern(Column(0, "x", pa.timestamp("s")), pattern, "options.datetime_format")


def test_a_percent_sign_before_an_s_is_no_seconds() -> None:
    check_pattern(Column(0, "x", pa.timestamp("s")), "%Y%%s", "options.datetime_format")

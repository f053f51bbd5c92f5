from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.zones import check_zone, wall_clock

MOMENTS = st.datetimes(datetime(1930, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))

NAMES = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]


def shown(moment: datetime, zone: str) -> datetime:
    values = wall_clock(pa.array([moment], pa.timestamp("us", "UTC")), zone)
    assert values.type == pa.timestamp("us")
    return values[0].as_py()


@given(st.sampled_from(NAMES), MOMENTS)
def test_a_named_zone_shows_what_its_clocks_show(name: str, moment: datetime) -> None:
    assert shown(moment, name) == moment.astimezone(ZoneInfo(name)).replace(tzinfo=None)


def test_clocks_are_still_changed_when_32_bits_of_seconds_have_run_out() -> None:
    summer = datetime(2050, 7, 1, 12, tzinfo=UTC)
    assert shown(summer, "Europe/Berlin") == datetime(2050, 7, 1, 14)


@given(st.integers(-14 * 60, 14 * 60), MOMENTS)
def test_an_offset_is_added_to_utc(minutes: int, moment: datetime) -> None:
    sign = "-" if minutes < 0 else "+"
    name = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    offset = timezone(timedelta(minutes=minutes))
    assert shown(moment, name) == moment.astimezone(offset).replace(tzinfo=None)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "+05:30", "+0530"])
@pytest.mark.parametrize("own", ["UTC", "America/New_York", "-03:30"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_is_kept_and_the_own_zone_does_not_matter(zone: str, own: str, unit: str) -> None:
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    values = wall_clock(pa.array([noon, None], pa.timestamp(unit, own)), zone)
    expected = pa.array([datetime(2024, 2, 29, 17, 30), None], pa.timestamp(unit))
    assert values.equals(expected)


@pytest.mark.parametrize(
    "name", ["UTC", "Asia/Shanghai", "US/Eastern", "Etc/GMT+5", "+08:00", "-0330", "+00:00"]
)
def test_a_zone_is_known_by_its_name_or_offset(name: str) -> None:
    check_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Base",
        "Asia",
        "../../etc/passwd",
        "/etc/passwd",
        "\0",
        "+24:00",
        "+99:99",
        "-05:60",
    ],
)
def test_a_zone_that_nobody_knows_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(ValueError, match=r"use a name like 'Asia/Shanghai' or '\+08:00'") as error:
        check_zone(name)
    assert repr(name) in str(error.value)

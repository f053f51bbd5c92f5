from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from exporters.calendar_texts import date_texts, timestamp_texts
from exporters.errors import InvalidData

UNITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""The digits of each unit's fraction."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MOMENTS = [
    datetime(*each, tzinfo=UTC)
    for each in [
        (1970, 1, 1), (1969, 12, 31, 23, 59, 59), (1900, 1, 1), (1899, 12, 31, 23, 59, 59),
        (2099, 12, 31, 23, 59, 59), (2100, 1, 1), (1900, 2, 28), (1900, 3, 1), (2000, 2, 29),
        (2024, 2, 29, 12, 34, 56), (2100, 2, 28, 23), (2100, 3, 1), (1800, 6, 1), (2200, 6, 1),
    ]
]  # fmt: skip


def days(values: list[date | None]) -> list[str | None]:
    return date_texts(pa.array(values, pa.date32())).to_pylist()


def seconds(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds())


def stamps(moments: list[datetime | None], unit: str, zone: str | None) -> pa.Array:
    scale = 10 ** UNITS[unit]
    values = [None if each is None else seconds(each) * scale for each in moments]
    return pa.array(values, pa.timestamp(unit, zone))


def shown(moments: list[datetime | None], zone: str | None, unit: str = "s") -> list[str | None]:
    return timestamp_texts(stamps(moments, unit, zone)).to_pylist()


def model(moment: datetime, zone: str, digits: int = 0) -> str:
    """By Python's own database of zones."""
    local = moment.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    sign, minutes = "-" if offset < timedelta(0) else "+", abs(offset) // timedelta(minutes=1)
    fraction = f".{'0' * digits}" if digits else ""
    text = local.replace(tzinfo=None).isoformat(" ")
    return f"{text}{fraction}{sign}{minutes // 60:02}{minutes % 60:02}"


@pytest.mark.parametrize("year", [1, 1582, 1899, 1900, 1970, 2000, 2024, 2099, 2100, 2400, 9999])
def test_every_day_of_a_year_is_as_python_writes_it(year: int) -> None:
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    every = [date.fromordinal(each) for each in range(first, last + 1)]
    assert days([*every]) == [each.isoformat() for each in every]


def test_one_day_beyond_the_tables_changes_no_other() -> None:
    values = [date(1899, 12, 31), date(2024, 2, 29), None, date(2100, 1, 1)]
    assert days([*values]) == ["1899-12-31", "2024-02-29", None, "2100-01-01"]


@pytest.mark.parametrize("unit", UNITS)
def test_naive_timestamps_have_the_digits_of_their_unit(unit: str) -> None:
    fraction = f".{'0' * UNITS[unit]}" if UNITS[unit] else ""
    assert [shown([each], None, unit) for each in MOMENTS] == [
        [each.replace(tzinfo=None).isoformat(" ") + fraction] for each in MOMENTS
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_utc_is_z(unit: str) -> None:
    fraction = f".{'0' * UNITS[unit]}" if UNITS[unit] else ""
    assert shown([*MOMENTS], "UTC", unit) == [
        each.replace(tzinfo=None).isoformat(" ") + fraction + "Z" for each in MOMENTS
    ]


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("ms", 1, "1970-01-01 00:00:00.001"),
        ("us", 1, "1970-01-01 00:00:00.000001"),
        ("ns", 1, "1970-01-01 00:00:00.000000001"),
        ("ms", -1, "1969-12-31 23:59:59.999"),
        ("us", -1, "1969-12-31 23:59:59.999999"),
        ("ns", -1, "1969-12-31 23:59:59.999999999"),
        ("ns", 123_456_789, "1970-01-01 00:00:00.123456789"),
        ("us", -86_400_000_001, "1969-12-30 23:59:59.999999"),
        ("ns", -(2**63), "1677-09-21 00:12:43.145224192"),
        ("ns", 2**63 - 1, "2262-04-11 23:47:16.854775807"),
    ],
)
def test_fractions_count_upwards_on_both_sides_of_1970(unit: str, value: int, text: str) -> None:
    assert timestamp_texts(pa.array([value], pa.timestamp(unit))).to_pylist() == [text]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("+05:30", "2024-02-29 18:04:56+0530"),
        ("-03:30", "2024-02-29 09:04:56-0330"),
        ("+00:00", "2024-02-29 12:34:56+0000"),
        ("-00:30", "2024-02-29 12:04:56-0030"),
        ("+14:00", "2024-03-01 02:34:56+1400"),
        ("-12:00", "2024-02-29 00:34:56-1200"),
        ("Etc/UTC", "2024-02-29 12:34:56+0000"),
        ("Asia/Kathmandu", "2024-02-29 18:19:56+0545"),
        ("America/New_York", "2024-02-29 07:34:56-0500"),
    ],
)
def test_a_zone_is_shown_as_its_offset(zone: str, text: str) -> None:
    assert shown([datetime(2024, 2, 29, 12, 34, 56, tzinfo=UTC)], zone) == [text]


ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Shanghai", "Asia/Gaza"]
RULED = [datetime(y, m, 15, 12, tzinfo=UTC) for y in (1890, 1950, 1986, 2024, 2036) for m in (1, 7)]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", ZONES)
def test_named_zones_are_those_of_pythons_database(zone: str, unit: str) -> None:
    assert shown([*RULED], zone, unit) == [model(each, zone, UNITS[unit]) for each in RULED]


LATE = [datetime(year, month, 1, tzinfo=UTC) for year in (2038, 2050, 2099) for month in (1, 7)]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney"])
def test_daylight_saving_goes_on_after_2037(zone: str) -> None:
    assert shown([*LATE], zone) == [model(each, zone) for each in LATE]


@pytest.mark.parametrize("other", [(1850, 1, 1), (2100, 7, 1), (9000, 1, 1)], ids=str)
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney"])
def test_a_moment_beyond_the_tables_changes_no_other(
    zone: str, other: tuple[int, int, int]
) -> None:
    beyond = datetime(*other, tzinfo=UTC)
    assert shown([*LATE, beyond], zone)[:-1] == [model(each, zone) for each in LATE]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/New_York", "1850-01-01 07:03:58-0456"),  # 4:56:02 behind
        ("Asia/Shanghai", "1850-01-01 20:05:43+0805"),  # 8:05:43 ahead
        ("Africa/Monrovia", "1850-01-01 11:16:52-0043"),  # 0:43:08 behind
    ],
)
def test_an_offset_is_cut_to_the_minute_and_the_time_is_not(zone: str, text: str) -> None:
    assert shown([datetime(1850, 1, 1, 12, tzinfo=UTC)], zone) == [text]


def test_an_offset_with_seconds_is_cut_within_the_tables_too() -> None:
    """Liberia was 44:30 behind UTC until 1972."""
    moment = datetime(1960, 1, 1, 12, tzinfo=UTC)
    assert shown([moment], "Africa/Monrovia") == ["1960-01-01 11:15:30-0044"]


@pytest.mark.parametrize("zone", ["-03:30", "America/New_York"])
def test_a_wall_clock_that_overflows_is_refused_and_not_made_up(zone: str) -> None:
    with pytest.raises(InvalidData, match="too far from 1970"):
        timestamp_texts(pa.array([-(2**63)], pa.timestamp("ns", zone)))


@pytest.mark.parametrize("zone", [None, "UTC", "+05:30", "Europe/Berlin"])
@pytest.mark.parametrize("garbage", [2**63 - 1, -(2**63), 7])
def test_what_stands_under_a_null_does_not_matter(zone: str | None, garbage: int) -> None:
    values = np.array([0, garbage, 0])
    buffers = [pa.py_buffer(bytes([0b101])), pa.py_buffer(values)]
    array = pa.Array.from_buffers(pa.timestamp("s", zone), 3, buffers)
    [first, null, last] = timestamp_texts(array).to_pylist()
    assert null is None
    assert first == last == shown([EPOCH], zone)[0]


def test_what_stands_under_a_null_date_does_not_matter() -> None:
    values = np.array([0, 2**31 - 1, -(2**31)], np.int32)
    buffers = [pa.py_buffer(bytes([0b001])), pa.py_buffer(values)]
    array = pa.Array.from_buffers(pa.date32(), 3, buffers)
    assert date_texts(array).to_pylist() == ["1970-01-01", None, None]


@pytest.mark.parametrize("zone", [None, "UTC", "+05:30", "Europe/Berlin"])
@pytest.mark.parametrize("beyond", [(2020, 1, 1), (1850, 1, 1)], ids=["in tables", "beyond"])
def test_a_slice_is_its_own_rows(zone: str | None, beyond: tuple[int, int, int]) -> None:
    moments = [*MOMENTS[:9], None, datetime(*beyond, tzinfo=UTC), None, *MOMENTS[9:]]
    array = stamps(moments, "ms", zone)
    texts = timestamp_texts(array).to_pylist()
    for start, length in [(0, 1), (1, 5), (9, 3), (10, 1), (11, 5), (9, 1)]:
        part = timestamp_texts(array.slice(start, length))
        part.validate(full=True)
        assert part.to_pylist() == texts[start : start + length]


def test_a_slice_of_dates_is_its_own_rows() -> None:
    array = pa.array([date(2024, 2, day) if day % 3 else None for day in range(1, 30)])
    assert date_texts(array.slice(8, 11)).to_pylist() == date_texts(array).to_pylist()[8:19]


@pytest.mark.parametrize("zone", [None, "UTC", "+05:30", "Europe/Berlin"])
@pytest.mark.parametrize("rows", [0, 3])
def test_no_moments_have_no_texts(zone: str | None, rows: int) -> None:
    assert shown([None] * rows, zone) == [None] * rows
    assert days([None] * rows) == [None] * rows

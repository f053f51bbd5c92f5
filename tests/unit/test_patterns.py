from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from exporters.columns import Column
from exporters.csv.patterns import Patterns
from exporters.errors import InvalidOptions

DAY = pa.array([date(2024, 2, 29), None])


def shown(array: pa.Array, pattern: str) -> list[object]:
    patterns = Patterns([Column(0, "when", array.type, format=pattern), Column(1, "n", pa.int64())])
    batch = pa.record_batch({"when": array, "n": pa.array(range(len(array)))})
    applied = patterns.apply(batch)
    assert applied.column(1).equals(batch.column(1))
    return list(applied.column(0).to_pylist())


def test_a_date_is_shown_in_its_pattern() -> None:
    assert shown(DAY, "%d.%m.%Y") == ["29.02.2024", None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_timestamp_of_any_unit_is_shown_in_its_pattern(unit: str) -> None:
    moments = pa.array([datetime(2024, 2, 29, 17, 5), None], pa.timestamp(unit))
    assert shown(moments, "%Y/%m/%d %H:%M") == ["2024/02/29 17:05", None]


@pytest.mark.parametrize(("zone", "clock"), [("Asia/Shanghai", "20:00"), ("+05:30", "17:30")])
def test_a_zoned_time_is_shown_by_its_own_clock(zone: str, clock: str) -> None:
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert shown(pa.array([noon], pa.timestamp("us", zone)), "%H:%M") == [clock]


def test_columns_without_patterns_have_none() -> None:
    assert not Patterns([Column(0, "n", pa.int64())])


@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.string(), pa.duration("s"), pa.time32("s")], ids=str
)
def test_other_types_take_no_pattern(kind: pa.DataType) -> None:
    with pytest.raises(InvalidOptions, match=r"'x' is .*; in csv only dates and timestamps take"):
        Patterns([Column(0, "x", kind, format="%d")])


@pytest.mark.parametrize(
    ("kind", "pattern"), [(pa.date32(), "%H"), (pa.date32(), "%Q"), (pa.timestamp("s"), "%!")]
)
def test_what_is_no_pattern_for_the_type_is_refused_before_any_data(
    kind: pa.DataType, pattern: str
) -> None:
    with pytest.raises(InvalidOptions, match=f"the format '{pattern}'; use strftime's notation"):
        Patterns([Column(0, "x", kind, format=pattern)])

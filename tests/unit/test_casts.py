from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from exporters.casts import ColumnType
from exporters.columns import ColumnOptions, Projection
from exporters.errors import InvalidData, InvalidOptions

NOON = datetime(2024, 2, 29, 12)
SHANGHAI = pa.timestamp("us", "Asia/Shanghai")


def cast(array: pa.Array, wanted: ColumnType) -> list[Any]:
    batch = pa.record_batch({"c": array})
    projection = Projection(batch.schema, [ColumnOptions("c", type=wanted)])
    result = projection.apply(batch).column(0)
    assert result.type == projection.columns[0].type
    return list(result.to_pylist())


@pytest.mark.parametrize(
    ("array", "wanted", "expected"),
    [
        (pa.array([1, None]), "string", ["1", None]),
        (pa.array([Decimal("1.50")]), "string", ["1.50"]),
        (pa.array([True]), "string", ["true"]),
        (pa.array([date(2024, 2, 29)]), "string", ["2024-02-29"]),
        (pa.array([timedelta(seconds=3723)]), "string", ["1:02:03"]),
        (pa.array([NOON], pa.timestamp("s")), "string", ["2024-02-29 12:00:00"]),
        (pa.array([0], pa.timestamp("s", "+08:00")), "string", ["1970-01-01 08:00:00+0800"]),
        (pa.array(["1.5", "", None, "-1e3"]), "number", [1.5, None, None, -1000.0]),
        (pa.array(["0.100000000000000000", "000000000000000001"]), "number", [0.1, 1.0]),
        (pa.array([True, False, None]), "number", [1, 0, None]),
        (pa.array([2**62]), "number", [2**62]),
        (pa.array(["2024-02-29", "", None]), "date", [date(2024, 2, 29), None, None]),
        (pa.array([NOON]), "date", [date(2024, 2, 29)]),
        (pa.array([datetime(2024, 2, 29, 20, tzinfo=UTC)], SHANGHAI), "date", [date(2024, 3, 1)]),
        (pa.array(["2024-02-29 12:00:00", "2024-02-29T12:00:00"]), "datetime", [NOON, NOON]),
        (pa.array([date(2024, 2, 29)]), "datetime", [datetime(2024, 2, 29)]),
        (pa.array(["true", "FALSE", "1", "0", ""]), "boolean", [True, False, True, False, None]),
        (pa.array([0, 1, None]), "boolean", [False, True, None]),
        (pa.array(["7"]).dictionary_encode(), "number", [7.0]),
        (pa.array([[1, None], None]), "string", ["[1,null]", None]),
        (pa.array([b"abc"]), "string", ["YWJj"]),
        (pa.array(["7", ""], pa.json_()), "number", [7.0, None]),
        (pa.array([Decimal("1.50")], pa.decimal256(50, 2)), "number", [Decimal("1.50")]),
        (pa.array([Decimal("1.50")], pa.decimal256(50, 2)), "string", ["1.50"]),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_value_becomes_what_was_asked_for(
    array: pa.Array, wanted: ColumnType, expected: list[Any]
) -> None:
    assert cast(array, wanted) == expected


@pytest.mark.parametrize(
    ("array", "wanted", "named"),
    [
        (pa.array(["1", "1,5"]), "number", "'1,5'"),
        (pa.array(["12345678901234567"]), "number", "'12345678901234567' has more digits"),
        (pa.array(["-0.1234567890123456"]), "number", "more digits than a number keeps"),
        (pa.array(["29.02.2024"]), "date", "'29.02.2024'"),
        (pa.array(["2024-02-30"]), "date", "'2024-02-30'"),
        (pa.array(["noon"]), "datetime", "'noon'"),
        (pa.array(["yes"]), "boolean", "yes"),
        (pa.array([1, 0, 2]), "boolean", "2 is not 0 or 1"),
        (pa.array([-1]), "boolean", "-1 is not 0 or 1"),
    ],
)
def test_a_value_that_does_not_fit_is_named_and_refused(
    array: pa.Array, wanted: ColumnType, named: str
) -> None:
    with pytest.raises(InvalidData) as caught:
        cast(array, wanted)
    assert str(caught.value).startswith("column 'c' cannot be ")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (pa.date32(), "number"),
        (pa.timestamp("s"), "boolean"),
        (pa.int64(), "date"),
        (pa.bool_(), "datetime"),
        (pa.float64(), "boolean"),
        (pa.list_(pa.int64()), "number"),
        (pa.dictionary(pa.int8(), pa.struct([("a", pa.date32())])), "date"),
        (pa.map_(pa.string(), pa.bool_()), "boolean"),
        (pa.binary(), "number"),
        (pa.uuid(), "datetime"),
        (pa.month_day_nano_interval(), "number"),
    ],
    ids=str,
)
def test_a_type_without_such_a_cast_is_refused_before_any_data(
    kind: pa.DataType, wanted: ColumnType
) -> None:
    with pytest.raises(InvalidOptions, match=rf"'c' is .*, which cannot be a {wanted}"):
        Projection(pa.schema([("c", kind)]), [ColumnOptions("c", type=wanted)])

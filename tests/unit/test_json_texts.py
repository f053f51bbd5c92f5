"""Nested values by example; tests/property draws them at random."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters.json_texts import json_texts

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


def texts(array: pa.Array) -> list[Any]:
    found = json_texts(array)
    found.validate(full=True)
    assert found.type == pa.string()
    return list(found.to_pylist())


def within(array: pa.Array) -> list[Any]:
    """The text of each value of `array` where it stands in a list."""
    offsets = pa.array(range(len(array) + 1), pa.int32())
    lists = texts(pa.ListArray.from_arrays(offsets, array))
    assert lists == [f"[{each or 'null'}]" for each in texts(array)]
    return [each[1:-1] for each in lists]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([True, None]), ["true", "null"]),
        (pa.array([2**63 - 1, -(2**63)]), ["9223372036854775807", "-9223372036854775808"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1.5, 1.0, 1e300, -0.0]), ["1.5", "1.0", "1e+300", "-0.0"]),
        (pa.array([float("nan"), float("inf"), float("-inf")]), ["null"] * 3),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([0.5, float("nan")], pa.float16()), ["0.5", "null"]),
        (pa.array([Decimal("1.50")], pa.decimal128(38, 2)), ["1.50"]),
        (pa.array([Decimal(10**50)], pa.decimal256(60, 8)), [f"1{'0' * 50}.00000000"]),
        (pa.array([date(2024, 2, 29)]), ['"2024-02-29"']),
        (pa.array([date(2024, 2, 29)], pa.date64()), ['"2024-02-29"']),
        (pa.array([time(12, 30)], pa.time32("s")), ['"12:30:00"']),
        (pa.array([NOON], pa.timestamp("s")), ['"2024-02-29T12:00:00"']),
        (pa.array([NOON], pa.timestamp("ms")), ['"2024-02-29T12:00:00.000"']),
        (pa.array([NOON], pa.timestamp("s", "UTC")), ['"2024-02-29T12:00:00Z"']),
        (pa.array([NOON], pa.timestamp("s", "+05:45")), ['"2024-02-29T17:45:00+05:45"']),
        (pa.array([NOON], pa.timestamp("s", "America/New_York")), ['"2024-02-29T07:00:00-05:00"']),
        (pa.array([timedelta(hours=36), -timedelta(seconds=1)]), ['"36:00:00"', '"-0:00:01"']),
        (pa.array([(14, 0, 0)], pa.month_day_nano_interval()), ['"P1Y2M"']),
        (pa.array([b"\xfb\xff"]), ['"+/8="']),
        (pa.array([bytes(16)], pa.uuid()), ['"00000000-0000-0000-0000-000000000000"']),
        (pa.array(['{"a":1}'], pa.json_()), ['"{\\"a\\":1}"']),
        (pa.nulls(2), ["null", "null"]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)  # fmt: skip
def test_a_scalar_within_a_list(array: pa.Array, expected: list[str]) -> None:
    assert within(array) == expected


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_a_text_is_escaped_as_python_escapes_it(kind: pa.DataType) -> None:
    every = "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028é漢😀'
    for text in ("", "plain", 'a "quote"', "back\\slash", "line\nend", every):
        assert texts(pa.array([text, None], kind)) == [json.dumps(text, ensure_ascii=False), None]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([[[1], None, []], None]), ["[[1],null,[]]", None]),
        (pa.array([{"b": 1, "a": None}]), ['{"b":1,"a":null}']),
        (pa.array([{"a": {"b": None}}, {"a": None}]), ['{"a":{"b":null}}', '{"a":null}']),
        (pa.array([{'k"\n': 1, "é": 2}]), ['{"k\\"\\n":1,"é":2}']),
        (pa.array([{}, None], pa.struct([])), ["{}", None]),
        (pa.array([[{}], []], pa.list_(pa.struct([]))), ["[{}]", "[]"]),
        (pa.array([[[], []], None], pa.list_(pa.list_(pa.int8(), 0), 2)), ["[[],[]]", None]),
        (pa.array([[1, None], None], pa.list_(pa.int8(), 2)), ["[1,null]", None]),
        (pa.array([[None], []], pa.list_(pa.null())), ["[null]", "[]"]),
        (pa.array([[], None], pa.list_(pa.int8())), ["[]", None]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)
def test_nested_values_are_compact_json(array: pa.Array, expected: list[Any]) -> None:
    assert texts(array) == expected
    assert texts(array.slice(1)) == expected[1:]
    assert texts(array.slice(0, 0)) == []


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (pa.string(), "a", '"a"'),
        (pa.string(), 'q"', '"q\\""'),
        (pa.int64(), -1, '"-1"'),
        (pa.bool_(), True, '"true"'),
        (pa.float64(), float("nan"), '"null"'),
        (pa.date32(), date(2024, 2, 29), '"2024-02-29"'),
        (pa.struct([("a", pa.string())]), {"a": "b"}, '"{\\"a\\":\\"b\\"}"'),
        (pa.list_(pa.int8()), [1, 2], '"[1,2]"'),
    ],
    ids=str,
)
def test_a_key_of_a_map_is_a_string(key: pa.DataType, value: Any, text: str) -> None:
    array = pa.array([[(value, 1)], None, []], pa.map_(key, pa.int8()))
    assert texts(array) == [f"{{{text}:1}}", None, "{}"]


def test_the_items_of_a_map_may_be_null() -> None:
    array = pa.array([[("a", None), ("b", 2)]], pa.map_(pa.string(), pa.int8()))
    assert texts(array) == ['{"a":null,"b":2}']


def test_what_stands_under_a_null_is_not_written() -> None:
    values, mask = pa.array([1, 2, 3]), pa.array([True, False])
    assert texts(pa.ListArray.from_arrays([0, 2, 3], values, mask=mask)) == [None, "[3]"]
    names = pa.array(["a", "b", "c"])
    array = pa.MapArray.from_arrays(pa.array([0, 2, 3], pa.int32()), names, values, mask=mask)
    assert texts(array) == [None, '{"c":3}']
    fixed = pa.FixedSizeListArray.from_arrays(pa.array([1, 2, 3, 4]), 2, mask=mask)
    assert texts(fixed) == [None, "[3,4]"]
    struct = pa.StructArray.from_arrays([pa.array([1, 2])], ["a"], mask=mask)
    assert texts(struct) == [None, '{"a":2}']


def test_views_may_share_values_in_any_order() -> None:
    starts, sizes = pa.array([2, 0, 0, 3], pa.int32()), pa.array([2, 3, 2, 0], pa.int32())
    mask = pa.array([False, False, True, False])
    array = pa.ListViewArray.from_arrays(starts, sizes, pa.array([1, 2, 3, 4]), mask=mask)
    assert texts(array) == ["[3,4]", "[1,2,3]", None, "[]"]
    assert texts(array.slice(1, 2)) == ["[1,2,3]", None]


def dictionary(values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1]), values)


def runs(values: pa.Array) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array([3, 4], pa.int32()), values)


STRUCTS = pa.array([{"a": "x"}, {"a": None}], pa.struct([("a", pa.string_view())]))
LISTS = pa.array([["x"], []])


@pytest.mark.parametrize("values", [STRUCTS, LISTS, dictionary(LISTS).slice(1, 2)], ids=str)
def test_encodings_of_nested_values_are_decoded(values: pa.Array) -> None:
    first, second = texts(values)
    assert texts(dictionary(values)) == [second, first, None, second]
    assert texts(dictionary(values).slice(1, 2)) == [first, None]
    assert texts(runs(values)) == [first, first, first, second]
    assert texts(runs(values).slice(2)) == [first, second]


@pytest.mark.parametrize("values", [STRUCTS, LISTS, dictionary(LISTS).slice(1, 2)], ids=str)
def test_encodings_within_nested_values_are_decoded(values: pa.Array) -> None:
    """Also where Arrow cannot copy them together, as runs of dictionaries."""
    first, second = (each or "null" for each in texts(values))
    mask = pa.array([False, True, False])
    offsets = pa.array([0, 1, 2, 4], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, runs(values), mask=mask)
    assert texts(lists) == [f"[{first}]", None, f"[{first},{second}]"]
    assert texts(lists.slice(2)) == [f"[{first},{second}]"]
    views = pa.ListViewArray.from_arrays([3, 0, 2], [1, 2, 2], runs(values), mask=mask)
    assert texts(views) == [f"[{second}]", None, f"[{first},{second}]"]
    names = pa.array(["a", "b", "c", "d"])
    maps = pa.MapArray.from_arrays(offsets, names, runs(values))
    assert texts(maps.slice(2)) == [f'{{"c":{first},"d":{second}}}']


def test_runs_of_items_are_those_of_their_own_rows() -> None:
    """A cast of such maps to lists of structs gives items of other rows in pyarrow 26."""
    items = pc.run_end_encode(pa.array([1, 1, 2, 2]))
    offsets = pa.array([0, 2, 4], pa.int32())
    maps = pa.MapArray.from_arrays(offsets, pa.array(["a", "b", "c", "d"]), items)
    assert texts(maps.slice(1)) == ['{"c":2,"d":2}']


def test_lists_of_extensions_may_all_be_empty() -> None:
    starts, sizes = pa.array([0], pa.int32()), pa.array([0], pa.int32())
    values = pa.array([bytes(16)], pa.uuid())
    assert texts(pa.ListViewArray.from_arrays(starts, sizes, values)) == ["[]"]

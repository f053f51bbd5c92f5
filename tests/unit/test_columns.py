from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters import (
    ColumnOptions,
    InvalidData,
    InvalidOptions,
    InvalidSchema,
    LimitExceeded,
    UnsupportedType,
)
from exporters.columns import Projection

PEOPLE = pa.schema([("name", pa.string()), ("age", pa.int8()), ("city", pa.string())])

TEXTS = pa.array(["a", None, "a", "", "long enough to stand outside a view"])


def asked(*names: str) -> list[ColumnOptions]:
    return [ColumnOptions(name) for name in names]


def headers(projection: Projection) -> list[str]:
    return [column.header for column in projection.columns]


def applied(array: pa.Array) -> pa.Array:
    """What becomes of a column."""
    batch = pa.record_batch({"column": array})
    return Projection(batch.schema).apply(batch).column(0)


def encoded(values: pa.Array, inner: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Run ends around values that are encoded themselves."""
    return pa.RunEndEncodedArray.from_arrays(range(1, len(values) + 1), inner(values))


def test_without_a_wish_all_columns_come_in_stream_order() -> None:
    assert headers(Projection(PEOPLE)) == ["name", "age", "city"]


def test_the_columns_asked_for_come_in_the_order_asked_for() -> None:
    projection = Projection(PEOPLE, asked("city", "name"))
    batch = pa.record_batch([["Ada"], [36], ["London"]], schema=PEOPLE)
    assert projection.apply(batch).to_pydict() == {"city": ["London"], "name": ["Ada"]}


def test_a_column_can_come_twice_under_two_headers() -> None:
    projection = Projection(PEOPLE, [ColumnOptions("age"), ColumnOptions("age", header="years")])
    batch = pa.record_batch([["Ada"], [36], ["London"]], schema=PEOPLE)
    assert projection.apply(batch).to_pydict() == {"age": [36], "years": [36]}


def test_a_column_keeps_what_was_asked_of_it() -> None:
    [column] = Projection(PEOPLE, [ColumnOptions("age", "Age", 12.5, "0.0")]).columns
    assert (column.index, column.header, column.type) == (1, "Age", pa.int8())
    assert (column.width, column.format) == (12.5, "0.0")


def test_an_empty_header_is_a_header() -> None:
    assert headers(Projection(PEOPLE, [ColumnOptions("age", header="")])) == [""]


def test_two_empty_headers_are_refused() -> None:
    with pytest.raises(InvalidOptions, match=r"two columns have the header ''"):
        Projection(PEOPLE, [ColumnOptions("name", header=""), ColumnOptions("age", header="")])


def test_a_name_that_is_covered_by_an_empty_header_is_free_for_another() -> None:
    wishes = [ColumnOptions("name", header=""), ColumnOptions("age", header="name")]
    assert headers(Projection(PEOPLE, wishes)) == ["", "name"]


def test_two_columns_under_one_header_are_refused() -> None:
    with pytest.raises(
        InvalidOptions, match=r"two columns have the header 'age'; give one another"
    ):
        Projection(PEOPLE, [ColumnOptions("name", header="age"), ColumnOptions("age")])


def test_a_column_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidSchema, match=r"'nane' is not in the stream; did you mean 'name'"):
        Projection(PEOPLE, asked("nane"))


def test_a_column_like_none_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        InvalidSchema, match=r"'zzz' is not in the stream; it has: name, age, city$"
    ):
        Projection(PEOPLE, asked("zzz"))


def test_a_stream_without_columns_is_refused() -> None:
    with pytest.raises(InvalidSchema, match=r"the stream has no columns; send at least one"):
        Projection(pa.schema([]))


def test_a_name_that_stands_twice_in_the_stream_is_refused() -> None:
    schema = pa.schema([("a", pa.int8()), ("b", pa.int8()), ("b", pa.int8())])
    with pytest.raises(InvalidSchema, match=r"column 'b' stands twice in the stream"):
        Projection(schema, asked("a"))


def test_a_canonical_column_is_not_copied() -> None:
    batch = pa.record_batch([["Ada"], [36], ["London"]], schema=PEOPLE)
    projected = Projection(PEOPLE).apply(batch)
    for before, after in zip(batch.columns, projected.columns, strict=True):
        assert before.buffers()[-1].address == after.buffers()[-1].address


@pytest.mark.parametrize(
    "kind",
    [
        pa.bool_(), pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.string(),
        pa.large_string(), pa.decimal128(38, 10), pa.date32(), pa.time32("s"), pa.time64("ns"),
        pa.timestamp("us"), pa.timestamp("ns", "Asia/Shanghai"), pa.timestamp("ms", "-03:30"),
        pa.duration("s"),
    ],
    ids=str,
)  # fmt: skip
def test_a_canonical_type_stays(kind: pa.DataType) -> None:
    assert Projection(pa.schema([("column", kind)])).columns[0].type == kind


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([1.5, None], pa.float16()), pa.float32()),
        (pa.array([date(2024, 2, 29), None], pa.date64()), pa.date32()),
        (pa.array([Decimal("1.50"), None], pa.decimal32(5, 2)), pa.decimal128(5, 2)),
        (pa.array([Decimal("1.50"), None], pa.decimal64(15, 2)), pa.decimal128(15, 2)),
        (pa.array([Decimal("1.50"), None], pa.decimal256(38, 2)), pa.decimal128(38, 2)),
        (pa.nulls(2), pa.large_string()),
        (TEXTS.cast(pa.string_view()), pa.large_string()),
        (TEXTS.dictionary_encode(), pa.string()),
        (pc.run_end_encode(TEXTS), pa.string()),
        (TEXTS.cast(pa.large_string()).dictionary_encode(), pa.large_string()),
        (pa.array([1, 2, 1, None]).dictionary_encode(), pa.int64()),
        (pc.run_end_encode(pa.array([1.5, 1.5, None])), pa.float64()),
        (pc.run_end_encode(pa.array([1.5, None], pa.float16())), pa.float32()),
    ],
    ids=lambda each: str(each.type if isinstance(each, pa.Array) else each),
)
def test_an_encoding_leaves_the_values_as_they_are(array: pa.Array, kind: pa.DataType) -> None:
    got = applied(array)
    assert got.type == kind
    assert got.to_pylist() == array.to_pylist()


@pytest.mark.parametrize(
    "array",
    [
        pa.DictionaryArray.from_arrays([0, 1, None], TEXTS[:2].cast(pa.string_view())),
        encoded(TEXTS, pa.Array.dictionary_encode),
        encoded(TEXTS, lambda texts: texts.cast(pa.string_view())),
    ],
    ids=lambda array: str(array.type)[:60],
)
def test_encodings_within_encodings_are_decoded(array: pa.Array) -> None:
    assert applied(array).to_pylist() == array.to_pylist()


def test_a_null_within_a_dictionary_is_a_null() -> None:
    array = pa.DictionaryArray.from_arrays([0, 1, None], pa.array(["a", None]))
    assert applied(array).to_pylist() == ["a", None, None]


@pytest.mark.parametrize(
    "array",
    [TEXTS, TEXTS.dictionary_encode(), pc.run_end_encode(TEXTS), TEXTS.cast(pa.string_view())],
    ids=lambda array: str(array.type),
)
def test_a_slice_gives_its_own_rows(array: pa.Array) -> None:
    assert applied(array.slice(1, 3)).to_pylist() == [None, "a", ""]


def bool8(values: list[int | None]) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.bool8(), pa.array(values, pa.int8()))


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([b"\x00\xff", b"", None]), ["AP8=", "", None]),
        (pa.array([b"\x00\xff", None], pa.large_binary()), ["AP8=", None]),
        (pa.array([b"long enough for no view", None], pa.binary_view()),
         ["bG9uZyBlbm91Z2ggZm9yIG5vIHZpZXc=", None]),
        (pa.array([b"abc", None], pa.binary(3)), ["YWJj", None]),
        (pa.array([b"abc", b"abc", None]).dictionary_encode(), ["YWJj", "YWJj", None]),
        (pc.run_end_encode(pa.array([b"abc", b"abc"])), ["YWJj", "YWJj"]),
        (pa.array([(14, 3, 0), None], pa.month_day_nano_interval()), ["P1Y2M3D", None]),
        (pa.array([bytes(range(16)), None], pa.uuid()),
         ["00010203-0405-0607-0809-0a0b0c0d0e0f", None]),
        (pa.array(['{"a": 1}', None], pa.json_()), ['{"a": 1}', None]),
        (pa.array([[1, None], None, []]), ["[1,null]", None, "[]"]),
        (pa.array([{"a": 1}, None]), ['{"a":1}', None]),
        (pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int8())), ['{"a":1}', None]),
    ],
    ids=lambda each: str(each.type if isinstance(each, pa.Array) else ""),
)  # fmt: skip
def test_what_no_cell_can_hold_becomes_text(array: pa.Array, texts: list[str | None]) -> None:
    assert applied(array).to_pylist() == texts
    assert applied(array.slice(1)).to_pylist() == texts[1:]
    assert pa.types.is_string(applied(array).type)


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (bool8([2, 0, None]), pa.bool_()),
        (pa.array([Decimal("1.50")], pa.decimal256(39, 2)), pa.decimal256(39, 2)),
        (pa.array([Decimal(12000)], pa.decimal128(38, -3)), pa.decimal256(41, 0)),
    ],
    ids=lambda each: str(each.type if isinstance(each, pa.Array) else each),
)
def test_what_a_cell_can_hold_keeps_its_values(array: pa.Array, kind: pa.DataType) -> None:
    assert applied(array).type == kind
    assert applied(array).to_pylist() == array.to_pylist()


def test_a_decimal_of_a_scale_that_arrow_cannot_show_is_widened() -> None:
    array = pa.array([Decimal("1e-50")], pa.decimal128(5, 50))
    assert applied(array).to_pylist() == [Decimal("1e-50")]


def test_an_extension_that_nobody_knows_is_written_as_its_storage() -> None:
    storage = pa.array(["a", "b", "a"]).dictionary_encode()
    array = pa.ExtensionArray.from_storage(pa.opaque(storage.type, "odd", "someone"), storage)
    assert applied(array).to_pylist() == ["a", "b", "a"]


UNIONS = [
    pa.dense_union([pa.field("a", pa.int8())]),
    pa.sparse_union([pa.field("a", pa.int8())]),
]


@pytest.mark.parametrize(
    "kind",
    [
        *UNIONS,
        pa.list_(UNIONS[0]),
        pa.struct([("a", pa.map_(pa.string(), UNIONS[1]))]),
        pa.dictionary(pa.int8(), pa.list_view(UNIONS[0])),
        pa.run_end_encoded(pa.int32(), UNIONS[0]),
    ],
    ids=str,
)
def test_a_type_that_a_cell_cannot_hold_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(UnsupportedType, match=r"column 'odd' is .*which a cell cannot hold; supp"):
        Projection(pa.schema([("id", pa.int64()), ("odd", kind)]))


def test_a_decimal_of_more_digits_than_arrow_has_is_refused() -> None:
    with pytest.raises(UnsupportedType, match=r"which has 80 digits with the zeros of its scale"):
        Projection(pa.schema([("odd", pa.decimal256(70, -10))]))


def lists_of(kind: pa.DataType, levels: int) -> pa.DataType:
    for _ in range(levels):
        kind = pa.list_(kind)
    return kind


def test_a_type_may_be_nested_in_64_levels() -> None:
    kind = lists_of(pa.binary(), 64)
    assert Projection(pa.schema([("deep", kind)])).columns[0].type == pa.string()
    with pytest.raises(UnsupportedType, match=r"'deep' is .*, which is nested over 64 levels deep"):
        Projection(pa.schema([("deep", pa.list_(kind))]))


def test_a_zone_within_a_nested_type_is_looked_at_too() -> None:
    schema = pa.schema([("at", pa.list_(pa.timestamp("us", "Mars/Base")))])
    with pytest.raises(InvalidSchema, match=r"column 'at': 'Mars/Base' is not a time zone"):
        Projection(schema)


def test_an_infinite_time_within_a_nested_value_is_refused() -> None:
    column = pa.array([[{"at": 2**31 - 1}]], pa.list_(pa.struct([("at", pa.date32())])))
    with pytest.raises(InvalidData, match=r"column 'column' holds a time over 30,000 years away"):
        applied(column)


def test_a_text_that_arrow_cannot_hold_is_refused() -> None:
    """Values that become over 2 GiB are not made here: they would be the test's memory too."""
    batch = pa.record_batch({"column": [[1]]})
    projection = Projection(batch.schema)

    def overflow(_array: pa.Array) -> pa.Array:
        raise pa.ArrowCapacityError("array cannot contain more than 2147483646 bytes")

    projection._origins[0]._convert = overflow
    with pytest.raises(LimitExceeded, match=r"'column' holds values of over 2 GiB of text"):
        projection.apply(batch)


def test_what_stands_under_a_null_is_not_looked_at() -> None:
    days = pa.array([2**31 - 1, 0], pa.date32())
    column = pa.ListArray.from_arrays([0, 1, 2], days, mask=pa.array([True, False]))
    assert applied(column).to_pylist() == [None, '["1970-01-01"]']


def test_a_column_of_an_unsupported_type_may_be_left_out() -> None:
    schema = pa.schema([("id", pa.int64()), ("odd", UNIONS[0])])
    assert headers(Projection(schema, asked("id"))) == ["id"]


def test_a_long_type_is_named_briefly() -> None:
    fields = [(f"field_{number}", UNIONS[0]) for number in range(100)]
    with pytest.raises(UnsupportedType) as refused:
        Projection(pa.schema([("odd", pa.struct(fields))]))
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("zone", ["Mars/Base", "+99:99", "Asia"])
def test_a_zone_that_nobody_knows_is_refused_before_any_data(zone: str) -> None:
    with pytest.raises(InvalidSchema, match=r"column 'at': .* is not a time zone"):
        Projection(pa.schema([("at", pa.timestamp("us", zone))]))


@pytest.mark.parametrize("encode", [pa.Array.dictionary_encode, lambda a: a.cast(pa.string_view())])
def test_a_slice_is_as_large_as_its_own_values(encode: Callable[[pa.Array], pa.Array]) -> None:
    """However large the dictionary or the buffers are that all slices share."""
    batch = pa.record_batch({"text": encode(pa.array([f"{n:100}" for n in range(1000)]))})
    projection = Projection(batch.schema)
    assert projection.size(batch.slice(0, 10)) < 1_100 < projection.size(batch)


def test_a_column_counts_as_often_as_it_stands_in_the_file() -> None:
    batch = pa.record_batch({"text": ["x" * 1000] * 10, "other": ["y" * 1000] * 10})
    asked = [ColumnOptions("text", header=str(number)) for number in range(100)]
    size = Projection(batch.schema, asked).size(batch)
    assert 1_000_000 <= size < 1_010_000


def test_a_column_that_is_not_in_the_file_does_not_count() -> None:
    batch = pa.record_batch({"text": ["x" * 1000] * 10, "count": [1] * 10})
    assert Projection(batch.schema, [ColumnOptions("count")]).size(batch) < 1000

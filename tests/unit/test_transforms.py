"""Masks, maps and columns that are made here, as a `Projection` applies them."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters.asked import MAX_FIRST_NUMBER, MAX_TEXT, MAX_WORDS, ColumnOptions
from exporters.blocks import BLOCK_BYTES, BlockCutter
from exporters.columns import Projection
from exporters.errors import InvalidData, InvalidOptions
from exporters.transforms.base import TEXT

KEY = b"a secret of at least 16 bytes"

ARRAYS = {
    "bool": (pa.array([True, None]), "true"),
    "int64": (pa.array([4930123456, None]), "4930123456"),
    "uint8": (pa.array([7, None], pa.uint8()), "7"),
    "float16": (pa.array([1.5, None], pa.float16()), "1.5"),
    "float64": (pa.array([1.0, None]), "1"),
    "decimal128": (pa.array([Decimal("12.50"), None]), "12.50"),
    "small decimal": (pa.array([Decimal("1e-9"), None]), "0.000000001"),
    "decimal32": (pa.array([Decimal("12.50"), None], pa.decimal32(5, 2)), "12.50"),
    "string": (pa.array(["Ada", None]), "Ada"),
    "large_string": (pa.array(["Ada", None], pa.large_string()), "Ada"),
    "string_view": (pa.array(["Ada", None], pa.string_view()), "Ada"),
    "dictionary": (pa.array(["Ada", None]).dictionary_encode(), "Ada"),
    "numbers in a dictionary": (pa.array([7, None]).dictionary_encode(), "7"),
    "runs": (pc.run_end_encode(pa.array(["Ada", None])), "Ada"),
    "date": (pa.array([dt.date(2024, 2, 29), None]), "2024-02-29"),
    "date64": (pa.array([dt.date(2024, 2, 29), None], pa.date64()), "2024-02-29"),
    "time": (pa.array([dt.time(18), None], pa.time32("s")), "18:00:00"),
    "timestamp": (
        pa.array([dt.datetime(2024, 2, 29, 12), None], pa.timestamp("s")),
        "2024-02-29 12:00:00",
    ),
    "zoned": (pa.array([0, None], pa.timestamp("s", "+06:00")), "1970-01-01 06:00:00+0600"),
    "duration": (pa.array([dt.timedelta(hours=36), None]), "36:00:00"),
    "interval": (pa.array([(14, 3, 0), None], pa.month_day_nano_interval()), "P1Y2M3D"),
    "binary": (pa.array([b"abc", None]), "YWJj"),
    "uuid": (pa.array([bytes(16), None], pa.uuid()), "00000000-0000-0000-0000-000000000000"),
    "bool8": (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None], pa.int8())), "true"),
    "json": (pa.array(['{"a": 1}', None], pa.json_()), '{"a": 1}'),
}


def applied(array: pa.Array, first_row: int = 0, **asked: Any) -> list[Any]:
    batch = pa.record_batch({"c": array})
    name = None if {"value", "row_number"} & asked.keys() else "c"
    projection = Projection(batch.schema, [ColumnOptions(name, **{"header": "h"} | asked)])
    result = projection.apply(batch, first_row)
    result.validate(full=True)
    assert result.schema == projection.output_schema
    assert result.column(0).type == projection.columns[0].type
    column = projection.column(batch, 0, first_row)
    assert column.equals(result.column(0)) or column.to_pylist() == result.column(0).to_pylist()
    return list(result.column(0).to_pylist())


def refused(message: str, schema: pa.Schema | None = None, **asked: Any) -> None:
    with pytest.raises(InvalidOptions, match=message):
        Projection(schema or pa.schema([("c", pa.string())]), [ColumnOptions(**asked)])


@pytest.mark.parametrize("name", ARRAYS)
class TestEveryType:
    def test_a_mask_sees_the_text_of_a_value(self, name: str) -> None:
        array, text = ARRAYS[name]
        kept = f"****{text[-4:]}" if len(text) > 4 else "****"
        assert applied(array, mask="last4") == [kept, None]
        assert applied(array, mask="redact") == ["***", None]

    def test_equal_texts_have_equal_hashes_whatever_their_type(self, name: str) -> None:
        array, text = ARRAYS[name]
        asked = {"mask": "hash", "mask_key": KEY}
        assert applied(array, **asked) == applied(pa.array([text, None]), **asked)

    def test_a_map_knows_a_value_by_its_text(self, name: str) -> None:
        array, text = ARRAYS[name]
        assert applied(array, map={text: "known", "x": "y"}) == ["known", None]
        assert applied(array, map={"x": "y"}) == [text, None]
        assert applied(array, map={"x": "y"}, otherwise="other") == ["other", None]

    def test_what_is_transformed_is_no_larger_than_was_said(self, name: str) -> None:
        array, _text = ARRAYS[name]
        batch = pa.record_batch({"c": array})
        for asked in ({"mask": "hash", "mask_key": KEY}, {"mask": "last4"}, {"map": {"x": "y"}}):
            projection = Projection(batch.schema, [ColumnOptions("c", **asked)])
            texts = projection.apply(batch).column(0)
            assert projection.size(batch) >= pc.sum(pc.binary_length(texts)).as_py()


def test_a_null_column_stays_null() -> None:
    assert applied(pa.nulls(2), mask="redact") == [None, None]
    assert applied(pa.nulls(2), map={"a": "b"}, otherwise="c") == [None, None]


def test_an_empty_text_is_masked_and_can_be_mapped() -> None:
    texts = pa.array(["", "a"])
    assert applied(texts, mask="last4") == ["****", "****"]
    assert applied(texts, map={"": "none"}) == ["none", "a"]


def test_a_masked_or_mapped_column_is_text_and_keeps_its_place_in_the_stream() -> None:
    schema = pa.schema([("a", pa.int8()), ("b", pa.int64())])
    [column] = Projection(schema, [ColumnOptions("b", mask="last4")]).columns
    assert (column.index, column.header, column.type) == (1, "b", TEXT)


def test_a_column_can_stand_beside_itself_masked() -> None:
    batch = pa.record_batch({"card": ["4111111111111111"]})
    wishes = [ColumnOptions("card"), ColumnOptions("card", "masked", mask="last4")]
    row = Projection(batch.schema, wishes).apply(batch).to_pylist()
    assert row == [{"card": "4111111111111111", "masked": "****1111"}]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.string()),
        pa.struct([("a", pa.string())]),
        pa.map_(pa.string(), pa.string()),
        pa.dictionary(pa.int8(), pa.list_(pa.string())),
        pa.fixed_shape_tensor(pa.int8(), [2]),
    ],
    ids=str,
)
def test_what_is_nested_is_neither_masked_nor_mapped(kind: pa.DataType) -> None:
    schema = pa.schema([("c", kind)])
    refused("'c' is nested, and a mask is for single values", schema, name="c", mask="redact")
    refused("'c' is nested, and a map is for single values", schema, name="c", map={"a": "b"})


def test_a_hash_needs_a_key_of_some_length() -> None:
    refused("'c' has the mask 'hash' and no key; give a secret", name="c", mask="hash")
    refused("and a key of 3 bytes", name="c", mask="hash", mask_key=b"abc")


def test_a_key_is_not_shown() -> None:
    asked = ColumnOptions("c", mask="hash", mask_key=KEY)
    assert KEY.decode() not in repr(asked)


def test_a_wrong_time_under_a_mask_is_refused_without_its_value() -> None:
    with pytest.raises(InvalidData, match=r"column 'h' holds a time over 30,000 years away") as e:
        applied(pa.array([2**31 - 1], pa.date32()), mask="redact")
    assert "5881580" not in str(e.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("web shop", TEXT), ("", TEXT), (5, pa.int64()), (2**63 - 1, pa.int64()),
     (1.5, pa.float64()), (True, pa.bool_()), (False, pa.bool_()), (0, pa.int64())],
)  # fmt: skip
def test_a_constant_stands_in_every_row(value: Any, kind: pa.DataType) -> None:
    batch = pa.record_batch({"a": [1, 2, 3]})
    projection = Projection(batch.schema, [ColumnOptions(header="Source", value=value)])
    [column] = projection.columns
    assert (column.index, column.type) == (None, kind)
    assert projection.apply(batch).to_pydict() == {"Source": [value] * 3}


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("2024-02-29", "date", dt.date(2024, 2, 29)),
        ("2024-02-29 12:00:00", "datetime", dt.datetime(2024, 2, 29, 12)),
        ("1.5", "number", 1.5),
        (1, "boolean", True),
        (12, "string", "12"),
        ("", "date", None),
    ],
)
def test_a_constant_may_be_of_another_kind(value: Any, wanted: Any, expected: Any) -> None:
    assert applied(pa.array([1, 2]), value=value, type=wanted) == [expected] * 2


def test_a_constant_that_is_not_of_its_kind_is_refused_before_any_data() -> None:
    refused("column 'Day' cannot be date32", header="Day", value="soon", type="date")
    refused("'Day' is double, which cannot be a date", header="Day", value=1.5, type="date")


def test_rows_are_numbered_from_one_or_from_what_was_asked() -> None:
    rows = pa.array(["a", "b", "c"])
    assert applied(rows, row_number=True) == [1, 2, 3]
    assert applied(rows, first_row=10, row_number=True) == [11, 12, 13]
    assert applied(rows, first_row=10, row_number=0) == [10, 11, 12]
    assert applied(rows, first_row=10, row_number=1000) == [1010, 1011, 1012]
    assert applied(rows, row_number=7, type="string") == ["7", "8", "9"]
    assert applied(rows, row_number=True, type="number") == [1, 2, 3]


def test_a_file_may_have_made_columns_only() -> None:
    batch = pa.record_batch({"a": [1, 2]})
    wishes = [ColumnOptions(header="No.", row_number=True), ColumnOptions(header="x", value="y")]
    assert Projection(batch.schema, wishes).apply(batch).to_pydict() == {
        "No.": [1, 2],
        "x": ["y", "y"],
    }


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "an entry has no 'name', 'value' or 'row_number'; give one of them"),
        ({"header": "h"}, "'h' has no 'name', 'value' or 'row_number'"),
        ({"name": "c", "value": 1}, "'c' has 'name' and 'value', which exclude each other"),
        ({"name": "c", "row_number": True}, "'c' has 'name' and 'row_number'"),
        ({"header": "h", "value": 1, "row_number": 1}, "'h' has 'value' and 'row_number'"),
        ({"value": 1}, "an entry has a 'value' and no 'header'; give it one"),
        ({"row_number": True}, "an entry has a 'row_number' and no 'header'"),
        ({"header": "h", "value": 1, "mask": "redact"}, "only columns of the stream have a mask"),
        ({"header": "h", "value": 1, "map": {"1": "a"}}, "only columns of the stream have a map"),
        ({"name": "c", "mask": "emial"}, "mask 'emial', which there is not; did you mean 'email'?"),
        ({"name": "c", "mask": "x"}, "there is not; available: email, hash, last4, phone, redact"),
        ({"name": "c", "mask": 5}, "'c' has the mask 5, which there is not; available: email"),
        ({"name": "c", "mask": "redact", "map": {"a": "b"}}, "has 'mask' and 'map', which exclude"),
        ({"name": "c", "mask": "redact", "type": "string"}, "has 'mask' and 'type', which exclude"),
        ({"name": "c", "map": {"a": "b"}, "type": "number"}, "has 'map' and 'type', which exclude"),
        ({"name": "c", "otherwise": "x"}, "'c' has 'otherwise' without a 'map'; give both"),
        ({"name": "c", "map": {}}, "has a 'map' that is not of 1 to 10,000 texts to texts"),
        ({"name": "c", "map": ["a"]}, "has a 'map' that is not of 1 to 10,000 texts to texts"),
        ({"name": "c", "map": {str(n): "x" for n in range(MAX_WORDS + 1)}}, "1 to 10,000 texts"),
        ({"name": "c", "map": {1: "a"}}, "'c' has 1 in its 'map'; texts only, also for numbers"),
        ({"name": "c", "map": {"1": 2}}, "'c' has 2 in its 'map'; texts only"),
        ({"name": "c", "map": {"1": None}}, "'c' has None in its 'map'; texts only"),
        ({"name": "c", "map": {"1": "a"}, "otherwise": 5}, "'c' has 5 in its 'map'; texts only"),
        ({"name": "c", "map": {"1": "x" * (MAX_TEXT + 1)}}, "32,768 characters in its 'map'"),
        ({"header": "h", "value": "x" * (MAX_TEXT + 1)}, "32,768 characters in its 'value'; at"),
        ({"header": "h", "value": [1]}, "has the value [1]; use a text, a number, true or false"),
        ({"header": "h", "value": 2**63}, "has a value of more than 64 bits; give it as a text"),
        ({"header": "h", "value": float("inf")}, "has the value inf; use a finite number"),
        ({"header": "h", "row_number": -1}, "has the row_number -1; use true or the first number"),
        ({"header": "h", "row_number": False}, "has the row_number False; use true or"),
        ({"header": "h", "row_number": 1.0}, "has the row_number 1.0; use true or"),
        ({"header": "h", "row_number": MAX_FIRST_NUMBER + 1}, "from 0 to 10^15"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(asked: Any, message: str) -> None:
    with pytest.raises(InvalidOptions) as raised:
        ColumnOptions(**asked)
    assert message in str(raised.value)
    assert str(raised.value).startswith("columns: ")


def test_row_numbers_are_no_dates() -> None:
    refused("'h' has row numbers, which cannot be a date", header="h", row_number=1, type="date")


def test_two_columns_under_one_header_are_refused_however_they_are_made() -> None:
    wishes = [ColumnOptions("c"), ColumnOptions(header="c", value=1)]
    with pytest.raises(InvalidOptions, match="two columns have the header 'c'"):
        Projection(pa.schema([("c", pa.string())]), wishes)


LONG: dict[str, Mapping[str, Any]] = {
    "constant": {"value": "x" * 10_000},
    "otherwise": {"name": "c", "map": {"a": "b"}, "otherwise": "x" * 10_000},
    "map": {"name": "c", "map": {"0": "x" * 10_000}},
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_that_are_made_here_make_short_blocks(name: str) -> None:
    batch = pa.record_batch({"c": pa.array([0] * 8_000, pa.int8())})
    projection = Projection(batch.schema, [ColumnOptions(header="h", **LONG[name])])
    cutter = BlockCutter(measure=projection.size)
    blocks = [*cutter.add(batch), *cutter.flush()]
    assert sum(block.num_rows for block in blocks) == 8_000
    assert max(block.num_rows for block in blocks) <= BLOCK_BYTES // 10_000
    for block in blocks[:2]:
        made = projection.apply(block)
        assert made.nbytes <= projection.size(block) <= BLOCK_BYTES


@pytest.mark.parametrize("encode", [lambda a: a, pa.Array.dictionary_encode])
def test_a_map_of_many_words_is_looked_up(encode: Callable[[pa.Array], pa.Array]) -> None:
    words = {str(n): f"word {n}" for n in range(MAX_WORDS)}
    numbers = encode(pa.array([*range(0, 20_000, 7), None]))
    expected = [f"word {n}" if n < MAX_WORDS else str(n) for n in range(0, 20_000, 7)]
    assert applied(numbers, map=words) == [*expected, None]

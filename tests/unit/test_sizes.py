"""A block's size is known before its values are decoded and spelled, and never too small."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters.blocks import BLOCK_BYTES, BlockCutter
from exporters.columns import Projection
from exporters.sizes import decoded_size


def spelled_size(array: pa.Array) -> int:
    """Bytes of the texts that a column becomes."""
    batch = pa.record_batch({"column": array})
    return int(pc.sum(pc.binary_length(Projection(batch.schema).apply(batch).column(0))).as_py())


LONG = pa.struct([(f"{'x' * 1000}{n}", pa.null()) for n in range(100)])

WORST = {
    "control characters": pa.array([["\x01" * 100]]),
    "control characters in views": pa.array([["\x01" * 100]], pa.list_(pa.string_view())),
    "quotes": pa.array([{"a": '"\\' * 100}]),
    "keys": pa.array([[('"\x01' * 50, 1)]], pa.map_(pa.string(), pa.int8())),
    "keys that are JSON": pa.array(
        [[({"a": '"\x01' * 50}, 1)]], pa.map_(pa.struct([("a", pa.string())]), pa.int8())
    ),
    "numbers": pa.array([[-(2**63)] * 9]),
    "small numbers": pa.array([[-128] * 9], pa.list_(pa.int8())),
    "floats": pa.array([[-2.2250738585072014e-308] * 9]),
    "half floats": pa.array([[-6.1035156e-05] * 9], pa.list_(pa.float16())),
    "booleans": pa.array([[False] * 9]),
    "nulls": pa.array([[None] * 9], pa.list_(pa.null())),
    "binary": pa.array([[b"a"] * 9]),
    "binary views": pa.array([b"\xff" * 100, b"a", None], pa.binary_view()),
    "intervals": pa.array([(-23, -(2**31), -(2**63))], pa.month_day_nano_interval()),
    "uuids": pa.array([bytes(16)], pa.uuid()),
    "times": pa.array([[0]], pa.list_(pa.time64("ns"))),
    "timestamps": pa.array([[-(2**62)]], pa.list_(pa.timestamp("ns", "-03:30"))),
    "durations": pa.array([[-(2**63)]], pa.list_(pa.duration("ms"))),
    "long names": pa.array([{}, None, {}], LONG),
    "empty lists": pa.array([[]] * 9, pa.list_(pa.int8(), 0)),
    "empty structs": pa.array([{}] * 9, pa.struct([])),
    "a dictionary": pa.array(["a" * 100] * 9).dictionary_encode(),
    "a dictionary of lists": pa.DictionaryArray.from_arrays([0] * 9, pa.array([["a" * 100]])),
    "runs of structs": pa.RunEndEncodedArray.from_arrays(
        pa.array([900], pa.int32()), pa.array([{"a": "b" * 100}])
    ),
}


@pytest.mark.parametrize("array", WORST.values(), ids=WORST)
def test_no_text_is_larger_than_its_size(array: pa.Array) -> None:
    assert spelled_size(array) <= decoded_size(array)
    batch = pa.record_batch({"column": array})
    assert Projection(batch.schema).size(batch) == decoded_size(array)


def test_a_struct_of_many_long_names_is_cut_into_blocks_by_what_it_becomes() -> None:
    """Its nulls are nothing in Arrow and 100 KB of JSON in each row."""
    array = pa.array([{}] * 1000, LONG)
    assert array.nbytes < 100
    projection = Projection(pa.schema([("column", LONG)]))
    cutter = BlockCutter(measure=projection.size)
    blocks = [*cutter.add(pa.record_batch({"column": array})), *cutter.flush()]
    assert sum(block.num_rows for block in blocks) == 1000
    largest = max(spelled_size(block.column(0)) for block in blocks)
    assert BLOCK_BYTES / 2 < largest <= BLOCK_BYTES


def test_a_size_is_near_to_what_texts_become() -> None:
    """Where it is known exactly, blocks are not cut too small."""
    array = pa.array([{"name": "n" * 100, "tags": ["a" * 50, "b" * 50]}] * 100)
    assert decoded_size(array) < 1.2 * spelled_size(array)


def test_views_that_share_values_are_counted_each_and_measured_once() -> None:
    """A million rows of one long list would be a terabyte if they were copied to measure them."""
    rows, length = 1_000_000, 100_000
    views = pa.ListViewArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), rows),
        pa.repeat(pa.scalar(length, pa.int32()), rows),
        pa.array(["a" * 10] * length),
    )
    assert decoded_size(views) > rows * length * 13


def test_a_slice_has_the_size_of_its_own_rows() -> None:
    array = pa.array([["a" * 100], ["b"], ["c"]])
    assert decoded_size(array.slice(1)) == 2 * decoded_size(array.slice(2)) < 40


def test_a_union_that_is_left_out_is_measured_too() -> None:
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    batch = pa.record_batch({"a": pa.array([["x"]]), "odd": union})
    struct = pa.StructArray.from_arrays([union], names=["odd"])
    assert decoded_size(union) == union.nbytes
    assert decoded_size(struct) > 16
    assert batch.num_rows == 1


def test_many_columns_of_nulls_make_short_blocks() -> None:
    """They are nothing in Arrow, and an empty text with its offset in each row."""
    schema = pa.schema([(f"c{place}", pa.null()) for place in range(1000)])
    nulls = pa.record_batch([pa.nulls(2000)] * 1000, schema=schema)
    cutter = BlockCutter(measure=Projection(schema).size)
    blocks = [*cutter.add(nulls), *cutter.flush()]
    assert sum(block.num_rows for block in blocks) == 2000
    assert max(block.num_rows for block in blocks) * 1000 * 8 <= BLOCK_BYTES

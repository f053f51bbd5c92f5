"""Columns that keep their own types, without what their senders' encodings were."""

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters.layouts import laid_out, plain_layout

TEXTS = ["a", None, "", "long enough to stand outside a view"]


def kept(array: pa.Array) -> pa.Array:
    found = laid_out(array, plain_layout(array.type))
    found.validate(full=True)
    assert found.to_pylist() == array.to_pylist()
    return found


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, None]),
        pa.array(TEXTS, pa.large_string()),
        pa.array([[1], None], pa.list_(pa.int8())),
        pa.array([{"a": 1}, None]),
        pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
        pa.array([bytes(16)], pa.uuid()),
        pa.array([1, 0], pa.bool8()),
        pa.nulls(2),
    ],
    ids=lambda array: str(array.type),
)
def test_what_is_plain_is_kept_without_a_copy(array: pa.Array) -> None:
    assert kept(array) is array


@pytest.mark.parametrize(
    "array",
    [
        pa.array(TEXTS).dictionary_encode(),
        pc.run_end_encode(pa.array(TEXTS)),
        pa.array(TEXTS, pa.string_view()),
    ],
    ids=lambda array: str(array.type),
)
def test_encoded_texts_are_texts(array: pa.Array) -> None:
    assert kept(array).type == pa.string()
    within = pa.StructArray.from_arrays([array], ["a"])
    assert kept(within).type == pa.struct([("a", pa.string())])
    offsets = pa.array([0, 1, 1, 4], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, array)
    assert kept(lists).type == pa.list_(pa.string())
    assert kept(lists.slice(1)).type == pa.list_(pa.string())
    fixed = pa.FixedSizeListArray.from_arrays(array, 2)
    assert kept(fixed.slice(1)).type == pa.list_(pa.string(), 2)
    keys = pa.array(["k", "l", "m", "n"])
    maps = pa.MapArray.from_arrays(offsets, keys, array)
    assert kept(maps.slice(1)).type == pa.map_(pa.string(), pa.string())


def test_runs_of_nested_values_are_nested_values() -> None:
    values = pa.array([{"a": [1]}, None])
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), values)
    found = laid_out(runs, plain_layout(runs.type))
    assert found.to_pylist() == [{"a": [1]}, {"a": [1]}, None]


@pytest.mark.parametrize("large", [False, True])
def test_views_of_lists_are_lists(large: bool) -> None:
    make = pa.LargeListViewArray if large else pa.ListViewArray
    views = make.from_arrays([1, 0, 1], [2, 1, 0], pa.array([1, 2, 3]))
    assert kept(views).type == (pa.large_list if large else pa.list_)(pa.int64())


def test_fields_keep_their_names_and_what_they_say() -> None:
    item = pa.field("element", pa.dictionary(pa.int8(), pa.string()), False, {"k": "v"})
    found = plain_layout(pa.list_(item)).field(0)
    assert found.equals(item.with_type(pa.string()), check_metadata=True)


def test_an_extension_of_encoded_values_is_its_values() -> None:
    storage = pa.array(["a", "a"]).dictionary_encode()
    kind = pa.opaque(storage.type, "odd", "someone")
    array = pa.ExtensionArray.from_storage(kind, storage)
    assert laid_out(array, plain_layout(kind)).equals(pa.array(["a", "a"]))


def test_nothing_of_what_was_in_memory_before_stands_under_a_null() -> None:
    """glibc fills memory that it hands out with the pattern asked for."""
    program = (
        "import pyarrow as pa; from exporters.layouts import laid_out, plain_layout; "
        "runs = pa.RunEndEncodedArray.from_arrays([2, 4], pa.array([1, None], pa.int64())); "
        "found = laid_out(runs, plain_layout(runs.type)); "
        "print(memoryview(found.buffers()[1]).cast('q')[:4].tolist())"
    )
    environ = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_PERTURB_": "165"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[1, 1, 0, 0]"

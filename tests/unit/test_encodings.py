from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.encodings import is_encoded
from exporters.fates import canonical_type, converter
from exporters.sizes import decoded_size

TEXTS = ["a", None, "", "long enough to stand outside a view", "a", "a"]

ENCODINGS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "dictionary": lambda array: array.dictionary_encode(),
    "dictionary of views": lambda array: pa.DictionaryArray.from_arrays(
        array.dictionary_encode().indices,
        array.dictionary_encode().dictionary.cast(pa.string_view()),
    ),
    "runs": pc.run_end_encode,
    "runs of dictionaries": lambda array: _runs(array.dictionary_encode()),
    "view": lambda array: array.cast(pa.string_view()),
}


def _runs(values: pa.Array) -> pa.Array:
    ends = pa.array(range(1, len(values) + 1), pa.int32())
    return pa.RunEndEncodedArray.from_arrays(ends, values)


def decoded(array: pa.Array) -> list[object]:
    convert = converter(array.type)
    result = array if convert is None else convert(array)
    result.validate(full=True)
    assert result.type == canonical_type(array.type)
    return list(result.to_pylist())


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@given(values=st.lists(st.sampled_from(TEXTS), min_size=1), data=st.data())
def test_a_slice_of_an_encoding_is_that_slice_of_its_values(
    encode: Callable[[pa.Array], pa.Array], values: list[str | None], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(values) - 1))
    count = data.draw(st.integers(1, len(values) - start))
    array = encode(pa.array(values, pa.string())).slice(start, count)
    assert decoded(array) == values[start : start + count]


def test_a_plain_array_of_the_canonical_type_is_left_alone() -> None:
    assert converter(pa.int64()) is None


@pytest.mark.parametrize("encode", [pc.dictionary_encode, pc.run_end_encode])
def test_the_size_of_what_repeats_counts_every_row(
    encode: Callable[[pa.Array], pa.Array],
) -> None:
    array = encode(pa.array(["x" * 1000] * 500 + [None] * 500))
    assert is_encoded(array.type)
    assert array.nbytes < 20_000
    assert decoded_size(array) == 500 * (1000 + 4)


@pytest.mark.parametrize("encode", [pc.dictionary_encode, pc.run_end_encode])
def test_the_size_of_a_slice_is_that_of_its_rows(encode: Callable[[pa.Array], pa.Array]) -> None:
    array = encode(pa.array(["x" * 100] * 10 + ["y"] * 10))
    assert decoded_size(array.slice(9, 3)) == 100 + 1 + 1 + 3 * 4


def test_numbers_in_a_dictionary_have_a_size_too() -> None:
    assert decoded_size(pa.array([1, 2, 1]).dictionary_encode()) == 3 * 16

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.text_bytes import (
    concatenated,
    first_octets,
    octets_of,
    replaced,
    rows_with,
    texts_from,
    validity,
)

KINDS = pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
VALUES = st.lists(st.none() | st.text('ab"\n字😀', max_size=4), max_size=20)
STARTS = st.integers(0, 6)


def octets_alone(values: list[str | None]) -> list[bytes]:
    return [(each or "").encode() for each in values]


@KINDS
@given(values=VALUES, start=STARTS, length=STARTS)
def test_each_text_stands_between_its_offsets(
    kind: pa.DataType, values: list[str | None], start: int, length: int
) -> None:
    octets, offsets = octets_of(pa.array(values, kind).slice(start, length))
    wanted = octets_alone(values[start : start + length])
    assert octets.tobytes() == b"".join(wanted)
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [0, *np.cumsum([len(each) for each in wanted])]


@KINDS
@given(values=VALUES, start=STARTS, length=STARTS)
def test_texts_are_made_of_their_octets_again(
    kind: pa.DataType, values: list[str | None], start: int, length: int
) -> None:
    texts = pa.array(values, kind).slice(start, length)
    again = texts_from(*octets_of(texts), texts)
    again.validate(full=True)
    assert again.to_pylist() == values[start : start + length]


@KINDS
@given(values=VALUES, start=STARTS, wanted=st.sampled_from([b'"', b'"\n', b"z", b"ab", b""]))
def test_the_rows_with_an_octet_are_those_that_hold_one(
    kind: pa.DataType, values: list[str | None], start: int, wanted: bytes
) -> None:
    mask = rows_with(*octets_of(pa.array(values, kind).slice(start)), wanted)
    expected = [any(each in text for each in wanted) for text in octets_alone(values[start:])]
    assert (mask is None) == (not any(expected))
    assert mask is None or mask.tolist() == expected


@KINDS
@given(values=VALUES, start=STARTS)
def test_the_first_octet_is_0_where_there_is_none(
    kind: pa.DataType, values: list[str | None], start: int
) -> None:
    first = first_octets(*octets_of(pa.array(values, kind).slice(start)))
    assert first.tolist() == [each[0] if each else 0 for each in octets_alone(values[start:])]


@KINDS
@given(values=VALUES, start=STARTS, data=st.data())
def test_the_rows_of_a_mask_are_replaced_in_order(
    kind: pa.DataType, values: list[str | None], start: int, data: st.DataObject
) -> None:
    values = [*values, *[None] * start]
    texts = pa.array(values, kind).slice(start)
    rows = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    new = [str(each) for each in range(sum(rows))]
    again = replaced(texts, np.array(rows, np.bool_), pa.array(new, pa.string()))
    left = iter(new)
    expected = [next(left) if hit else each for each, hit in zip(values[start:], rows, strict=True)]
    assert again.type == kind
    assert again.to_pylist() == expected


@KINDS
def test_literals_and_arrays_are_joined_row_by_row(kind: pa.DataType) -> None:
    texts = pa.array(["x", "a", None, ""], kind).slice(1)
    assert concatenated(kind, "<", texts, "|", texts, ">").to_pylist() == ["<a|a>", None, "<|>"]


def test_octets_may_be_no_utf_8() -> None:
    like = pa.array(["", None, ""])
    texts = texts_from(np.array([255, 254], np.uint8), np.array([0, 1, 1, 2]), like)
    assert texts.cast(pa.binary()).to_pylist() == [b"\xff", None, b"\xfe"]


def test_offsets_beyond_32_bits_make_large_texts() -> None:
    """The zeros are no memory until somebody looks at them."""
    octets = np.zeros(2**31, np.uint8)
    kinds = [
        texts_from(octets, np.array([0, end]), pa.array([""])).type for end in (2**31 - 1, 2**31)
    ]
    assert kinds == [pa.string(), pa.large_string()]


@given(values=VALUES, start=STARTS)
def test_validity_begins_where_the_array_does(values: list[str | None], start: int) -> None:
    array = pa.array(values, pa.string()).slice(start)
    bitmap = validity(array)
    if bitmap is None:
        assert None not in values[start:]
    else:
        found = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")[: len(array)]
        assert found.tolist() == [each is not None for each in values[start:]]


def test_an_array_without_buffers_of_texts_has_no_octets() -> None:
    for texts in (pa.array([], pa.string()), pa.nulls(3, pa.string()), pa.array([""])):
        octets, offsets = octets_of(texts)
        assert octets.size == 0
        assert offsets.tolist() == [0] * (len(texts) + 1)

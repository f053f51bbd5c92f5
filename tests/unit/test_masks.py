"""What of a text stays under each mask."""

import hmac
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from exporters.transforms.base import TEXT, Transform
from exporters.transforms.hashed import Hash
from exporters.transforms.masks import Email, Last4, Phone, Redact
from exporters.transforms.sha256 import HmacSha256, chunks

KEY = b"a secret of at least 16 bytes"


def masked(mask: Transform, *texts: str | None) -> list[Any]:
    array = mask.apply(pa.array(texts, TEXT))
    array.validate(full=True)
    assert array.type == TEXT
    return list(array.to_pylist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jane@example.com", "j***@example.com"),
        ("j@example.com", "j***@example.com"),
        ("Jane.Doe+news@mail.example.co.uk", "J***@mail.example.co.uk"),
        ("o'neil@example.com", "o***@example.com"),
        ("élise@exämple.de", "é***@exämple.de"),
        ("王芳@例え.テスト", "王***@例え.テスト"),
        ("😀x@example.com", "😀***@example.com"),
        ("jane@192.168.0.1", "j***@192.168.0.1"),
    ],
)
def test_an_address_keeps_its_first_character_and_its_domain(text: str, expected: str) -> None:
    assert masked(Email(), text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "jane", "@example.com", "jane@", "jane@localhost", "jane@example.",
        "jane@.com", "jane@a..b", "a@b@example.com", "jane doe@example.com", "jane@exa mple.com",
        "Jane <jane@example.com>", "jane@example.com\n", "jane@example.com\u3000Jane Doe",
        "jane@example.com,joe@example.com", "p@ss!word.x", "mailto:a@b.com?subject=x",
    ],
)  # fmt: skip
def test_nothing_stays_of_what_is_no_address(text: str) -> None:
    assert masked(Email(), text) == ["***"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+49 (30) 1234-5678", "+** (**) ****-5678"),
        ("0049301234567", "*********4567"),
        ("555 12-34", "*** 12-34"),
        ("030/123.45.67", "***/***.45.67"),
        (
            "+33\u202f6\u202f12\u202f34\u202f56\u202f78",
            "+**\u202f*\u202f**\u202f**\u202f56\u202f78",
        ),
        ("030\u2013123\u2013456 ", "***\u2013**3\u2013456 "),
        ("1234567", "***4567"),
        ("-4930123456", "-******3456"),
    ],
)
def test_a_phone_number_keeps_its_last_four_digits_and_its_separators(
    text: str, expected: str
) -> None:
    assert masked(Phone(), text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "112", "123456", "12 34 56", "030 1234567 Jane", "030 1234567 ext. 12",
        "４９３０１２３４５６７", "٠١٢٣٤٥٦٧٨", "1e10", "030 1234567\n", "1" * 65,
    ],
)  # fmt: skip
def test_nothing_stays_of_what_is_no_phone_number(text: str) -> None:
    assert masked(Phone(), text) == ["***"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111111111111111", "****1111"),
        ("12345", "****2345"),
        ("ÄÖÜßé", "****ÖÜßé"),
        ("x😀😀😀😀", "****😀😀😀😀"),
        ("1234", "****"),
        ("😀😀😀😀", "****"),
        ("", "****"),
    ],
)
def test_last4_keeps_the_last_four_characters_of_a_longer_text(text: str, expected: str) -> None:
    assert masked(Last4(), text) == [expected]


def test_what_is_redacted_is_the_same_for_every_value() -> None:
    assert masked(Redact(), "a", "", "a long text", None) == ["***", "***", "***", None]


def digits(text: str, key: bytes = KEY) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def test_a_hash_is_hmac_sha_256_in_hex() -> None:
    texts = ["jane@example.com", "", "é", "x" * 5_000, "jane@example.com"]
    assert masked(Hash(KEY), *texts, None) == [*map(digits, texts), None]


def test_a_published_vector_of_hmac_sha_256_is_met() -> None:
    """RFC 4231, test case 2."""
    hashes = HmacSha256(b"Jefe").digests(
        np.frombuffer(b"what do ya want for nothing?", np.uint8), np.array([28])
    )
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hashes.tobytes().hex() == expected


@pytest.mark.parametrize("length", [0, 1, 54, 55, 56, 63, 64, 65, 118, 119, 120, 440, 441, 2000])
def test_many_texts_of_a_length_are_hashed_together(length: int) -> None:
    texts = [f"{n:04}" + "é" * length for n in range(600)]
    texts = [text.encode()[-length:].decode(errors="replace") if length else "" for text in texts]
    assert masked(Hash(KEY), *texts) == [digits(text) for text in texts]


def test_texts_of_all_lengths_keep_their_places() -> None:
    texts = ["x" * (n * 7 % 700) + str(n) for n in range(5_000)]
    assert masked(Hash(KEY), *texts, None) == [*map(digits, texts), None]


def test_more_texts_than_are_hashed_at_once_keep_their_places() -> None:
    texts = [str(n) for n in range(20_000)]
    assert masked(Hash(KEY), *texts) == [digits(text) for text in texts]


@pytest.mark.parametrize("length", [16, 63, 64, 65, 200])
def test_a_key_may_have_any_length(length: int) -> None:
    key = bytes(range(200))[:length]
    octets = np.frombuffer(b"abcdef", np.uint8)
    hashes = HmacSha256(key).digests(octets, np.array([3, 3]))
    expected = [hmac.digest(key, each, "sha256") for each in (b"abc", b"def")]
    assert [each.tobytes() for each in hashes] == expected


def test_a_chunk_has_room_for_55_bytes_and_their_padding() -> None:
    assert chunks(np.array([0, 55, 56, 119, 120])).tolist() == [1, 1, 2, 2, 3]


MASKS: list[Callable[[], Transform]] = [Email, Last4, Phone, Redact, lambda: Hash(KEY)]


@pytest.mark.parametrize("mask", MASKS)
def test_a_null_stays_null_and_a_slice_gives_its_own_rows(mask: Callable[[], Transform]) -> None:
    texts = pa.array(["+49 30 1234567", None, "jane@example.com", "", None, "12345678"], TEXT)
    whole = mask().apply(texts).to_pylist()
    assert [text is None for text in whole] == [text is None for text in texts.to_pylist()]
    for start in range(len(texts) + 1):
        for length in range(len(texts) + 1 - start):
            part = mask().apply(texts.slice(start, length))
            part.validate(full=True)
            assert part.to_pylist() == whole[start : start + length]


@pytest.mark.parametrize("mask", MASKS)
def test_an_array_without_buffers_is_masked(mask: Callable[[], Transform]) -> None:
    """Arrow allows an empty array to have no offsets, and one of nulls no data."""
    bare = pa.Array.from_buffers(TEXT, 0, [None, pa.py_buffer(b""), pa.py_buffer(b"")])
    assert mask().apply(bare).to_pylist() == []
    assert mask().apply(pa.nulls(2, TEXT)).to_pylist() == [None, None]


@pytest.mark.parametrize("mask", MASKS)
def test_a_text_grows_by_no_more_than_the_mask_says(mask: Callable[[], Transform]) -> None:
    texts = ["", "a", "a@b.c", "1234567", "12345", "😀" * 5, "x" * 100]
    for text, after in zip(texts, masked(mask(), *texts), strict=True):
        assert len(after.encode()) <= len(text.encode()) + mask().growth

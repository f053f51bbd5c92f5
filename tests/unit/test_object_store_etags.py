"""ETags that tell of the bytes, against hashlib and against what S3 documents."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flight_server.storage.object_store.etags import Etag, etag_of

PART = 64


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def etag_of_pieces(pieces: Sequence[bytes], part_size: int) -> str:
    etag = Etag(part_size)
    for piece in pieces:
        etag.add(piece)
    return etag.value()


@given(st.lists(st.binary(max_size=3 * PART), max_size=8))
def test_an_etag_is_that_of_one_request_until_a_part_is_full_and_of_the_parts_from_then(
    pieces: list[bytes],
) -> None:
    content = b"".join(pieces)
    parts = [content[start : start + PART] for start in range(0, len(content), PART)]
    expected = md5(content).hex()
    if len(content) >= PART:
        expected = f"{md5(b''.join(map(md5, parts))).hex()}-{len(parts)}"
    assert etag_of_pieces(pieces, PART) == expected


@given(st.binary(max_size=300), st.integers(1, 100), st.integers(1, 300))
def test_how_the_bytes_were_cut_is_not_to_be_seen(content: bytes, step: int, part: int) -> None:
    pieces = [content[start : start + step] for start in range(0, len(content), step)]
    assert etag_of_pieces(pieces, part) == etag_of_pieces([content], part)


@given(st.binary(min_size=1, max_size=300), st.integers(0), st.integers(1, 255))
def test_another_byte_is_another_etag(content: bytes, at: int, change: int) -> None:
    changed = bytearray(content)
    changed[at % len(content)] ^= change
    assert etag_of_pieces([changed], PART) != etag_of_pieces([content], PART)


def test_the_value_can_be_asked_for_between_pieces() -> None:
    etag = Etag(PART)
    etag.add(bytes(PART + 1))
    assert etag.value() == etag.value() == etag_of_pieces([bytes(PART + 1)], PART)
    etag.add(b"more")
    assert etag.value() == etag_of_pieces([bytes(PART + 1) + b"more"], PART)


def test_a_file_has_the_etag_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    content = bytes(range(256)) * 10_000  # more than is read at once
    path.write_bytes(content)
    assert etag_of(path, 1_000_000) == etag_of_pieces([content], 1_000_000)
    assert etag_of(path, 1_000_000).endswith("-3")
    assert etag_of(path, len(content) + 1) == md5(content).hex()

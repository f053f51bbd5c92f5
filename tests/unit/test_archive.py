import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters import LimitExceeded
from exporters.base import Data
from exporters.packing.archive import MAX_LENGTH, Archive
from exporters.packing.deflate import BALANCED, FAST, SMALL, Deflated, Effort, deflate

EFFORTS = [FAST, BALANCED, SMALL]

TOO_LARGE = "over 4 GiB"

MIB = bytes(1024 * 1024)


class Nowhere:
    """A sink that counts."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: Data) -> None:
        self.size += memoryview(data).nbytes


def packed(entries: dict[str, bytes | list[bytes]], effort: Effort = FAST) -> bytes:
    """An archive; entries given as lists are streamed block by block."""
    sink = io.BytesIO()
    archive = Archive(sink, effort)
    for name, content in entries.items():
        if isinstance(content, bytes):
            archive.add(name, content)
            continue
        archive.begin(name)
        for block in content:
            archive.write(deflate([block], effort))
        archive.end()
    archive.close()
    return sink.getvalue()


def fake(size: int) -> Deflated:
    """A block that claims to have been `size` bytes."""
    return Deflated(b"", size, 0)


@pytest.mark.parametrize("effort", EFFORTS, ids=["fast", "balanced", "small"])
def test_the_zip_library_reads_what_was_packed(effort: Effort) -> None:
    blocks = [b"<row/>" * 1000, b"", b"<end/>"]
    data = packed({"a.xml": b"<a/>", "xl/b.xml": blocks, "empty": b"", "none": []}, effort)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.xml", "xl/b.xml", "empty", "none"]
        assert archive.read("xl/b.xml") == b"".join(blocks)
        assert archive.read("a.xml") == b"<a/>"
        assert archive.read("empty") == archive.read("none") == b""


@given(st.lists(st.binary(max_size=300), max_size=8), st.sampled_from(EFFORTS))
def test_blocks_compressed_apart_are_one_stream(blocks: list[bytes], effort: Effort) -> None:
    with zipfile.ZipFile(io.BytesIO(packed({"sheet": blocks}, effort))) as archive:
        whole = b"".join(blocks)
        info = archive.getinfo("sheet")
        assert archive.read("sheet") == whole
        assert (info.CRC, info.file_size) == (zlib.crc32(whole), len(whole))


def test_the_pieces_of_a_block_are_joined() -> None:
    block = deflate([b"one ", memoryview(b"two "), b"three"], FAST)
    assert (block.length, block.crc) == (13, zlib.crc32(b"one two three"))
    assert zlib.decompressobj(-15).decompress(block.data) == b"one two three"


def test_entries_say_that_their_names_are_utf_8() -> None:
    with zipfile.ZipFile(io.BytesIO(packed({"订单.xml": b"x"}))) as archive:
        assert archive.namelist() == ["订单.xml"]


def test_lengths_of_a_whole_entry_stand_before_it_and_of_a_streamed_one_after() -> None:
    """Programs that tell a file's type by its beginning hop over entries by these lengths."""
    data = packed({"whole": b"abc", "streamed": [b"abc"]})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        whole, streamed = archive.infolist()
    compressed, length = struct.unpack_from("<II", data, whole.header_offset + 18)
    assert (compressed, length) == (whole.compress_size, 3)
    assert struct.unpack_from("<II", data, streamed.header_offset + 18) == (0, 0)
    after = streamed.header_offset + 30 + len("streamed") + streamed.compress_size
    assert struct.unpack_from("<4sIII", data, after) == (
        b"PK\7\x08",
        streamed.CRC,
        streamed.compress_size,
        3,
    )


def test_the_same_entries_make_the_same_bytes() -> None:
    entries: dict[str, bytes | list[bytes]] = {"a": b"abc" * 1000, "b": [b"x", b"y"]}
    assert packed(entries) == packed(entries)


def test_every_entry_has_the_same_date() -> None:
    with zipfile.ZipFile(io.BytesIO(packed({"a": b"x", "b": [b"x"]}))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_zip64_is_used() -> None:
    """Few spreadsheet libraries read it."""
    with zipfile.ZipFile(io.BytesIO(packed({"a": b"x", "b": [b"x"]}))) as archive:
        assert {info.extract_version for info in archive.infolist()} == {20}
        assert {info.extra for info in archive.infolist()} == {b""}


def test_an_entry_may_have_as_many_bytes_as_32_bits_say() -> None:
    archive = Archive(Nowhere(), FAST, TOO_LARGE)
    archive.begin("sheet")
    archive.write(fake(MAX_LENGTH))
    archive.end()
    archive.close()


def test_an_entry_over_4_gib_is_refused() -> None:
    archive = Archive(Nowhere(), FAST, TOO_LARGE)
    archive.begin("sheet")
    archive.write(fake(MAX_LENGTH))
    archive.write(fake(1))
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        archive.end()


def test_an_entry_that_compression_made_larger_than_4_gib_is_refused() -> None:
    """What cannot be compressed grows a little."""
    archive = Archive(Nowhere(), FAST, TOO_LARGE)
    archive.begin("sheet")
    for _ in range(4096):
        archive.write(Deflated(MIB, 1, 0))
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        archive.end()


def test_an_archive_over_4_gib_is_refused() -> None:
    archive = Archive(Nowhere(), FAST, TOO_LARGE)
    for name in ("sheet1", "sheet2"):
        archive.begin(name)
        for _ in range(2048):
            archive.write(Deflated(MIB, len(MIB), 0))
        archive.end()
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        archive.add("last", b"x")
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        archive.close()


def test_a_block_belongs_to_an_entry() -> None:
    archive = Archive(Nowhere(), FAST, TOO_LARGE)
    with pytest.raises(RuntimeError, match=r"no entry has been begun"):
        archive.write(fake(1))
    with pytest.raises(RuntimeError, match=r"no entry has been begun"):
        archive.end()


def test_nothing_but_appending_is_asked_of_the_sink() -> None:
    sink = Nowhere()
    archive = Archive(sink, FAST)
    archive.add("a", b"abc")
    archive.close()
    assert sink.size == len(packed({"a": b"abc"}))

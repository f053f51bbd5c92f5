import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters import LimitExceeded
from exporters.base import Data
from exporters.xlsx.deflate import Compression, Deflated, deflate
from exporters.xlsx.package import MAX_LENGTH, Package

COMPRESSIONS: list[Compression] = ["fast", "balanced", "small"]

MIB = bytes(1024 * 1024)


class Nowhere:
    """A sink that counts."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: Data) -> None:
        self.size += memoryview(data).nbytes


def packed(entries: dict[str, bytes | list[bytes]], compression: Compression = "fast") -> bytes:
    """An archive; entries given as lists are streamed block by block."""
    sink = io.BytesIO()
    package = Package(sink, compression)
    for name, content in entries.items():
        if isinstance(content, bytes):
            package.add(name, content)
            continue
        package.begin(name)
        for block in content:
            package.write(deflate([block], compression))
        package.end()
    package.close()
    return sink.getvalue()


def fake(size: int) -> Deflated:
    """A block that claims to have been `size` bytes."""
    return Deflated(b"", size, 0)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_zip_library_reads_what_was_packed(compression: Compression) -> None:
    blocks = [b"<row/>" * 1000, b"", b"<end/>"]
    data = packed({"a.xml": b"<a/>", "xl/b.xml": blocks, "empty": b"", "none": []}, compression)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.xml", "xl/b.xml", "empty", "none"]
        assert archive.read("xl/b.xml") == b"".join(blocks)
        assert archive.read("a.xml") == b"<a/>"
        assert archive.read("empty") == archive.read("none") == b""


@given(st.lists(st.binary(max_size=300), max_size=8), st.sampled_from(COMPRESSIONS))
def test_blocks_compressed_apart_are_one_stream(
    blocks: list[bytes], compression: Compression
) -> None:
    with zipfile.ZipFile(io.BytesIO(packed({"sheet": blocks}, compression))) as archive:
        whole = b"".join(blocks)
        info = archive.getinfo("sheet")
        assert archive.read("sheet") == whole
        assert (info.CRC, info.file_size) == (zlib.crc32(whole), len(whole))


def test_the_pieces_of_a_block_are_joined() -> None:
    block = deflate([b"one ", memoryview(b"two "), b"three"], "fast")
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
    package = Package(Nowhere(), "fast")
    package.begin("sheet")
    package.write(fake(MAX_LENGTH))
    package.end()
    package.close()


def test_an_entry_over_4_gib_is_refused() -> None:
    package = Package(Nowhere(), "fast")
    package.begin("sheet")
    package.write(fake(MAX_LENGTH))
    package.write(fake(1))
    with pytest.raises(LimitExceeded, match=r"over 4 GiB, more than Excel reads"):
        package.end()


def test_an_entry_that_compression_made_larger_than_4_gib_is_refused() -> None:
    """What cannot be compressed grows a little."""
    package = Package(Nowhere(), "fast")
    package.begin("sheet")
    for _ in range(4096):
        package.write(Deflated(MIB, 1, 0))
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        package.end()


def test_an_archive_over_4_gib_is_refused() -> None:
    package = Package(Nowhere(), "fast")
    for name in ("sheet1", "sheet2"):
        package.begin(name)
        for _ in range(2048):
            package.write(Deflated(MIB, len(MIB), 0))
        package.end()
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        package.add("last", b"x")
    with pytest.raises(LimitExceeded, match=r"over 4 GiB"):
        package.close()


def test_a_block_belongs_to_an_entry() -> None:
    package = Package(Nowhere(), "fast")
    with pytest.raises(RuntimeError, match=r"no entry has been begun"):
        package.write(fake(1))
    with pytest.raises(RuntimeError, match=r"no entry has been begun"):
        package.end()


def test_nothing_but_appending_is_asked_of_the_sink() -> None:
    sink = Nowhere()
    package = Package(sink, "fast")
    package.add("a", b"abc")
    package.close()
    assert sink.size == len(packed({"a": b"abc"}))

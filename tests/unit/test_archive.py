import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

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

UNZIP = shutil.which("unzip")


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


class Holes:
    """A sink over a file that leaves holes where large blocks would stand."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: Data) -> None:
        size = memoryview(data).nbytes
        if size > len(MIB):
            self._file.seek(size, io.SEEK_CUR)
        else:
            self._file.write(data)


def unzipped(archive: Path, member: str) -> bytes:
    command = [str(UNZIP), "-p", str(archive), member]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


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


@pytest.fixture(scope="module")
def of_a_long_entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 GiB of zeros, which deflate to 5 MiB, and a short file."""
    path = tmp_path_factory.mktemp("zip64") / "long.zip"
    zeros = deflate([MIB * 64], FAST)
    with path.open("wb") as file:
        archive = Archive(file, FAST)
        archive.begin("zeros.csv")
        for _ in range(80):
            archive.write(zeros)
        archive.end()
        archive.begin("short.csv")
        archive.write(deflate([b"a,b\n"], FAST))
        archive.end()
        archive.close()
    return path


@pytest.fixture(scope="module")
def of_5_gib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that compresses to over 4 GiB, which is a hole in this one, and one behind it."""
    path = tmp_path_factory.mktemp("zip64") / "large.zip"
    hole = Deflated(MIB * 256, len(MIB) * 256, 0)
    with path.open("wb") as file:
        archive = Archive(Holes(file), FAST)
        archive.begin("hole.csv")
        for _ in range(20):
            archive.write(hole)
        archive.end()
        archive.begin("behind.csv")
        archive.write(deflate([b"a,b\n"], FAST))
        archive.end()
        archive.close()
    return path


class TestZip64:
    def test_an_entry_of_files_may_be_over_4_gib(self, of_a_long_entry: Path) -> None:
        with zipfile.ZipFile(of_a_long_entry) as archive:
            zeros, short = archive.infolist()
            assert archive.read(short) == b"a,b\n"
            with archive.open(zeros) as file:
                assert file.read(len(MIB)) == MIB
        assert (zeros.file_size, zeros.extract_version) == (5 * 1024**3, 45)
        assert (short.file_size, short.extract_version, short.extra) == (4, 20, b"")

    def test_the_lengths_behind_it_have_64_bits(self, of_a_long_entry: Path) -> None:
        data = of_a_long_entry.read_bytes()
        with zipfile.ZipFile(of_a_long_entry) as archive:
            zeros, short = archive.infolist()
        assert struct.unpack("<4sIQQ", data[short.header_offset - 24 : short.header_offset]) == (
            b"PK\7\x08",
            zeros.CRC,
            zeros.compress_size,
            zeros.file_size,
        )

    def test_an_archive_of_files_may_be_over_4_gib(self, of_5_gib: Path) -> None:
        with zipfile.ZipFile(of_5_gib) as archive:
            hole, behind = archive.infolist()
            assert hole.compress_size == hole.file_size + 2 > 5 * 1024**3
            assert behind.header_offset > 5 * 1024**3
            assert archive.read(behind) == b"a,b\n"

    @pytest.mark.skipif(UNZIP is None, reason="unzip is not installed")
    @pytest.mark.parametrize("member", ["behind.csv", "short.csv"])
    def test_unzip_reads_them(self, member: str, of_a_long_entry: Path, of_5_gib: Path) -> None:
        archive = of_5_gib if member == "behind.csv" else of_a_long_entry
        assert unzipped(archive, member) == b"a,b\n"

    def test_the_longest_length_of_32_bits_is_no_number(self) -> None:
        """It says that the length stands elsewhere."""
        for size, version in ((MAX_LENGTH, 20), (MAX_LENGTH + 1, 45)):
            sink = io.BytesIO()
            archive = Archive(sink, FAST)
            archive.begin("a.csv")
            archive.write(fake(size))
            archive.end()
            archive.close()
            with zipfile.ZipFile(sink) as read:
                [entry] = read.infolist()
            assert (entry.file_size, entry.extract_version) == (size, version)


@pytest.mark.skipif(UNZIP is None, reason="unzip is not installed")
def test_unzip_keeps_names_of_files_and_lets_them_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with path.open("wb") as file:
        archive = Archive(file, FAST)
        archive.begin("订单 é.csv")
        archive.write(deflate([b"x"], FAST))
        archive.end()
        archive.close()
    subprocess.run([str(UNZIP), "-q", path], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "订单 é.csv").read_bytes() == b"x"
    assert (tmp_path / "订单 é.csv").stat().st_mode & 0o444 == 0o444


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

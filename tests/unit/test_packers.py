"""What each way of packing makes of blocks, as readers that are not ours see it."""

import functools
import gzip
import io
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from shutil import which
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.base import ByteSink, Data
from exporters.packing.deflate import Deflated
from exporters.packing.gzip_packer import Gzip
from exporters.packing.packer import Packer, Plain
from exporters.packing.zip_packer import Zip
from exporters.packing.zstd_packer import Zstd

BLOCKS = [b"a,b\n", b"", b'1,"x"\n' * 10_000, pa.py_buffer(b"2,3\n"), memoryview(b"4,5\n")]
WHOLE = b"".join(bytes(block) for block in BLOCKS)

Make = Callable[[ByteSink], Packer[Any]]


def packed(make: Make, blocks: list[Any]) -> bytes:
    sink = io.BytesIO()
    packer = make(sink)
    done = [packer.pack(block) for block in blocks]
    packer.begin("a.csv")
    for block in done:
        packer.write(block)
    packer.finish()
    return sink.getvalue()


def unzipped(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        [name] = archive.namelist()
        return archive.read(name)


def unzstd(data: bytes) -> bytes:
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()


READERS: list[tuple[Make, Callable[[bytes], bytes]]] = [
    (Plain, bytes),
    (Gzip, gzip.decompress),
    (Zstd, unzstd),
    (Zip, unzipped),
]


@pytest.mark.parametrize(("make", "read"), READERS, ids=["plain", "gzip", "zstd", "zip"])
class TestEach:
    @pytest.mark.parametrize("blocks", [BLOCKS, [], [b""], [b"x"]])
    def test_is_read_back(
        self, make: Make, read: Callable[[bytes], bytes], blocks: list[Any]
    ) -> None:
        assert read(packed(make, blocks)) == b"".join(bytes(block) for block in blocks)

    def test_makes_the_same_bytes_of_the_same_blocks(
        self, make: Make, read: Callable[[bytes], bytes]
    ) -> None:
        assert packed(make, BLOCKS) == packed(make, BLOCKS)

    @given(st.lists(st.binary(max_size=300), max_size=8))
    def test_loses_nothing(
        self, make: Make, read: Callable[[bytes], bytes], blocks: list[bytes]
    ) -> None:
        assert read(packed(make, blocks)) == b"".join(blocks)

    def test_holds_few_bytes_back(self, make: Make, read: Callable[[bytes], bytes]) -> None:
        """Of bytes that cannot be compressed at most what threads of zstd have at work."""
        sink = io.BytesIO()
        packer = make(sink)
        packer.begin("a.csv")
        noise = zlib.compress(bytes(range(256)) * 4, 0) + bytes(
            (n * n * 2654435761 >> 13) % 256 for n in range(1 << 20)
        )
        held = 8 * len(noise) if make is Zstd else len(noise) // 2
        for count in range(1, 33):
            packer.write(packer.pack(noise))
            assert sink.tell() > 0.4 * (count * len(noise) - held)


class TestGzip:
    def test_is_one_member_that_ends_where_the_file_does(self) -> None:
        """PHP's `gzdecode` and others read one, and do not say that there are more."""
        member = zlib.decompressobj(31)
        assert member.decompress(packed(Gzip, BLOCKS)) == WHOLE
        assert member.eof
        assert member.unused_data == b""

    def test_is_inflated_at_once(self) -> None:
        assert zlib.decompress(packed(Gzip, BLOCKS), 31) == WHOLE

    def test_ends_with_the_crc_and_the_length(self) -> None:
        assert struct.unpack("<II", packed(Gzip, BLOCKS)[-8:]) == (zlib.crc32(WHOLE), len(WHOLE))

    def test_has_the_length_modulo_4_gib(self) -> None:
        sink = io.BytesIO()
        packer = Gzip(sink)
        packer.begin("a.csv")
        for size in (2**32 - 1, 5):
            packer.write(Deflated(b"", size, 0))
        packer.finish()
        assert struct.unpack("<I", sink.getvalue()[-4:]) == (4,)

    def test_has_neither_time_nor_name(self) -> None:
        assert packed(Gzip, BLOCKS)[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x04\xff"

    @pytest.mark.skipif(which("gzip") is None, reason="gzip is not installed")
    def test_passes_the_test_of_the_gzip_command(self) -> None:
        command = [str(which("gzip")), "-t"]
        subprocess.run(command, input=packed(Gzip, BLOCKS), check=True, timeout=60)


class TestZstd:
    def test_is_one_frame(self) -> None:
        """Readers that stop after the first do not say that there are more."""
        codec = pa.Codec("zstd")
        assert codec.decompress(packed(Zstd, BLOCKS), len(WHOLE), asbytes=True) == WHOLE
        assert packed(Zstd, BLOCKS).count(b"\x28\xb5\x2f\xfd") == 1

    @pytest.mark.skipif(which("zstd") is None, reason="zstd is not installed")
    def test_is_read_by_the_zstd_command(self) -> None:
        command = [str(which("zstd")), "-dc"]
        done = subprocess.run(
            command, input=packed(Zstd, BLOCKS), check=True, capture_output=True, timeout=60
        )
        assert done.stdout == WHOLE

    def test_that_is_given_up_writes_nothing_more(self) -> None:
        written: list[Data] = []

        class Sink:
            def write(self, data: Data) -> None:
                written.append(data)

        packer = Zstd(Sink())
        packer.begin("a.csv")
        packer.write(packer.pack(b"x" * 100))
        before = len(written)
        del packer
        assert len(written) == before

    def test_that_ends_early_is_no_frame(self) -> None:
        """A file that was cut off is not taken for a whole one."""
        with pytest.raises(OSError, match=r"Truncated|decompress"):
            unzstd(packed(Zstd, BLOCKS)[:-3])

    def test_is_the_same_by_any_number_of_threads(self) -> None:
        blocks = [b"a row of a table, and another\n" * 50_000] * 8
        files = [packed(functools.partial(Zstd, threads=count), blocks) for count in (1, 2, 4)]
        assert files[0] == files[1] == files[2]
        assert unzstd(files[0]) == b"".join(blocks)


class TestZip:
    def test_takes_one_file_after_another(self) -> None:
        sink = io.BytesIO()
        packer = Zip(sink)
        for name in ("订单-0001.csv", "订单-0002.csv"):
            packer.begin(name)
            packer.write(packer.pack(name.encode()))
        packer.finish()
        with zipfile.ZipFile(sink) as archive:
            assert archive.testzip() is None
            assert [(each, archive.read(each).decode()) for each in archive.namelist()] == [
                ("订单-0001.csv", "订单-0001.csv"),
                ("订单-0002.csv", "订单-0002.csv"),
            ]
            assert all(each.flag_bits & 1 << 11 for each in archive.infolist())


def test_what_is_packed_needs_room_for_its_text_and_for_what_it_becomes() -> None:
    sink = io.BytesIO()
    assert [make(sink).footprint(100) for make, _ in READERS] == [300, 500, 500, 500]  # type: ignore[arg-type]

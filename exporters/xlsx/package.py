"""The ZIP archive of a workbook, written front to back.

Entries whose length is known are written whole; a sheet is streamed, its CRC and lengths following
in a data descriptor (APPNOTE 4.3.9), which Excel reads. Lengths are 32-bit throughout: ZIP64 is
read by few spreadsheet libraries, so the exporter keeps each sheet below 4 GiB and the archive is
refused above it.
"""

import struct
from dataclasses import dataclass
from typing import Final

from exporters.base import ByteSink
from exporters.errors import LimitExceeded
from exporters.xlsx.deflate import END, Compression, Deflated, combine_crc, deflate

MAX_LENGTH: Final = 2**32 - 1

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_DESCRIPTOR: Final = struct.Struct("<4sIII")
_END: Final = struct.Struct("<4sHHHHIIH")

_VERSION: Final = 20
_DEFLATED: Final = 8
_STREAMED: Final = 1 << 3
_UTF8: Final = 1 << 11
_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1
"""1 January 1980, as XlsxWriter dates its entries: the same data makes the same bytes."""


@dataclass(slots=True)
class _Entry:
    name: bytes
    offset: int
    flags: int
    crc: int = 0
    compressed: int = 0
    length: int = 0


class Package:
    """An archive being written to `sink`, which needs no seeking. Not thread safe."""

    def __init__(self, sink: ByteSink, compression: Compression) -> None:
        self._sink = sink
        self._compression: Compression = compression
        self._offset = 0
        self._entries: list[_Entry] = []
        self._open: _Entry | None = None

    def add(self, name: str, content: bytes) -> None:
        """Write a whole entry."""
        block = deflate([content], self._compression)
        entry = _Entry(name.encode(), self._offset, _UTF8, block.crc, len(block.data) + len(END))
        entry.length = block.length
        self._begin(entry)
        self._write(block.data + END)

    def begin(self, name: str) -> None:
        """Start an entry whose blocks follow."""
        self._open = _Entry(name.encode(), self._offset, _UTF8 | _STREAMED)
        self._begin(self._open)

    def write(self, block: Deflated) -> None:
        """Add a block to the entry that was begun."""
        entry = self._opened()
        entry.crc = combine_crc(entry.crc, block)
        entry.length += block.length
        entry.compressed += len(block.data)
        self._write(block.data)

    def end(self) -> None:
        """Finish the entry that was begun."""
        entry, self._open = self._opened(), None
        entry.compressed += len(END)
        _check(max(entry.length, entry.compressed))
        descriptor = _DESCRIPTOR.pack(b"PK\7\x08", entry.crc, entry.compressed, entry.length)
        self._write(END + descriptor)

    def close(self) -> None:
        """Write the central directory; the archive is complete."""
        start = self._offset
        _check(start)
        for entry in self._entries:
            self._write(_central(entry))
        count = len(self._entries)
        size = self._offset - start
        self._write(_END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0))

    def _opened(self) -> _Entry:
        if self._open is None:
            raise RuntimeError("no entry has been begun")
        return self._open

    def _begin(self, entry: _Entry) -> None:
        _check(entry.offset)
        self._entries.append(entry)
        self._write(
            _LOCAL.pack(
                b"PK\3\4", _VERSION, entry.flags, _DEFLATED, 0, _DATE,
                entry.crc, entry.compressed, entry.length, len(entry.name), 0,
            )
            + entry.name
        )  # fmt: skip

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._offset += len(data)


def _central(entry: _Entry) -> bytes:
    header = _CENTRAL.pack(
        b"PK\1\2", _VERSION, _VERSION, entry.flags, _DEFLATED, 0, _DATE, entry.crc,
        entry.compressed, entry.length, len(entry.name), 0, 0, 0, 0, 0, entry.offset,
    )  # fmt: skip
    return header + entry.name


def _check(length: int) -> None:
    if length > MAX_LENGTH:
        raise LimitExceeded("the workbook is over 4 GiB, more than Excel reads; export fewer rows")

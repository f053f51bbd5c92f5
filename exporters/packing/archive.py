"""A ZIP archive, written front to back.

Entries whose length is known are written whole; others are streamed, their CRC and lengths
following in a data descriptor (APPNOTE 4.3.9), which Excel reads.

Lengths are 32-bit wherever they fit. What is longer is ZIP64: the central directory says so, and
the descriptor has 64-bit lengths. The entry's own header cannot know, and does not claim it, as in
the archives of Go and Java: readers that do not know ZIP64 read every archive below 4 GiB.
"""

import struct
from dataclasses import dataclass
from typing import Final

from exporters.base import ByteSink
from exporters.errors import LimitExceeded
from exporters.packing.deflate import END, Deflated, Effort, combine_crc, deflate

MAX_LENGTH: Final = 2**32 - 2
"""One more says that the number stands in the ZIP64 field."""

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_DESCRIPTOR: Final = struct.Struct("<4sIII")
_DESCRIPTOR_64: Final = struct.Struct("<4sIQQ")
_END: Final = struct.Struct("<4sHHHHIIH")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_64: Final = struct.Struct("<4sIQI")

_FIELD_64: Final = struct.Struct("<HHQQQ")
_FIELD_64_ID: Final = 1
_IN_FIELD_64: Final = MAX_LENGTH + 1

_UNIX: Final = 3 << 8
"""Where an archive of files says it was made: of others Info-ZIP's `unzip` takes the names for
those of MS-DOS, and spoils what is not ASCII, UTF-8 or not."""
_PERMISSIONS: Final = 0o100644 << 16

_VERSION: Final = 20
_VERSION_64: Final = 45
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


class Archive:
    """An archive being written to `sink`, which needs no seeking. Not thread safe.

    It is a document of parts, which is refused above 4 GiB with the words of `too_large` because
    few spreadsheet libraries read ZIP64; or, without such words, a set of files of any length.
    Its entries are fewer than 65,535.
    """

    def __init__(self, sink: ByteSink, effort: Effort, too_large: str | None = None) -> None:
        self._sink = sink
        self._effort = effort
        self._too_large = too_large
        self._offset = 0
        self._entries: list[_Entry] = []
        self._open: _Entry | None = None

    def add(self, name: str, content: bytes) -> None:
        """Write a whole entry, of less than 4 GiB."""
        block = deflate([content], self._effort)
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
        longest = max(entry.length, entry.compressed)
        self._check(longest)
        descriptor = _DESCRIPTOR if longest <= MAX_LENGTH else _DESCRIPTOR_64
        self._write(END + descriptor.pack(b"PK\7\x08", entry.crc, entry.compressed, entry.length))

    def close(self) -> None:
        """Write the central directory; the archive is complete."""
        start = self._offset
        self._check(start)
        for entry in self._entries:
            self._write(_central(entry, of_files=self._too_large is None))
        count = len(self._entries)
        size = self._offset - start
        if start > MAX_LENGTH:
            self._write(_end_64(count, size, start))
            start = _IN_FIELD_64
        self._write(_END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0))

    def _opened(self) -> _Entry:
        if self._open is None:
            raise RuntimeError("no entry has been begun")
        return self._open

    def _begin(self, entry: _Entry) -> None:
        self._check(entry.offset)
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

    def _check(self, length: int) -> None:
        if self._too_large is not None and length > MAX_LENGTH:
            raise LimitExceeded(self._too_large)


def _central(entry: _Entry, *, of_files: bool) -> bytes:
    length, compressed, offset, extra = entry.length, entry.compressed, entry.offset, b""
    if max(length, compressed, offset) > MAX_LENGTH:
        extra = _FIELD_64.pack(_FIELD_64_ID, _FIELD_64.size - 4, length, compressed, offset)
        length = compressed = offset = _IN_FIELD_64
    version = _VERSION_64 if extra else _VERSION
    system, attributes = (_UNIX, _PERMISSIONS) if of_files else (0, 0)
    header = _CENTRAL.pack(
        b"PK\1\2", system | version, version, entry.flags, _DEFLATED, 0, _DATE, entry.crc,
        compressed, length, len(entry.name), len(extra), 0, 0, 0, attributes, offset,
    )  # fmt: skip
    return header + entry.name + extra


def _end_64(count: int, size: int, start: int) -> bytes:
    """The end of a ZIP64 archive, before the one that every archive has."""
    record = _END_64.pack(
        b"PK\6\6", _END_64.size - 12, _VERSION_64, _VERSION_64, 0, 0, count, count, size, start
    )
    return record + _LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1)

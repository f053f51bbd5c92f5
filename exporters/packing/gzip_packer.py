"""One gzip member (RFC 1952), made of blocks that were deflated apart.

A member a block would be simpler, but PHP's `gzdecode` and other readers stop after the first: a
short file that looks complete.
"""

import struct
from typing import ClassVar, Final

from exporters.base import ByteSink, Data
from exporters.packing.deflate import END, FAST, Deflated, combine_crc, deflate
from exporters.packing.packer import Packer

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""No name and no time, so that the same data makes the same bytes; compressed fast, anywhere."""

_TRAILER: Final = struct.Struct("<II")


class Gzip(Packer[Deflated]):
    """A gzip file."""

    copies: ClassVar[int] = 2

    def __init__(self, sink: ByteSink) -> None:
        super().__init__(sink)
        self._crc = 0
        self._length = 0

    def pack(self, data: Data) -> Deflated:
        return deflate([data], FAST)

    def begin(self, name: str) -> None:
        del name  # a name in the header would be in Latin-1
        self._sink.write(_HEADER)

    def write(self, block: Deflated) -> None:
        self._crc = combine_crc(self._crc, block)
        self._length += block.length
        self._sink.write(block.data)

    def finish(self) -> None:
        # The length modulo 2^32 is what the trailer has of a longer file.
        self._sink.write(END + _TRAILER.pack(self._crc, self._length & 0xFFFFFFFF))

"""One Zstandard frame (RFC 8878), its blocks compressed by the library's own threads.

A frame a block could be made by the workers, and readers are to read all frames. But many stop
after the first, without an error (Python's `zstandard.decompress`, older .NET): a short file that
looks complete. And unlike blocks of deflate, those of zstd cannot be joined to one frame by others:
each may repeat the last distances of the one before.

Measured on the CSV of the benchmarks, level 1 and two threads: 340 MB/s and 3.4 : 1; level 3 is
half as fast and makes a larger file. How many threads there are changes no byte.
"""

from typing import ClassVar, Final

import zstandard

from exporters.base import ByteSink, Data
from exporters.packing.packer import Packer

_LEVEL: Final = 1

_MOST_THREADS: Final = 4
"""Of one export, whatever the machine has: they are besides the workers that exports share."""


class Zstd(Packer[Data]):
    """A zstd file."""

    copies: ClassVar[int] = 2

    def __init__(self, sink: ByteSink, threads: int = 1) -> None:
        super().__init__(sink)
        self._frame = zstandard.ZstdCompressor(
            level=_LEVEL, threads=min(threads, _MOST_THREADS)
        ).compressobj()

    def pack(self, data: Data) -> Data:
        return data

    def begin(self, name: str) -> None:
        pass

    def write(self, block: Data) -> None:
        self._pass_on(self._frame.compress(block))

    def finish(self) -> None:
        self._pass_on(self._frame.flush())

    def _pass_on(self, compressed: bytes) -> None:
        if compressed:
            self._sink.write(compressed)

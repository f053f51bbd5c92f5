"""One Zstandard frame (RFC 8878), compressed on the export's own thread.

A frame a block could be made by the workers, and readers are to read all frames. But many stop
after the first, without an error (Python's `zstandard.decompress`, older .NET): a short file that
looks complete. And unlike blocks of deflate, those of zstd cannot be joined to one frame: each may
repeat the last distances of the one before.

Measured on CSV of orders, a core: 390 MB/s and 3.4 : 1 by pyarrow's level, which is 1; level 3
would be 235 MB/s and 3.2 : 1. Formatting is 305 MB/s, so that two cores are busy with both; with
more a single export waits for this thread, and several do not.
"""

import io

import pyarrow as pa

from exporters.base import ByteSink, Data
from exporters.packing.packer import Packer


class Zstd(Packer[Data]):
    """A zstd file."""

    def __init__(self, sink: ByteSink) -> None:
        super().__init__(sink)
        self._compressed = _Pieces()
        self._stream = pa.CompressedOutputStream(self._compressed, "zstd")

    def pack(self, data: Data) -> Data:
        return data

    def begin(self, name: str) -> None:
        pass

    def write(self, block: Data) -> None:
        self._stream.write(block)
        self._pass_on()

    def finish(self) -> None:
        self._stream.close()
        self._pass_on()

    def _pass_on(self) -> None:
        if piece := self._compressed.take():
            self._sink.write(piece)


class _Pieces(io.BytesIO):
    """What was compressed since it was last taken.

    Between the stream and the sink, because a stream that is given up still writes its end.
    """

    def take(self) -> bytes:
        piece = self.getvalue()
        self.seek(0)
        self.truncate()
        return piece

    def close(self) -> None:
        """Stay open: the end that the stream writes before it closes this is still to be taken."""

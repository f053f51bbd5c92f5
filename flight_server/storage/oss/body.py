"""A stretch of a file as the body of a request."""

from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from flight_server.storage.oss.crc64 import crc64

_CHUNK: Final = 256 * 1024


class FileBody:
    """`size` bytes from `offset` of a file, read once, with their checksum so far.

    Opened anew for every attempt: a body that was read is empty, and requests would send it so.
    Nothing but the chunk that is being sent is in memory.
    """

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self.len = size
        """As requests asks for a length."""
        self.crc = 0
        self._left = size
        self._file = FileIO(path, "rb")
        self._file.seek(offset)

    def read(self, amount: int | None = None) -> bytes:
        """The next bytes, at most `amount`. Raises OSError when the file ends too early."""
        wanted = self._left if amount is None or amount < 0 else min(amount, self._left)
        data = self._file.read(wanted)
        if wanted and not data:
            raise OSError("the spool ends before the part does")
        self._left -= len(data)
        self.crc = crc64(data, self.crc)
        return data

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(_CHUNK):
            yield data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def crc_of(path: Path, offset: int, size: int) -> int:
    """The checksum of a stretch of a file."""
    with FileBody(path, offset, size) as body:
        for _ in body:
            pass
        return body.crc

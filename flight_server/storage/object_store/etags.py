"""What the ETag of an object must be, if it tells of its bytes.

That of S3 is the MD5 of the object, or the MD5 of the MD5s of its parts and their number: so it is
documented for what is not encrypted with a key of the customer. Google has the former for what came
in one request; an ETag of Azure tells nothing.
"""

import hashlib
from pathlib import Path
from typing import Final

from exporters.base import Data

_CHUNK: Final = 1024 * 1024


class Etag:
    """Taken from the bytes as they are sent, in parts of one size but for the last."""

    def __init__(self, part_size: int) -> None:
        self._part_size = part_size
        self._part = hashlib.md5(usedforsecurity=False)
        self._in_part = 0
        self._parts: list[bytes] = []

    def add(self, data: Data) -> None:
        """The next bytes."""
        view = memoryview(data)
        while view:
            taken = view[: self._part_size - self._in_part]
            self._part.update(taken)
            self._in_part += len(taken)
            view = view[len(taken) :]
            if self._in_part == self._part_size:
                self._end_part()

    def value(self) -> str:
        """Of what was added so far: in parts, if it fills one."""
        if not self._parts:
            return self._part.hexdigest()
        parts = [*self._parts, *([self._part.digest()] if self._in_part else [])]
        whole = hashlib.md5(b"".join(parts), usedforsecurity=False)
        return f"{whole.hexdigest()}-{len(parts)}"

    def _end_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part = hashlib.md5(usedforsecurity=False)
        self._in_part = 0


def etag_of(path: Path, part_size: int) -> str:
    """The ETag that a file gets which is sent in parts of `part_size`."""
    etag = Etag(part_size)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            etag.add(chunk)
    return etag.value()

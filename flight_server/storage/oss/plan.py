"""Where the parts of a file begin and end while nobody knows how long it will be.

Every `STEP` parts the size doubles, up to the most that OSS takes. With 100 KiB to begin with, the
least there is, 10,000 parts hold 12 TiB; with the default of 10 MiB 41 TiB. A file of 5 GB has 500
parts of the default size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

STEP: Final = 500
"""Parts of one size."""

MAX_PARTS: Final = 10_000
MAX_PART_SIZE: Final = 5 * 1024**3


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A stretch of the file; numbers begin at 1."""

    number: int
    offset: int
    size: int


def size_of(number: int, first_size: int) -> int:
    """Bytes of part `number` of a file that is long enough."""
    return min(first_size << (number - 1) // STEP, max(first_size, MAX_PART_SIZE))


class PartPlan:
    """Hands out the parts of one growing file, each once, in order. Not thread safe."""

    def __init__(self, first_size: int) -> None:
        self.first_size = first_size
        self._number = 0
        self._offset = 0

    def full(self, size: int) -> Iterator[Part]:
        """The parts that are full now that the file has `size` bytes."""
        while self._offset + size_of(self._number + 1, self.first_size) <= size:
            yield self._next(size_of(self._number + 1, self.first_size))

    def rest(self, size: int) -> Iterator[Part]:
        """What is left of a file that has `size` bytes and will have no more."""
        yield from self.full(size)
        if size > self._offset or not self._number:
            yield self._next(size - self._offset)

    def _next(self, size: int) -> Part:
        self._number += 1
        part = Part(self._number, self._offset, size)
        self._offset += size
        return part

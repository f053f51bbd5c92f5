"""What turns blocks of text into the bytes of a file, compressed or as they are."""

from abc import ABC, abstractmethod
from typing import ClassVar, Final, Generic, TypeVar

from exporters.base import ByteSink, Data

Block = TypeVar("Block")

_TEXT: Final = 2
"""Bytes of text that a byte of Arrow becomes: of numbers and dates about two, of texts one."""


class Packer(ABC, Generic[Block]):
    """Packs blocks apart from each other, on any thread, and writes them in order, on one.

    Nothing is held back but a compressor's own window.
    """

    copies: ClassVar[int] = 1
    """How often a block's text is in memory at most: once, and packed."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink

    def footprint(self, size: int) -> int:
        """Bytes that a block of `size` bytes of values needs until it is written, about."""
        return size * (1 + _TEXT * self.copies)

    @abstractmethod
    def pack(self, data: Data) -> Block:
        """The text of one block, packed; depends on nothing else."""

    @abstractmethod
    def begin(self, name: str) -> None:
        """Start a file, which is called `name` in an archive. Only a zip takes another."""

    @abstractmethod
    def write(self, block: Block) -> None:
        """Add a block to the file that was begun."""

    @abstractmethod
    def finish(self) -> None:
        """Write the end; the sink has it all."""


class Plain(Packer[Data]):
    """Text as it is."""

    def pack(self, data: Data) -> Data:
        return data

    def begin(self, name: str) -> None:
        pass

    def write(self, block: Data) -> None:
        self._sink.write(block)

    def finish(self) -> None:
        pass

"""A ZIP archive of text files."""

from typing import ClassVar

from exporters.base import ByteSink, Data
from exporters.packing.archive import Archive
from exporters.packing.deflate import FAST, Deflated, deflate
from exporters.packing.packer import Packer


class Zip(Packer[Deflated]):
    """An archive of one file or several, each of any length."""

    copies: ClassVar[int] = 2

    def __init__(self, sink: ByteSink) -> None:
        super().__init__(sink)
        self._archive = Archive(sink, FAST)
        self._begun = False

    def pack(self, data: Data) -> Deflated:
        return deflate([data], FAST)

    def begin(self, name: str) -> None:
        if self._begun:
            self._archive.end()
        self._begun = True
        self._archive.begin(name)

    def write(self, block: Deflated) -> None:
        self._archive.write(block)

    def finish(self) -> None:
        self._archive.end()
        self._archive.close()

"""The files of an export of text: one, or several in an archive, each with its own head."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from exporters.base import ByteSink, Data
from exporters.errors import LimitExceeded
from exporters.packing.gzip_packer import Gzip
from exporters.packing.options import DIGITS, Compression, PackedOptions
from exporters.packing.packer import Packer, Plain
from exporters.packing.zip_packer import Zip
from exporters.packing.zstd_packer import Zstd

MAX_FILES: Final = 10**DIGITS - 1

_PACKERS: Final[Mapping[Compression, type[Packer[Any]]]] = {
    "none": Plain,
    "gzip": Gzip,
    "zstd": Zstd,
    "zip": Zip,
}


@dataclass(frozen=True, slots=True)
class Packed:
    """The packed rows of one file, the first being 0."""

    file: int
    block: Any


class PackedFiles:
    """Rows to files, `head` at the beginning of each.

    `pack` may run on any thread; everything else on the export's, with what was packed in the
    order of `cut`. An export without rows has one file all the same.
    """

    def __init__(self, sink: ByteSink, options: PackedOptions, head: bytes) -> None:
        self._packer = _PACKERS[options.compression](sink)
        self._options = options
        self._head = head
        self._cut_rows = 0
        self._begun = 0

    def begin(self) -> None:
        """Write the head of the first file, if it is not written yet."""
        self._begin(0)

    def cut(self, rows: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows that go to each file, with its number.

        Raises `LimitExceeded` for more files than an archive may have.
        """
        each = self._options.rows_per_file
        if each is None:
            yield 0, rows
            return
        start = 0
        while start < rows.num_rows:
            file, before = divmod(self._cut_rows, each)
            if file == MAX_FILES:
                raise LimitExceeded(
                    f"the rows need more than {MAX_FILES:,} files; raise options.rows_per_file"
                )
            piece = rows.slice(start, min(each - before, rows.num_rows))
            start += piece.num_rows
            self._cut_rows += piece.num_rows
            yield file, piece

    def footprint(self, size: int) -> int:
        """Bytes that a block of `size` bytes of values needs until it is written, about."""
        return self._packer.footprint(size)

    def pack(self, file: int, data: Data) -> Packed:
        """The text of rows that `cut` gave to `file`."""
        return Packed(file, self._packer.pack(data))

    def write(self, packed: Packed) -> None:
        """Write the next block, and before it the head of a file that begins with it."""
        self._begin(packed.file)
        self._packer.write(packed.block)

    def finish(self) -> None:
        """Write the end of the last file, once everything before it is written."""
        self.begin()
        self._packer.finish()

    def _begin(self, file: int) -> None:
        if file < self._begun:
            return
        self._begun += 1
        self._packer.begin(self._options.inner_name(file))
        if self._head:
            self._packer.write(self._packer.pack(self._head))

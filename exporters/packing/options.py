"""Options that text formats have in common: compression, and rows to several files."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from exporters.errors import InvalidOptions
from exporters.hints import SHOWN_VALUE
from exporters.options import FormatOptions

Compression = Literal["none", "gzip", "zstd", "zip"]

SUFFIXES: Final[Mapping[str, Compression]] = {".gz": "gzip", ".zst": "zstd", ".zip": "zip"}
"""What a file's name says of its compression, in lower case."""

DIGITS: Final = 4
"""Of the numbers of files, of which there are no more than these digits can count."""

_ENDINGS: Final = {compression: suffix for suffix, compression in SUFFIXES.items()}

_CONTENT_TYPES: Final = {
    "gzip": "application/gzip",
    "zstd": "application/zstd",
    "zip": "application/zip",
}


class PackedOptions(FormatOptions):
    """Options of a format whose files may be compressed, and be several in one archive."""

    name_suffixes: ClassVar[frozenset[str]] = frozenset(SUFFIXES)
    not_in_styles: ClassVar[frozenset[str]] = frozenset({"compression", "rows_per_file", "style"})

    compression: Compression = Field(
        "none",
        description="how the file is compressed; default: as its name says by .gz, .zst or .zip",
    )
    rows_per_file: int | None = Field(
        None,
        ge=1,
        description="rows before the next file of a zip begins; default: one file",
    )

    _inner_name: str | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _files_are_in_a_zip(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if values.get("rows_per_file") is not None and "compression" not in values:
            return {**values, "compression": "zip"}
        return values

    @model_validator(mode="after")
    def _only_a_zip_has_files(self) -> Self:
        if self.rows_per_file is not None and self.compression != "zip":
            raise ValueError(
                f"rows_per_file makes several files, for which compression {self.compression!r} "
                "has no place; leave it out or use 'zip'"
            )
        return self

    def for_file(self, filename: str) -> Self:
        """With the compression that the name tells, where none was asked for."""
        told = SUFFIXES.get(_suffix(filename))
        chosen = self
        if told is not None and "compression" not in self.model_fields_set:
            chosen = self.model_copy(update={"compression": told})
        elif told not in (None, self.compression):
            raise InvalidOptions(self._contradiction(filename))
        if chosen.compression == "zip":
            # The name decides nothing else of the content: options of equal files stay equal.
            chosen = chosen.model_copy()
            chosen._inner_name = self._inner(filename)  # noqa: SLF001 - of this class
        return chosen

    def stored_name(self, filename: str) -> str:
        """With the compression's suffix: a .csv whose bytes are gzip opens nowhere."""
        suffix = _ENDINGS.get(self.compression, "")
        return filename if _suffix(filename) == suffix else filename + suffix

    def content_type(self, plain: str) -> str:
        """That of the compression."""
        return _CONTENT_TYPES.get(self.compression, plain)

    def inner_name(self, number: int) -> str:
        """What the file, the first being 0, is called in an archive.

        Numbers have leading zeros, so that the names sort as the rows do.
        """
        name = self._inner_name or f"data.{self.format_name}"
        if self.rows_per_file is None:
            return name
        stem, dot, extension = name.rpartition(".")
        return f"{stem}-{number + 1:0{DIGITS}}{dot}{extension}"

    def _inner(self, filename: str) -> str:
        """`orders.csv` of `orders.csv`, `orders.csv.zip` and `orders.zip`."""
        name = filename[: -len(".zip")] if _suffix(filename) == ".zip" else filename
        known = {self.format_name, *self.other_extensions}
        return name if _suffix(name)[1:] in known else f"{name}.{self.format_name}"

    def _contradiction(self, filename: str) -> str:
        suffix = PurePosixPath(filename).suffix
        said = f"the filename {filename[-SHOWN_VALUE:]!r} ends in {suffix}"
        if self.rows_per_file is not None and self.compression == "zip":
            return f"options.rows_per_file: the files are in a zip, but {said}; use .zip"
        return (
            f"options.compression: {self.compression!r} is not allowed, because {said}; "
            "leave one of them out"
        )


def _suffix(filename: str) -> str:
    return PurePosixPath(filename).suffix.lower()

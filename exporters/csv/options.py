"""Options of CSV files."""

import string
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from exporters.packing.options import PackedOptions

_NO_DELIMITERS: Final = frozenset(string.ascii_letters + string.digits + '+-.: "\r\n\0')
"""What numbers, dates and quoting are written with cannot part cells."""


def _delimiter(value: object) -> object:
    return "\t" if value == "tab" else value


def _delimiter_character(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in _NO_DELIMITERS:
        raise ValueError("use 'tab' or one ASCII character that no number, date or quote has")
    return value


def _null_text(value: str) -> str:
    if any(character in '"\r\n' for character in value):
        raise ValueError("use a text without quotes and line ends")
    return value


class CsvOptions(PackedOptions):
    """Options of `csv`."""

    format_name = "csv"

    delimiter: Annotated[str, BeforeValidator(_delimiter), AfterValidator(_delimiter_character)] = (
        Field(",", description="'tab' or a character that no number and no date has, as , ; or |")
    )
    quoting: Literal["strings", "minimal"] = Field(
        "strings",
        description="'strings' quotes every text, so that an empty text differs from null; "
        "'minimal' quotes only where needed",
    )
    header: bool = Field(True, description="whether the first line names the columns")
    line_terminator: Literal["lf", "crlf"] = Field("lf", description="what ends each line")
    null: Annotated[str, AfterValidator(_null_text)] = Field(
        "", description="the text for null, never quoted"
    )

    @model_validator(mode="after")
    def _null_stands_in_one_cell(self) -> Self:
        if self.delimiter in self.null:
            raise ValueError(f"the text for null holds the delimiter {self.delimiter!r}")
        return self

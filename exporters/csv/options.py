"""Options of CSV files."""

import string
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from exporters.csv.charset import Charset, codec_name
from exporters.packing.options import PackedOptions
from exporters.zones import known_zone

_NO_DELIMITERS: Final = frozenset(string.ascii_letters + string.digits + '+-.: "\r\n\0')
"""What numbers, dates and quoting are written with cannot part cells."""

_MOST_WORD: Final = 100
"""Characters of what stands for null, true or false."""


def _delimiter(value: object) -> object:
    return "\t" if value == "tab" else value


def _delimiter_character(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value in _NO_DELIMITERS:
        raise ValueError("use 'tab' or one ASCII character that no number, date or quote has")
    return value


def _word(value: str) -> str:
    if any(character in '"\r\n' for character in value) or len(value) > _MOST_WORD:
        raise ValueError(f"use a text without quotes and line ends, of at most {_MOST_WORD}")
    return value


def _boolean_word(value: str) -> str:
    if not value:
        raise ValueError("an empty text would be null")
    return _word(value)


Word = Annotated[str, AfterValidator(_word)]
BooleanWord = Annotated[str, AfterValidator(_boolean_word)]
Pattern = Annotated[str, Field(min_length=1, max_length=255)]


class CsvOptions(PackedOptions):
    """Options of `csv`."""

    format_name = "csv"

    delimiter: Annotated[str, BeforeValidator(_delimiter), AfterValidator(_delimiter_character)] = (
        Field(",", description="'tab' or a character that no number and no date has, as , ; or |")
    )
    encoding: Annotated[str, AfterValidator(codec_name)] = Field(
        "utf-8",
        description="a text encoding of Python's; 'utf-8-sig' has the mark that Excel wants",
    )
    encoding_errors: Literal["error", "replace", "xmlcharref"] = Field(
        "error",
        description="a character that the encoding lacks: refused, written as ? or as &#24352;",
    )
    quoting: Literal["strings", "minimal", "all", "none"] = Field(
        "strings",
        description="'strings' quotes every text, so that an empty text differs from null; "
        "'minimal' quotes only where needed, 'all' every value but null; 'none' refuses texts that "
        "need quotes",
    )
    header: bool = Field(True, description="whether the first line names the columns")
    line_terminator: Literal["lf", "crlf"] = Field("lf", description="what ends each line")
    null: Word = Field("", description="the text for null, never quoted")
    true: BooleanWord = Field("true", description="the text for true")
    false: BooleanWord = Field("false", description="the text for false")
    decimal: Literal[".", ","] = Field(
        ".", description="what stands before the decimals of a number"
    )
    date_format: Pattern | None = Field(
        None, description="strftime's notation for dates; default: 2024-02-29"
    )
    datetime_format: Pattern | None = Field(
        None, description="strftime's notation for timestamps; default: 2024-02-29 18:00:00"
    )
    timezone: Annotated[str, AfterValidator(known_zone)] | None = Field(
        None, description="where zoned timestamps are shown; default: their own zone"
    )
    formula_guard: Literal["off", "prefix", "reject"] = Field(
        "off",
        description="texts that begin as a formula does: left as they are, written with a ' before "
        "them, or refused",
    )

    @property
    def charset(self) -> Charset:
        """The encoding and what it can."""
        return Charset(self.encoding)

    def content_type(self, plain: str) -> str:
        """That of the compression, or `text/csv` with the charset's name."""
        return super().content_type(f"{plain.partition(';')[0]}; charset={self.charset.label}")

    @model_validator(mode="after")
    def _each_word_stands_in_one_cell(self) -> Self:
        for name in ("null", "true", "false"):
            if self.delimiter in getattr(self, name):
                raise ValueError(f"the text for {name} holds the delimiter {self.delimiter!r}")
        if self.decimal == self.delimiter:
            raise ValueError("decimal ',' needs another delimiter, as ';'")
        if len({self.null, self.true, self.false}) < 3:
            raise ValueError("the texts for null, true and false must differ")
        return self

    @model_validator(mode="after")
    def _encoding_has_each_word(self) -> Self:
        words: dict[str, Any] = {
            "delimiter": self.delimiter, "null": self.null, "true": self.true, "false": self.false,
        }  # fmt: skip
        for name, word in words.items():
            if not self.charset.has(word):
                raise ValueError(f"{self.encoding} lacks a character of {name} {word!r}")
        return self

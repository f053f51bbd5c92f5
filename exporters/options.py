"""The options of each format: one frozen class each, with every default and bound.

Parsed from JSON before any data is read. A wrong value is refused with a message that names the
key, the value and what would be right; nothing is ever ignored.
"""

import string
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from exporters.errors import InvalidOptions
from exporters.hints import closest, refusal
from exporters.number_formats import check_format
from exporters.zones import check_zone

SHEET_ROWS: Final = 1_048_576
"""Rows of an Excel sheet, header included."""

SHEET_NAME_UNITS: Final = 31
"""UTF-16 units of a sheet's name; a character outside the basic plane is two."""

_NO_DELIMITERS: Final = frozenset(string.ascii_letters + string.digits + '+-.: "\r\n\0')
"""What numbers, dates and quoting are written with cannot part cells."""

_SHEET_NAME_FORBIDDEN: Final = frozenset("[]:*?/\\")


class FormatOptions(BaseModel):
    """What every format's options have in common: how they are parsed and described."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_name: ClassVar[str]

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Options from their JSON object. Raises `InvalidOptions` for the first that is wrong."""
        unknown = next((key for key in values if key not in cls.model_fields), None)
        if unknown is not None:
            known = sorted(cls.model_fields)
            hint = closest(unknown, known) or f"; it has: {', '.join(known)}"
            raise InvalidOptions(f"options.{unknown}: {cls.format_name} has no such option{hint}")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InvalidOptions(_sentence(error)) from None

    @classmethod
    def describe(cls) -> dict[str, dict[str, Any]]:
        """Each option with its default, its meaning and the values allowed, as JSON."""
        schema = cls.model_json_schema()["properties"]
        return {
            name: {
                key: schema[name][key]
                for key in ("default", "description", "enum", "minimum", "maximum")
                if key in schema[name]
            }
            for name in sorted(schema)
        }


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return refusal(".".join(["options", *map(str, first["loc"])]), first)


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


class CsvOptions(FormatOptions):
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


def _sheet_name(value: str) -> str:
    if not 1 <= len(value.encode("utf-16-le", errors="replace")) // 2 <= SHEET_NAME_UNITS:
        raise ValueError("Excel takes 1 to 31 characters")
    if _SHEET_NAME_FORBIDDEN & set(value) or value[0] == "'" or value[-1] == "'":
        raise ValueError("Excel refuses []:*?/\\ anywhere and ' at either end")
    if value.lower() == "history" or not value.isprintable() or not value.strip():
        raise ValueError("Excel reserves 'History' and refuses blank or unprintable names")
    return value


def _zone(value: str) -> str:
    check_zone(value)
    return value


NumberFormat = Annotated[str, AfterValidator(check_format)]


class XlsxOptions(FormatOptions):
    """Options of `xlsx`."""

    format_name = "xlsx"

    sheet_name: Annotated[str, AfterValidator(_sheet_name)] = Field(
        "Sheet1", description="the first sheet's name; later ones add ' (2)', ' (3)'"
    )
    start_row: int = Field(
        1, ge=1, le=1000, description="the row of the header; rows before it stay empty"
    )
    freeze_header: bool = Field(True, description="whether the header stays in view")
    autofilter: bool = Field(False, description="whether the header has filter buttons")
    column_widths: Literal["auto", "none"] = Field(
        "auto", description="'auto' estimates widths from the first rows"
    )
    date_format: NumberFormat = Field(
        "yyyy-mm-dd", description="Excel number format of dates, or the name of one"
    )
    datetime_format: NumberFormat = Field(
        "yyyy-mm-dd hh:mm:ss", description="Excel number format of timestamps, or the name of one"
    )
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(
        None, description="where zoned timestamps are shown; default: their own zone"
    )
    long_numbers: Literal["text", "number"] = Field(
        "text", description="numbers over 15 digits, which Excel would round"
    )
    compression: Literal["fast", "balanced", "small"] = Field(
        "fast", description="how hard the file is compressed"
    )
    rows_per_sheet: int = Field(
        SHEET_ROWS - 1, ge=1, le=SHEET_ROWS - 1, description="rows before the next sheet begins"
    )

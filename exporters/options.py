"""Options of a format: how they are parsed and described; and those of CSV.

Parsed from JSON before any data is read. A wrong value is refused with a message that names the
key, the value and what would be right; nothing is ever ignored.
"""

import string
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from exporters.errors import InvalidOptions
from exporters.hints import SHOWN_VALUE, closest, refusal

_NO_DELIMITERS: Final = frozenset(string.ascii_letters + string.digits + '+-.: "\r\n\0')
"""What numbers, dates and quoting are written with cannot part cells."""


Styles: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Sets of options by name."""


class FormatOptions(BaseModel):
    """What every format's options have in common: how they are parsed and described."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_name: ClassVar[str]
    styles: ClassVar[Styles] = {}
    """Sets of options that a caller may choose by the option `style`, which a format may have."""

    @classmethod
    def parse(cls, values: Mapping[str, Any], styles: Styles | None = None) -> Self:
        """Options from their JSON object; `styles` are known besides the format's own.

        Raises `InvalidOptions` for the first that is wrong.
        """
        unknown = next((key for key in values if key not in cls.model_fields), None)
        if unknown is not None:
            known = sorted(cls.model_fields)
            hint = closest(unknown, known) or f"; it has: {', '.join(known)}"
            raise InvalidOptions(f"options.{unknown}: {cls.format_name} has no such option{hint}")
        styled = _styled(values, {**cls.styles, **(styles or {})})
        try:
            return cls.model_validate(styled)
        except ValidationError as error:
            raise InvalidOptions(_sentence(error, styled)) from None

    @classmethod
    def describe(cls) -> dict[str, dict[str, Any]]:
        """Each option with its default, its meaning and the values allowed, as JSON."""
        schema = cls.model_json_schema()["properties"]
        defaults = cls().model_dump(mode="json", exclude_none=True)
        return {
            name: {"default": defaults.get(name)}
            | {
                key: schema[name][key]
                for key in ("description", "enum", "minimum", "maximum")
                if key in schema[name]
            }
            for name in sorted(schema)
        }


def _styled(values: Mapping[str, Any], styles: Styles) -> dict[str, Any]:
    """`values` over those of the style that they name, if they do."""
    name = values.get("style")
    if not isinstance(name, str):
        return dict(values)
    if name not in styles:
        hint = closest(name, list(styles)) or f"; there are: {', '.join(sorted(styles))}"
        raise InvalidOptions(f"options.style: {name[:SHOWN_VALUE]!r} is not a style{hint}")
    return {**styles[name], **values}


def _sentence(error: ValidationError, values: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    key = _key(first, values)
    if first["type"] == "extra_forbidden":
        return f"{key}: there is no such key"
    if first["type"] == "missing":
        return f"{key} is missing; it is required"
    return refusal(key, first)


def _key(error: ErrorDetails, values: Any) -> str:
    """Where an error is; the names of a union's members stand in its place too, and are no keys."""
    key, above = "options", None
    for part in error["loc"]:
        if isinstance(part, int):
            key += f"[{part}]"
            values = values[part]
        elif isinstance(values, Mapping) and not _is_tag(part, above, values):
            key += f".{part}"
            values = values.get(part)
        above = part
    return key


def _is_tag(part: str, above: int | str | None, values: Mapping[str, Any]) -> bool:
    return isinstance(above, int) and values.get("type") == part


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

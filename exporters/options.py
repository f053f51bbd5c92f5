"""Options of a format: how they are parsed and described.

Parsed from JSON before any data is read. A wrong value is refused with a message that names the
key, the value and what would be right; nothing is ever ignored.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from exporters.errors import InvalidOptions
from exporters.hints import SHOWN_VALUE, closest, no_such_key, refusal

Styles: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Sets of options by name."""

EVERYONE: Final = "plain"
"""The style of who names none, and the only one of formats that have no option `style`."""

FormatStyles: TypeAlias = Mapping[str, Styles]
"""Styles by the name of their format, besides or instead of its own."""


class FormatOptions(BaseModel):
    """What every format's options have in common: how they are parsed and described."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_name: ClassVar[str]
    styles: ClassVar[Styles] = {}
    """Sets of options that a caller may choose by the option `style`, which a format may have.

    Who chooses none gets the one that is its default.
    """
    name_suffixes: ClassVar[frozenset[str]] = frozenset()
    """Suffixes, in lower case, that may stand behind the format's extension in a file's name."""
    not_in_styles: ClassVar[frozenset[str]] = frozenset({"style"})
    """Options that belong to one export."""

    @classmethod
    def parse(cls, values: Mapping[str, Any], styles: Styles | None = None) -> Self:
        """Options from their JSON object; `styles` are known besides or instead of the format's.

        Raises `InvalidOptions` for the first that is wrong.
        """
        unknown = next((key for key in values if key not in cls.model_fields), None)
        if unknown is not None:
            refused = no_such_option(cls, unknown, sorted(cls.model_fields))
            raise InvalidOptions(f"options.{unknown}: {refused}")
        styled = cls._styled(values, {**cls.styles, **(styles or {})})
        try:
            return cls.model_validate(styled)
        except ValidationError as error:
            raise InvalidOptions(_sentence(cls, error, styled)) from None

    @classmethod
    def describe(cls, styles: Styles | None = None) -> dict[str, dict[str, Any]]:
        """Each option with its default, its meaning and the values allowed, as JSON.

        `styles` are those that `parse` is given; the defaults are those of who names none.
        """
        schema = cls.model_json_schema()["properties"]
        if "style" in schema:
            schema["style"]["enum"] = sorted({**cls.styles, **(styles or {})})
        defaults = cls.parse({}, styles).model_dump(mode="json", exclude_none=True)
        return {
            name: {"default": defaults.get(name)}
            | {
                key: schema[name][key]
                for key in ("description", "enum", "minimum", "maximum")
                if key in schema[name]
            }
            for name in sorted(schema)
        }

    def for_file(self, filename: str) -> Self:
        """The options with what the name of the file tells.

        Raises `InvalidOptions` where it contradicts them.
        """
        del filename
        return self

    def stored_name(self, filename: str) -> str:
        """What a file asked for as `filename` is called."""
        return filename

    def content_type(self, plain: str) -> str:
        """The media type of the file, where `plain` is the format's own."""
        return plain

    def effective(self) -> dict[str, Any]:
        """What makes the file another than one without options, as JSON.

        The name of a style is not in it, only what the style says. What is at its default is left
        out, so that a version with more options takes a request for the same as one without them.
        """
        return self.model_dump(mode="json", exclude={"style"}, exclude_defaults=True)

    @classmethod
    def _styled(cls, values: Mapping[str, Any], styles: Styles) -> dict[str, Any]:
        """`values` over those of the style that they name, or else of the default one."""
        field = cls.model_fields.get("style")
        if field is None:
            return {**styles.get(EVERYONE, {}), **values}
        name = values.get("style", field.default)
        if not isinstance(name, str):
            return dict(values)
        if name not in styles:
            hint = f"{closest(name, list(styles))}; there are: {', '.join(sorted(styles))}"
            raise InvalidOptions(f"options.style: {name[:SHOWN_VALUE]!r} is not a style{hint}")
        return {**styles[name], **values}


def no_such_option(options: type[FormatOptions], name: str, known: Sequence[str]) -> str:
    """What to say of an option that a format does not have, where those `known` may stand."""
    near = closest(name, known) or f"; it has: {', '.join(known)}"
    return f"{options.format_name} has no such option{near}"


def _sentence(
    options: type[FormatOptions], error: ValidationError, values: Mapping[str, Any]
) -> str:
    first = error.errors(include_url=False)[0]
    key = _key(first, values)
    if first["type"] == "extra_forbidden":
        return f"{key}: {no_such_key(options, first['loc'])}"
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

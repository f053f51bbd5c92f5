"""What may stand in a style: options that say how any file looks, not what is in one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from exporters.hints import dotted, no_such_key, reason
from exporters.options import FormatOptions, no_such_option

_OF_ONE_EXPORT: Final = "it belongs to one export; a style says how any of them looks"
_EMPTY: Final = "give a value, in quotes where it begins with #, or leave the key out"
_NO_MAPPING: Final = "a style is a mapping of options to values"


@dataclass(frozen=True, slots=True)
class WrongOption:
    """An option of a style that is refused, or something within it."""

    place: str
    """As it goes on from the name of the style: `.header_style.color`; empty for all of it."""
    value: object
    reason: str


def wrong_in_style(options: type[FormatOptions], style: object) -> Iterator[WrongOption]:
    """Find everything that no style of a format may have, and what no export of it may.

    Null is refused wherever it stands: it says nothing that leaving it out does not, and is what
    YAML makes of a colour without quotes.
    """
    if not isinstance(style, Mapping):
        yield WrongOption("", style, _NO_MAPPING)
        return
    known = sorted(options.model_fields.keys() - options.not_in_styles)
    for name, value in style.items():
        if name in options.not_in_styles:
            yield WrongOption(dotted([name]), value, _OF_ONE_EXPORT)
        elif name not in known:
            yield WrongOption(dotted([name]), value, no_such_option(options, str(name), known))
    yield from _wrong_values(options, {name: style[name] for name in known if name in style})


def _wrong_values(options: type[FormatOptions], values: Mapping[str, Any]) -> Iterator[WrongOption]:
    empty = list(_empty(values))
    yield from (WrongOption(place, None, _EMPTY) for place in empty)
    for error in _errors(options, values):
        place = dotted(error["loc"])
        if place in empty:
            continue
        forbidden = error["type"] == "extra_forbidden"
        why = no_such_key(options, error["loc"]) if forbidden else reason(error)
        yield WrongOption(place, error["input"], why)


def _empty(value: object, place: str = "") -> Iterator[str]:
    """The places of nulls."""
    if value is None:
        yield place
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _empty(each, f"{place}{dotted([name])}")


def _errors(options: type[FormatOptions], values: Mapping[str, Any]) -> list[ErrorDetails]:
    try:
        options.model_validate(values)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []

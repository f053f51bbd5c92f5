"""The kinds of options: a set of them for a format, and sets by name."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from exporters import FormatOptions
from exporters.style_rules import wrong_in_style
from flight_server.config.kinds import Flaw, FlawedError, Kind, Plain

_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}")

_NAMING: Final = "is not allowed; a style's name has 1 to 40 of a to z, 0 to 9, - and _"


@dataclass(frozen=True)
class OptionSet(Kind[Mapping[str, Any]]):
    """Options of a format, checked as those of an export are."""

    options: type[FormatOptions]

    @property
    def allowed(self) -> str:
        """Options."""
        return f"a mapping of options of {self.options.format_name} (in the environment as JSON)"

    def read(self, value: object) -> Mapping[str, Any]:
        """Take a mapping, and its JSON."""
        options = _from_json(value) if isinstance(value, str) else value
        if not isinstance(options, Mapping):
            raise self.refusal()
        flaws = tuple(_flaws_in(self.options, options))
        if flaws:
            raise FlawedError(flaws)
        return dict(options)

    def write(self, value: Mapping[str, Any]) -> Plain:
        """Write the options as they were given."""
        return dict(value)


@dataclass(frozen=True)
class StyleSet(Kind[Mapping[str, Mapping[str, Any]]]):
    """Styles of a format, each checked as the options of an export are."""

    options: type[FormatOptions]

    @property
    def allowed(self) -> str:
        """Names and options."""
        name = self.options.format_name
        return f"a mapping of names to options of {name} (in the environment as JSON)"

    def read(self, value: object) -> Mapping[str, Mapping[str, Any]]:
        """Take a mapping, and its JSON."""
        styles = _from_json(value) if isinstance(value, str) else value
        if not isinstance(styles, Mapping):
            raise self.refusal()
        flaws = tuple(self._flaws(styles))
        if flaws:
            raise FlawedError(flaws)
        return {name: dict(style) for name, style in styles.items()}

    def write(self, value: Mapping[str, Mapping[str, Any]]) -> Plain:
        """Write each style as it was given."""
        return {name: dict(style) for name, style in value.items()}

    def _flaws(self, styles: Mapping[Any, object]) -> Iterator[Flaw]:
        for name, style in styles.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                yield Flaw("", name, _NAMING)
                continue
            yield from _flaws_in(self.options, style, f".{name}")


def _flaws_in(options: type[FormatOptions], style: object, place: str = "") -> Iterator[Flaw]:
    for wrong in wrong_in_style(options, style):
        yield Flaw(f"{place}{wrong.place}", wrong.value, f"is not allowed; {wrong.reason}")


def _from_json(text: str) -> object:
    """Return what `text` means, or None when it is no JSON or gives a key twice."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return values

"""What a value may be: the contract, and the plain kinds.

A `Kind` stands in the annotation of a key: `port: Annotated[int, Number(0, 65_535)]`. It reads what
a YAML file holds, the text of an environment variable, and the Python value itself; it says in
words what it allows; and it writes a value back in a form that it reads again.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar

from pydantic import GetCoreSchemaHandler, SecretStr
from pydantic_core import CoreSchema, core_schema

Plain: TypeAlias = str | int | bool | list[str] | dict[str, Any] | None
"""What a value is in YAML."""

T = TypeVar("T")
Member = TypeVar("Member", bound=StrEnum)

MASK: Final = "**********"
"""Stands for every secret that is set, whatever its length."""

_LINE: Final = "one line of text (in quotes if it looks like a number)"

_FLAGS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


@dataclass(frozen=True)
class Flaw:
    """What is wrong within a value that has parts."""

    place: str
    """As it goes on from the key: `.house.header_style.color`."""
    value: object
    text: str
    """Goes on from ".house.header_style.color: 'red' …"."""


class FlawedError(ValueError):
    """A value of which some parts are wrong; each is reported by itself."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("; ".join(f"{flaw.place} {flaw.text}" for flaw in self.flaws))


class Kind(ABC, Generic[T]):
    """Reads, bounds and writes the value of a key."""

    secret: ClassVar[bool] = False
    """Whether the value must never be shown."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What may stand there, in words that end a sentence."""

    @abstractmethod
    def read(self, value: object) -> T:
        """Return the value meant by `value`.

        Raises:
            ValueError: it is none; the message goes on from "port: 70000 …".
            FlawedError: parts of it are none.

        """

    def write(self, value: T) -> Plain:
        """Return `value` as it stands in YAML; `read` takes it back."""
        return str(value)

    def shown(self, value: object) -> object:
        """Return `value`, as it was given, without what nobody may see."""
        return MASK if self.secret else value

    def refusal(self) -> ValueError:
        """Make what `read` raises for a value that is not allowed."""
        return ValueError(f"is not allowed; allowed: {self.allowed}")

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.write, when_used="json"
            ),
        )


@dataclass(frozen=True)
class Number(Kind[int]):
    """A whole number within bounds, both included."""

    minimum: int
    maximum: int

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"a whole number from {self.minimum} to {self.maximum}"

    def read(self, value: object) -> int:
        """Take numbers and their text; never a bool, which Python counts among them."""
        if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,20}", value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refusal()
        if not self.minimum <= value <= self.maximum:
            raise self.refusal()
        return value

    def write(self, value: int) -> Plain:
        """Keep the number."""
        return value


@dataclass(frozen=True)
class Flag(Kind[bool]):
    """True or false, in the words that YAML, shells and people use."""

    allowed = "true or false (or yes, no, on, off, 1, 0)"

    def read(self, value: object) -> bool:
        """Take the words in any case, and the numbers 1 and 0."""
        known = _FLAGS.get(str(value).strip().lower())
        if known is None or not isinstance(value, bool | int | str):
            raise self.refusal()
        return known

    def write(self, value: bool) -> Plain:
        """Keep the truth value."""
        return value


@dataclass(frozen=True)
class Choice(Kind[Member]):
    """One of a few words, in any case."""

    choices: type[Member]
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def allowed(self) -> str:
        """The words."""
        return ", ".join(self.choices)

    def read(self, value: object) -> Member:
        """Find the member of that name."""
        word = value.strip().lower() if isinstance(value, str) else ""
        word = self.aliases.get(word, word)
        if word not in list(self.choices):
            raise self.refusal()
        return self.choices(word)


@dataclass(frozen=True)
class Text(Kind[str]):
    """Text of one line. Numbers are refused: YAML would have dropped leading zeros by then."""

    required: bool = False

    @property
    def allowed(self) -> str:
        """Text, and whether it may be empty."""
        return f"{_LINE}, not empty" if self.required else _LINE

    def read(self, value: object) -> str:
        """Keep the text as it is."""
        if not isinstance(value, str) or not value.isprintable() or (self.required and not value):
            raise self.refusal()
        return value


@dataclass(frozen=True)
class Secret(Kind[SecretStr]):
    """Text that is shown nowhere; of at least so many characters, or empty."""

    least: int = 0
    secret: ClassVar[bool] = True

    @property
    def allowed(self) -> str:
        """Text, and how long it must be."""
        return f"{_LINE}, empty or of at least {self.least} characters" if self.least else _LINE

    def read(self, value: object) -> SecretStr:
        """Wrap the text so that printing it shows nothing."""
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if not isinstance(value, str) or not value.isprintable():
            raise self.refusal()
        if 0 < len(value) < self.least:
            raise self.refusal()
        return SecretStr(value)

    def write(self, value: SecretStr) -> Plain:
        """Write the mask, or nothing when nothing is set."""
        return MASK if value.get_secret_value() else ""


@dataclass(frozen=True)
class Directory(Kind[Path]):
    """A directory; a relative one is below the working directory of the server."""

    allowed = "the path of a directory"

    def read(self, value: object) -> Path:
        """Take the path as it is, neither resolved nor looked at."""
        if isinstance(value, str) and value and "\0" not in value:
            return Path(value)
        if not isinstance(value, Path):
            raise self.refusal()
        return value

    def write(self, value: Path) -> Plain:
        """Write a relative path as such: `./data`."""
        return str(value) if value.is_absolute() else f"./{value}"


@dataclass(frozen=True)
class Words(Kind[tuple[str, ...]]):
    """A list of texts."""

    allowed = "a list of texts (in the environment separated by commas)"

    def read(self, value: object) -> tuple[str, ...]:
        """Take the items; text is split at its commas, and empty items are left out."""
        if isinstance(value, str):
            return tuple(item for item in map(str.strip, value.split(",")) if item)
        if not isinstance(value, list | tuple):
            raise self.refusal()
        if not all(isinstance(item, str) for item in value):
            raise self.refusal()
        return tuple(value)

    def write(self, value: tuple[str, ...]) -> Plain:
        """List the items."""
        return list(value)


@dataclass(frozen=True)
class OrElse(Kind[T | None]):
    """Another kind, or a word that leaves the value to the server (None)."""

    word: str
    kind: Kind[Any]

    @property
    def allowed(self) -> str:
        """The word, and what the other kind allows."""
        return f"{self.word or 'empty'}, or {self.kind.allowed}"

    def read(self, value: object) -> T | None:
        """Take the word and null for None."""
        if value is None or (isinstance(value, str) and value.strip().lower() == self.word):
            return None
        try:
            known: T = self.kind.read(value)
        except ValueError:
            raise self.refusal() from None
        return known

    def write(self, value: T | None) -> Plain:
        """Write the word for None."""
        return self.word if value is None else self.kind.write(value)

"""A Dockerfile, read as Docker reads it, as far as ours go."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Instruction:
    """One instruction; its lines are joined, its comments gone."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """What it says: a JSON list as it is, anything else as a shell would split it."""
        if self.text.startswith("["):
            listed: list[str] = json.loads(self.text)
            return listed
        return shlex.split(self.text)

    @property
    def flags(self) -> dict[str, str]:
        """`--name=value` at its beginning."""
        found = re.match(r"(?:--\S+\s+)*", self.text)
        words = found[0].split() if found else []
        return dict(word.removeprefix("--").partition("=")[::2] for word in words)

    @property
    def operands(self) -> list[str]:
        """Its words without flags."""
        return [word for word in self.words if not word.startswith("--")]

    @property
    def exec_form(self) -> list[str]:
        """The JSON list that its text ends with."""
        listed: list[str] = json.loads(self.text[self.text.index("[") :])
        return listed


@dataclass(frozen=True)
class Stage:
    """From one FROM to the next."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def one(self, name: str) -> Instruction:
        [found] = self.all(name)
        return found

    def all(self, name: str) -> list[Instruction]:
        return [each for each in self.instructions if each.name == name]

    @property
    def environ(self) -> dict[str, str]:
        """What ENV sets, `${PATH}` and the like as they stand."""
        pairs = [word for each in self.all("ENV") for word in each.words]
        return dict(pair.partition("=")[::2] for pair in pairs)


def stages(text: str) -> list[Stage]:
    """The stages; arguments before the first one have their defaults filled in."""
    found: list[Stage] = []
    arguments: dict[str, str] = {}
    for each in _instructions(text):
        if each.name == "ARG" and not found:
            name, _, default = each.text.partition("=")
            arguments[name] = default
        elif each.name == "FROM":
            filled = re.sub(r"\$\{(\w+)\}", lambda name: arguments[name[1]], each.text)
            base, _, name = filled.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].instructions.append(each)
    return found


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", "").splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield Instruction(name, rest.strip())

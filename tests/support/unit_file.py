"""A unit of systemd, as far as ours goes."""

import re
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(?P<name>\w+)=(?P<value>.*)")


@dataclass(frozen=True)
class Unit:
    """The settings of a unit; a name may stand more than once."""

    settings: list[tuple[str, str, str]]
    """Section, name, value."""

    @classmethod
    def read(cls, path: Path) -> "Unit":
        """Every line is a section, a setting, a comment or empty."""
        section, settings = "", []
        for line in path.read_text().splitlines():
            if heading := re.fullmatch(r"\[(\w+)\]", line):
                section = heading[1]
            elif line and not line.startswith("#"):
                setting = _LINE.fullmatch(line)
                assert setting is not None, line
                settings.append((section, setting["name"], setting["value"]))
        return cls(settings)

    def all(self, name: str) -> list[str]:
        return [value for _, each, value in self.settings if each == name]

    def one(self, name: str) -> str:
        [value] = self.all(name)
        return value

    @property
    def environ(self) -> dict[str, str]:
        return dict(each.partition("=")[::2] for each in self.all("Environment"))

"""deploy/docker-compose.yml, read as Docker Compose reads it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "deploy" / "docker-compose.yml"

_NAME: Final = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\})")


def project(environ: Mapping[str, str]) -> dict[str, Any]:
    """The project, names filled in. Raises KeyError with the text for a name that is needed."""
    filled = _filled(yaml.safe_load(FILE.read_text()), environ)
    assert isinstance(filled, dict)
    return filled


def needed() -> set[str]:
    """Names without which the project does not start."""
    return {found["name"] for found in _NAME.finditer(FILE.read_text()) if found["kind"] == "?"}


def offered() -> set[str]:
    """Every name that the project takes from the environment."""
    return {found["name"] for found in _NAME.finditer(FILE.read_text()) if found["name"]}


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _NAME.sub(lambda found: _value(found, environ), value)
    if isinstance(value, list):
        return [_filled(each, environ) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, environ) for name, each in value.items()}
    return value


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    name = found["name"]
    if name is None:
        return "$"
    if environ.get(name):
        return environ[name]
    if found["kind"] == "-":
        return str(found["text"])
    raise KeyError(f"{name}: {found['text']}")

"""Where settings come from, and which of them wins.

`--set` wins over `EXPORT_<SECTION>__<KEY>`, that over the five names of the original's
environment, and those over the file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flight_server.config import document
from flight_server.config.model import KEYS, SECTIONS

PREFIX: Final = "EXPORT_"

ORIGINAL_NAMES: Final[Mapping[str, str]] = {
    "OSS_ENDPOINT": "oss.endpoint",
    "OSS_BUCKET": "oss.bucket",
    "OSS_ACCESS_KEY_ID": "oss.access_key_id",
    "OSS_ACCESS_KEY_SECRET": "oss.access_key_secret",
    "LOG_LEVEL": "logging.level",
}
"""The environment of the original."""

_OSS_REQUIRED: Final = (
    "oss.endpoint",
    "oss.bucket",
    "oss.access_key_id",
    "oss.access_key_secret",
)


@dataclass(frozen=True)
class Setting:
    """A value that somebody gave, not looked at yet; the key need not exist."""

    key: str
    value: object
    origin: str
    """For messages: `file config.yaml`, `environment LOG_LEVEL`, `--set`."""


def from_file(path: Path) -> Iterator[Setting]:
    """Read a file. A key or section with nothing after its colon is not set.

    Raises:
        ConfigError: the file as a whole is of no use.

    """
    return _flattened(document.read(path), "", f"file {path}")


def _flattened(tree: Mapping[Any, Any], prefix: str, origin: str) -> Iterator[Setting]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if value is None and (key in SECTIONS or key in KEYS):
            continue
        if key in SECTIONS and isinstance(value, dict):
            yield from _flattened(value, f"{key}.", origin)
        else:
            yield Setting(key, value, origin)


def from_environment(environ: Mapping[str, str]) -> Iterator[Setting]:
    """Read both forms of names; the original's first, so that the full names win.

    The original ignored its names when they were empty. A full name needs the two underscores:
    `EXPORT_PORT` and the like are left to others, such as Kubernetes.
    """
    for name, key in ORIGINAL_NAMES.items():
        if value := environ.get(name):
            yield Setting(key, value, f"environment {name}")
    for name in sorted(environ):
        path = name.removeprefix(PREFIX)
        if path != name and "__" in path:
            key = path.lower().replace("__", ".")
            yield Setting(key, environ[name], f"environment {name}")


def from_overrides(overrides: Sequence[str]) -> tuple[list[Setting], list[str]]:
    """Read `--set section.key=value`, and say what is wrong with their form."""
    settings, problems = [], []
    for number, override in enumerate(overrides, start=1):
        key, equals, value = override.partition("=")
        if equals:
            settings.append(Setting(key.strip(), value, "--set"))
        else:  # what was given is not repeated: it may be a secret
            problems.append(f"--set number {number} has no =; write --set section.key=value")
    return settings, problems


def effective(settings: Iterable[Setting]) -> dict[str, Setting]:
    """Keep the last of each key; a complete oss section chooses its backend."""
    winners = {setting.key: setting for setting in settings}
    if "storage.backend" not in winners and _is_complete(winners):
        winners["storage.backend"] = Setting(
            "storage.backend", "oss", "because the oss section is complete"
        )
    return winners


def _is_complete(settings: Mapping[str, Setting]) -> bool:
    """Whether all that the oss backend cannot do without has been given."""
    return all(key in settings and settings[key].value not in ("", None) for key in _OSS_REQUIRED)

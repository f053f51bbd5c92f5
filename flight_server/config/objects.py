"""Kinds for what a store of objects is told: where it is, what objects are called, their tags."""

import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flight_server.config.kinds import Flaw, FlawedError, Kind, Plain

DEFAULT_PREFIX: Final = "{client}/{date}/{task_id}/{filename}"

DEFAULT_TAGS: Final[Mapping[str, str]] = {
    "task_id": "{task_id}",
    "client": "{client}",
    "request_id": "{request_id}",
    "sha256": "{sha256}",
}

NAME_FIELDS: Final = ("client", "date", "task_id", "filename")
TAG_FIELDS: Final = ("client", "date", "task_id", "request_id", "sha256")

MAX_TAGS: Final = 10
"""Of an object, as OSS allows."""

_HOST: Final = re.compile(r"(https?://)?[A-Za-z0-9_.-]+(:[0-9]{1,5})?", re.ASCII)
_REGION: Final = re.compile(r"(?:https?://)?oss-([a-z]+-[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com")
_TAG: Final = re.compile(r"[A-Za-z0-9 +\-=._:/]{1,128}")
_PREFIX_BYTES: Final = 400


def region_of(endpoint: str) -> str | None:
    """The region that the host of a public endpoint names: `oss-cn-hangzhou.aliyuncs.com`."""
    match = _REGION.fullmatch(endpoint)
    if match is None or match[1].startswith("accelerate"):
        return None
    return match[1]


@dataclass(frozen=True)
class Endpoint(Kind[str]):
    """The host of a store."""

    allowed = "empty, or a host with or without http://, https:// and a port"

    def read(self, value: object) -> str:
        """Take the host without a slash at its end."""
        if isinstance(value, str):
            value = value.strip().removesuffix("/")
        if not isinstance(value, str) or (value and not _HOST.fullmatch(value)):
            raise self.refusal()
        return value


@dataclass(frozen=True)
class NameTemplate(Kind[str]):
    """What objects are called: a text with fields, or the text that all names begin with."""

    allowed = (
        "a path of text and {client}, {date}, {task_id}, {filename}; no slash at its start, "
        "and {task_id} with {filename}"
    )

    def read(self, value: object) -> str:
        """Keep the text as it is."""
        if not isinstance(value, str) or not value.isprintable():
            raise self.refusal()
        fields = _fields(value, NAME_FIELDS)
        literal = value.encode(errors="replace")
        if fields is None or len(literal) > _PREFIX_BYTES or value.startswith(("/", "?")):
            raise self.refusal()
        if "\\" in value or {".", "..", ""} & set(value.removesuffix("/").split("/")[:-1]):
            raise self.refusal()
        if "filename" in fields and "task_id" not in fields:
            raise self.refusal()  # two exports could get one name
        return value


@dataclass(frozen=True)
class Tags(Kind[Mapping[str, str]]):
    """Tags by name, their values with fields."""

    allowed = (
        f"at most {MAX_TAGS} names with texts of {', '.join(map('{{{}}}'.format, TAG_FIELDS))} "
        "and letters, digits, spaces, + - = . _ : / (in the environment as JSON)"
    )

    def read(self, value: object) -> Mapping[str, str]:
        """Take a mapping, and its JSON."""
        tags = _from_json(value) if isinstance(value, str) else value
        if not isinstance(tags, Mapping) or len(tags) > MAX_TAGS:
            raise self.refusal()
        if flaws := tuple(_flaws(tags)):
            raise FlawedError(flaws)
        return dict(tags)

    def write(self, value: Mapping[str, str]) -> Plain:
        """Write them as they were given."""
        return dict(value)


def _flaws(tags: Mapping[Any, object]) -> Iterator[Flaw]:
    for name, text in tags.items():
        if not isinstance(name, str) or not _TAG.fullmatch(name):
            yield Flaw("", name, "is not allowed; a tag's name has letters, digits, + - = . _ : /")
        elif not isinstance(text, str) or not _is_tag_value(text):
            known = ", ".join(f"{{{field}}}" for field in TAG_FIELDS)
            reason = f"is not allowed; allowed: letters, digits, spaces, + - = . _ : / and {known}"
            yield Flaw(f".{name}", text, reason)


def _is_tag_value(text: str) -> bool:
    fields = _fields(text, TAG_FIELDS)
    return fields is not None and bool(_TAG.fullmatch(re.sub(r"\{\w+\}", "", text) or "-"))


def _fields(template: str, known: tuple[str, ...]) -> set[str] | None:
    """The fields of a template; None where it is none, or has one that is not known."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        return None
    fields = {name for _, name, _, _ in parsed if name is not None}
    if any(spec or conversion for _, _, spec, conversion in parsed):
        return None
    return fields if fields <= set(known) else None


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

"""What objects are called, and their tags: texts with fields, filled in safely."""

import re
import string
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from flight_server.storage.base import Target, is_task_id

_UUID7: Final = re.compile(r"([0-9a-f]{12})7[0-9a-f]{3}[89ab][0-9a-f]{15}")
"""Task ids are UUIDs of version 7: their first 48 bits are the milliseconds since 1970."""

_UNSAFE_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f/\\?#*:|<>\"]")
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]")
_UNSAFE_IN_TAGS: Final = re.compile(r"[^A-Za-z0-9 +\-=._:/]")
_SEGMENT_BYTES: Final = 128
_TAG_CHARACTERS: Final = 128


class KeyTemplate:
    """`exports/{client}/{date}/{task_id}/{filename}`: the key of a task's object, and back.

    A template without `{filename}` goes on with it, after the task id if that is missing too: the
    key of a task is its own, and is the same whenever it is asked for. Where keys have to be
    `plain`, what URLs encode becomes `_` in clients and filenames.
    """

    def __init__(self, template: str, *, plain: bool = False) -> None:
        if "{filename}" not in template:
            rest = "{filename}" if "{task_id}" in template else "{task_id}/{filename}"
            template = f"{template.rstrip('/')}/{rest}" if template else rest
        self._template = template
        self._plain = plain
        self._pattern = re.compile("".join(_patterns(template)), re.DOTALL)

    def key(self, target: Target) -> str:
        """The name of the object of `target`."""
        return self._template.format(
            client=self._named(_segment(target.client)),
            date=date_of(target.task_id),
            task_id=target.task_id,
            filename=self._named(target.filename),
        )

    def _named(self, segment: str) -> str:
        return _NOT_PLAIN.sub("_", segment) if self._plain else segment

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return self._template.partition("{")[0]

    @property
    def directory(self) -> str:
        """The directory in which all keys are: empty, or with a slash at its end."""
        head, slash, _ = self.prefix.rpartition("/")
        return head + slash

    def task_id(self, key: str) -> str | None:
        """The task whose object is called `key`; None if this service makes no such names."""
        match = self._pattern.fullmatch(key)
        return match["task_id"] if match and is_task_id(match["task_id"]) else None


def _patterns(template: str) -> Iterable[str]:
    seen: set[str] = set()
    for literal, field, _, _ in string.Formatter().parse(template):
        yield re.escape(literal)
        if field is not None:
            yield f"(?P={field})" if field in seen else f"(?P<{field}>[^/]+)"
            seen.add(field)


def date_of(task_id: str) -> str:
    """The day (UTC) on which a task was made, as its id says."""
    match = _UUID7.fullmatch(task_id)
    if match is None:
        return "undated"
    return f"{datetime.fromtimestamp(int(match[1], 16) / 1000, UTC):%Y-%m-%d}"


def tags_of(templates: Mapping[str, str], target: Target, sha256: str | None) -> dict[str, str]:
    """The tags of an object; those that need a `sha256` only when it is known."""
    values = {
        "client": target.client,
        "date": date_of(target.task_id),
        "task_id": target.task_id,
        "request_id": target.request_id,
        "sha256": sha256,
    }
    return {
        name: _UNSAFE_IN_TAGS.sub("_", template.format(**values))[:_TAG_CHARACTERS]
        for name, template in templates.items()
        if sha256 is not None or "{sha256}" not in template
    }


def tag_header(tags: Mapping[str, str]) -> str:
    """`tags` as they stand in the header of a request."""
    return urlencode(tags)


def _segment(text: str) -> str:
    """`text` as one segment of a path that every system can keep."""
    cleaned = _UNSAFE_IN_NAMES.sub("_", text).encode(errors="replace")[:_SEGMENT_BYTES]
    return cleaned.decode(errors="ignore").strip(". ") or "_"

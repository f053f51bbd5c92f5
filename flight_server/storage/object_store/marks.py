"""What must survive a crash: that something of a task may be left in the store, and where.

`<task_id>.<section>.json` beside its spool, while it could not be taken back.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from flight_server.storage.base import is_task_id


class Marks:
    """The marks in one directory, of one kind of store. Raise OSError where the disk does."""

    def __init__(self, directory: Path, section: str) -> None:
        self._directory = directory
        self._suffix = f".{section}.json"

    def add(self, task_id: str, key: str) -> None:
        """Mark a task, durably enough for a crash of this process."""
        temporary = self._directory / f"{task_id}{self._suffix}.tmp"
        temporary.write_text(json.dumps({"key": key}), encoding="utf-8")
        temporary.replace(self._path(task_id))

    def key(self, task_id: str) -> str | None:
        """What the mark of a task says; None without one."""
        try:
            fields = json.loads(self._path(task_id).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        key = fields.get("key") if isinstance(fields, dict) else None
        return key if isinstance(key, str) else None

    def remove(self, task_id: str) -> None:
        """Forget a mark; none is fine too."""
        self._path(task_id).unlink(missing_ok=True)

    def tasks(self) -> Iterator[str]:
        """The tasks that have one."""
        for path in self._directory.glob(f"*{self._suffix}"):
            task_id = path.name.removesuffix(self._suffix)
            if is_task_id(task_id):
                yield task_id

    def _path(self, task_id: str) -> Path:
        return self._directory / f"{task_id}{self._suffix}"

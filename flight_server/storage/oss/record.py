"""What must survive a crash: that a task has a multipart upload, and which.

`<task_id>.oss.json` beside its spool. It is there before the first part is sent, and goes when the
object is there or nothing is left of it. Where a crash comes in between, the upload is found by
its key.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from flight_server.storage.base import is_task_id

SUFFIX: Final = ".oss.json"
_TEMPORARY: Final = ".oss.tmp"


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """The multipart upload of a task."""

    key: str
    upload_id: str | None
    part_size: int
    """Of the first parts: where all others begin depends on it, whatever the configuration says."""
    condemned: bool = False
    """Nothing of it may stay, and removing it has failed so far."""


class RecordFile:
    """The record of one task on disk. Raises OSError where the disk does."""

    def __init__(self, directory: Path, task_id: str) -> None:
        self.path = directory / f"{task_id}{SUFFIX}"
        self._temporary = directory / f"{task_id}{_TEMPORARY}"

    def read(self) -> UploadRecord | None:
        """The record, if there is one that is whole."""
        try:
            fields = json.loads(self.path.read_text(encoding="utf-8"))
            record = UploadRecord(**fields)
        except (FileNotFoundError, ValueError, TypeError):
            return None
        well_formed = isinstance(record.key, str) and isinstance(record.part_size, int)
        return record if well_formed and record.part_size > 0 else None

    def write(self, record: UploadRecord) -> None:
        """Replace the record, whole or not at all."""
        self._temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")
        self._temporary.replace(self.path)

    def remove(self) -> None:
        """Remove it; none is fine too."""
        self.path.unlink(missing_ok=True)
        self._temporary.unlink(missing_ok=True)


def records_in(directory: Path) -> Iterator[tuple[str, RecordFile, float]]:
    """Task, record, and when it was last written (Unix seconds), of each in `directory`."""
    for path in directory.glob(f"*{SUFFIX}"):
        task_id = path.name.removesuffix(SUFFIX)
        if is_task_id(task_id):
            with suppress(FileNotFoundError):
                yield task_id, RecordFile(directory, task_id), path.stat().st_mtime

"""Files in the memory of the process: for trials and for tests; nothing survives a restart."""

import hashlib
import io
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final
from urllib.parse import quote

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Digest, Target, Upload

DEFAULT_RETENTION: Final = timedelta(days=7)
DEFAULT_TEMP_RETENTION: Final = timedelta(hours=1)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a task; `data` is None while it is being written."""

    filename: str
    changed_at: datetime
    data: bytes | None = None
    published: bool = False


class MemoryStorage:
    """A dictionary of files. As large as they are: nothing bounds it but their retention."""

    def __init__(
        self,
        *,
        retention: timedelta = DEFAULT_RETENTION,
        temp_retention: timedelta = DEFAULT_TEMP_RETENTION,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._retention = retention
        self._temp_retention = temp_retention
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def open_upload(self, target: Target) -> "MemoryUpload":
        """Begin a file. Raises ServiceError STORAGE_ERROR when the task has one already."""
        with self._lock:
            if target.task_id in self._kept:
                raise ServiceError(ErrorCode.STORAGE_ERROR, "the task has a file already")
            self._kept[target.task_id] = _Kept(target.filename, self._clock())
        return MemoryUpload(self, target)

    def keep(self, target: Target, data: bytes) -> None:
        """Hold the sealed bytes of a task until they are published, deleted or swept."""
        with self._lock:
            self._kept[target.task_id] = _Kept(target.filename, self._clock(), data)

    def resume(self, target: Target, size: int) -> bool:
        """Publish sealed bytes of the same process; True too when that was done before."""
        with self._lock:
            kept = self._kept.get(target.task_id)
            if kept is None or kept.data is None or len(kept.data) != size:
                return False
            if not kept.published:
                self._kept[target.task_id] = replace(kept, published=True, changed_at=self._clock())
            return True

    def withdraw(self, target: Target) -> None:
        """Hide the bytes of the task."""
        with self._lock:
            kept = self._kept.get(target.task_id)
            if kept is not None:
                self._kept[target.task_id] = replace(kept, published=False)

    def link(self, target: Target, expires_at: datetime) -> str:  # noqa: ARG002 - as Storage says
        """`memory://<task_id>/<filename>`: a name within the process; it does not expire."""
        return f"memory://{target.task_id}/{quote(target.filename, safe='')}"

    def delete(self, target: Target) -> None:
        """Forget the task."""
        with self._lock:
            self._kept.pop(target.task_id, None)

    def check(self) -> str:
        """Memory needs no looking after."""
        return f"{len(self._kept)} files are kept in memory"

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Forget old files and old unpublished bytes."""
        with self._lock:
            old = [
                task_id
                for task_id, kept in self._kept.items()
                if self._outlived(kept, now) and (kept.published or task_id not in keep)
            ]
            for task_id in old:
                del self._kept[task_id]
        return len(old)

    def open_reader(self, target: Target) -> BinaryIO:
        """The published bytes. Raises FileNotFoundError when there are none."""
        with self._lock:
            kept = self._kept.get(target.task_id)
        if kept is None or kept.data is None or not kept.published:
            raise FileNotFoundError(f"task {target.task_id} has no published file")
        return io.BytesIO(kept.data)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _outlived(self, kept: _Kept, now: datetime) -> bool:
        retention = self._retention if kept.published else self._temp_retention
        return kept.changed_at < now - retention


class MemoryUpload(Upload):
    """A buffer that becomes a kept file."""

    def __init__(self, storage: MemoryStorage, target: Target) -> None:
        super().__init__()
        self._storage = storage
        self._target = target
        self._buffer = io.BytesIO()
        self._hash = hashlib.sha256()
        self._size = 0

    @property
    def bytes_written(self) -> int:
        """Bytes in the buffer."""
        return self._size

    def _append(self, data: Data) -> None:
        self._size += self._buffer.write(data)
        self._hash.update(data)

    def _finish(self) -> Digest:
        self._storage.keep(self._target, self._buffer.getvalue())
        return Digest(self._size, self._hash.hexdigest())

    def _expose(self, digest: Digest) -> None:
        if not self._storage.resume(self._target, digest.size):
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the sealed file was removed or changed")

    def _discard(self) -> None:
        self._buffer.close()  # from here on write and seal raise ValueError
        self._storage.delete(self._target)

    def _withdraw(self) -> None:
        self._storage.withdraw(self._target)

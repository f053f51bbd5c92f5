"""A file on the local disk that is not finished yet: written once, hashed on the way."""

import hashlib
import os
import shutil
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final, TypeAlias

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.storage.base import Digest, check_task_id, is_task_id
from flight_server.storage.writeback import Writeback

SUFFIX: Final = ".spool"

CHECK_INTERVAL: Final = 64 * 1024 * 1024
"""Bytes written between two looks at the free space."""

_CHUNK: Final = 1024 * 1024

FreeBytes: TypeAlias = Callable[[Path], int]
"""Bytes that this process may still use on the file system of a directory."""


def free_bytes(directory: Path) -> int:
    """What the operating system says; without the blocks reserved for root."""
    return shutil.disk_usage(directory).free


def require_free(directory: Path, wanted: int, free: FreeBytes = free_bytes) -> None:
    """Raise ServiceError STORAGE_FULL unless `wanted` bytes are free where `directory` is."""
    if (available := free(directory)) < wanted:
        message = f"the server's disk is nearly full: {available} bytes free, {wanted} are needed"
        raise ServiceError(ErrorCode.STORAGE_FULL, message)


def spool_path(directory: Path, task_id: str) -> Path:
    """Where the spool of a task is, or would be."""
    check_task_id(task_id)
    return directory / f"{task_id}{SUFFIX}"


def spooled(directory: Path) -> list[str]:
    """The tasks that have a spool in `directory`."""
    names = (path.name.removesuffix(SUFFIX) for path in directory.glob(f"*{SUFFIX}"))
    return [name for name in names if is_task_id(name)]


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable, as fsync of a file does not."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def has_size(path: Path, size: int) -> bool:
    """Whether there is a file with exactly `size` bytes."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def digest_of(path: Path) -> Digest:
    """Size and SHA-256 of a file."""
    sha256, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            size += len(chunk)
    return Digest(size, sha256.hexdigest())


class SpoolFile:
    """The spool of one task in `directory`, readable by this user only.

    At least `min_free_bytes` stay free on its file system: looked at when it is opened and every
    `CHECK_INTERVAL` bytes. When writing or sealing fails the spool is removed, which frees the
    space that may have been the cause. Not thread safe.

    Raises:
        ServiceError: STORAGE_FULL; STORAGE_ERROR, also when the task has a spool already.

    """

    def __init__(
        self, directory: Path, task_id: str, min_free_bytes: int, free: FreeBytes = free_bytes
    ) -> None:
        self.path = spool_path(directory, task_id)
        self.size = 0
        self._min_free_bytes = min_free_bytes
        self._free = free
        self._next_check = 0
        self._hash = hashlib.sha256()
        try:
            self._check_space()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise translate(error) from error
        # Unbuffered: exporters write whole blocks.
        self._file = FileIO(descriptor, "wb")
        self._writeback = Writeback(descriptor)

    def write(self, data: Data, /) -> None:
        """Append all of `data`.

        Raises:
            ServiceError: STORAGE_FULL or STORAGE_ERROR; the spool is gone.
            ValueError: the spool is sealed or gone.

        """
        view = memoryview(data).cast("B")
        try:
            if self.size + len(view) >= self._next_check:
                self._check_space()
            self._write_all(view)
        except (OSError, ServiceError) as error:
            self.discard()
            raise translate(error) from error
        self._writeback.grown(self.size)
        self._hash.update(view)

    def seal(self) -> Digest:
        """Put everything on the disk and close; the spool now survives a restart.

        Raises:
            ServiceError: STORAGE_FULL or STORAGE_ERROR; the spool is gone.
            ValueError: the spool is sealed or gone.

        """
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            sync_directory(self.path.parent)
        except OSError as error:
            self.discard()
            raise translate(error) from error
        return Digest(self.size, self._hash.hexdigest())

    def discard(self) -> None:
        """Close and remove the spool; nothing to remove is fine too."""
        try:
            self._file.close()
        finally:
            self.path.unlink(missing_ok=True)

    def _write_all(self, view: memoryview) -> None:
        # A raw write may take only a part, as it does just before the disk is full.
        while view:
            written = self._file.write(view)
            self.size += written
            view = view[written:]

    def _check_space(self) -> None:
        require_free(self.path.parent, self._min_free_bytes, self._free)
        self._next_check = self.size + CHECK_INTERVAL

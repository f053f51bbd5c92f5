"""Files on this machine's disk: `<directory>/<task_id>/<filename>`, served by the HTTP door."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.links import LinkSigner
from flight_server.storage.base import Digest, Target, Upload
from flight_server.storage.directories import make_private, private, probe_directory
from flight_server.storage.spool import SUFFIX as SPOOL_SUFFIX
from flight_server.storage.spool import SpoolFile, require_free, spool_path, sync_directory
from flight_server.storage.sweeping import Sweep

PARTIAL_SUFFIX: Final = ".partial"
"""A copy that is not complete, next to the task directories so that no filename can collide."""

_COPY_CHUNK: Final = 1024 * 1024


class LocalStorage:
    """Spools in `temp_directory`, finished files in `directory`; both belong to the service alone.

    The two may be on different file systems; on one, publishing is a rename. Directories are
    created when missing, open to this user only.

    Raises:
        ServiceError: STORAGE_ERROR, a directory cannot be made or belongs to another user.

    """

    def __init__(
        self,
        directory: Path,
        temp_directory: Path,
        *,
        retention: timedelta,
        temp_retention: timedelta,
        min_free_bytes: int,
        base_url: str,
        signer: LinkSigner,
    ) -> None:
        # Absolute, so that a later change of the working directory moves nothing.
        self._directory = directory.absolute()
        self._temp_directory = temp_directory.absolute()
        self._retention = retention
        self._temp_retention = temp_retention
        self._min_free_bytes = min_free_bytes
        self._base_url = base_url
        self._signer = signer
        for key, made in self._keys():
            make_private(key, made)

    def open_upload(self, target: Target) -> "LocalUpload":
        """Begin a spool. Raises ServiceError STORAGE_FULL or STORAGE_ERROR."""
        try:
            taken = self.path(target).exists()
        except OSError as error:
            raise translate(error) from error
        if taken:
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the task has a finished file already")
        spool = SpoolFile(self._temp_directory, target.task_id, self._min_free_bytes)
        return LocalUpload(self, target, spool)

    def resume(self, target: Target, size: int) -> bool:
        """Move a sealed spool of `size` bytes to its name, durably; True too when it is there."""
        final, spool = self.path(target), self._spool(target)
        try:
            if _size(final) == size:
                os.utime(final.parent)  # by which its retention is counted
                spool.unlink(missing_ok=True)  # a copy that was interrupted before its last step
            elif _size(spool) == size:
                self._move(spool, final, size)
            else:
                return False
            sync_directory(final.parent)
            sync_directory(self._directory)
        except OSError as error:
            raise translate(error) from error
        return True

    def withdraw(self, target: Target) -> None:
        """Make a spool of the finished file again. Raises ServiceError STORAGE_ERROR."""
        final, spool = self.path(target), self._spool(target)
        try:
            for partial in self._partials(final):
                partial.unlink(missing_ok=True)
            if not spool.exists() and final.exists():
                self._move_back(final, spool)
            final.unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                final.parent.rmdir()
        except OSError as error:
            raise translate(error) from error

    def link(self, target: Target, expires_at: datetime) -> str:
        """A signed link to the HTTP door."""
        return self._signer.url(self._base_url, target.task_id, target.filename, expires_at)

    def delete(self, target: Target) -> None:
        """Remove the finished file and the spool. Raises ServiceError STORAGE_ERROR."""
        final = self.path(target)
        try:
            # As long as there is a spool, it tells that something may be left.
            for file in (*self._partials(final), self._spool(target), final):
                file.unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                final.parent.rmdir()
        except OSError as error:
            raise translate(error) from error

    def check(self) -> str:
        """Write a file to each directory and look at the space; a sentence when all is well."""
        for key, directory in self._keys():
            probe_directory(key, directory)
            require_free(directory, self._min_free_bytes)
        return "the local directories can be written and have space"

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove old spools, interrupted copies and finished files."""
        sweep = Sweep()
        old = (now - self._temp_retention).timestamp()
        sweep.unfinished(self._temp_directory, SPOOL_SUFFIX, old, keep)
        sweep.unfinished(self._directory, PARTIAL_SUFFIX, old, keep)
        sweep.finished(self._directory, (now - self._retention).timestamp())
        return sweep.result()

    def open_reader(self, target: Target) -> BinaryIO:
        """The finished file. Raises FileNotFoundError when there is none."""
        return self.path(target).open("rb")

    def path(self, target: Target) -> Path:
        """Where the finished file is, or would be."""
        return self._directory / target.task_id / target.filename

    def close(self) -> None:
        """Nothing is held open."""

    def _keys(self) -> tuple[tuple[str, Path], tuple[str, Path]]:
        return (
            ("storage.temp_directory", self._temp_directory),
            ("storage.local.directory", self._directory),
        )

    def _spool(self, target: Target) -> Path:
        return spool_path(self._temp_directory, target.task_id)

    def _partial(self, final: Path) -> Path:
        """A name of its own for each copy: two replicas may make one of the same spool."""
        name = f"{final.parent.name}-{secrets.token_hex(8)}"
        return self._directory / f"{name}{PARTIAL_SUFFIX}"

    def _partials(self, final: Path) -> list[Path]:
        return list(self._directory.glob(f"{final.parent.name}-*{PARTIAL_SUFFIX}"))

    def _move(self, spool: Path, final: Path, size: int) -> None:
        final.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            spool.replace(final)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            require_free(self._directory, self._min_free_bytes + size)
            partial = self._partial(final)
            _copy(spool, partial)
            partial.replace(final)
            spool.unlink(missing_ok=True)

    def _move_back(self, final: Path, spool: Path) -> None:
        try:
            final.replace(spool)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(final, spool)


class LocalUpload(Upload):
    """A spool that becomes a finished file."""

    def __init__(self, storage: LocalStorage, target: Target, spool: SpoolFile) -> None:
        super().__init__()
        self._storage = storage
        self._target = target
        self._spool = spool

    @property
    def bytes_written(self) -> int:
        """Bytes in the spool."""
        return self._spool.size

    def _append(self, data: Data) -> None:
        self._spool.write(data)

    def _finish(self) -> Digest:
        return self._spool.seal()

    def _expose(self, digest: Digest) -> None:
        if not self._storage.resume(self._target, digest.size):
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the sealed file was removed or changed")

    def _discard(self) -> None:
        self._spool.discard()
        self._storage.delete(self._target)

    def _withdraw(self) -> None:
        self._storage.withdraw(self._target)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _copy(source: Path, target: Path) -> None:
    """Copy, durably, or leave no `target` behind."""
    try:
        with source.open("rb") as reader, open(target, "wb", opener=private) as writer:
            shutil.copyfileobj(reader, writer, _COPY_CHUNK)
            writer.flush()
            os.fsync(writer.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise

"""Files in one SQLite database: a whole storage for Export Middleware in one module.

Spools are those of the service; what is published is rows of at most a mebibyte, written in one
transaction: whole, or not at all.
"""

import io
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Digest, Target, Terms, Upload
from flight_server.storage.directories import make_private
from flight_server.storage.registry import StorageContext
from flight_server.storage.spool import SUFFIX, SpoolFile, has_size, require_free, spool_path
from flight_server.storage.sweeping import Sweep

_PIECE: Final = 1024 * 1024
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS files (task_id TEXT PRIMARY KEY, size INTEGER, stored_at REAL);
CREATE TABLE IF NOT EXISTS pieces (
    task_id TEXT REFERENCES files ON DELETE CASCADE, number INTEGER, data BLOB,
    PRIMARY KEY (task_id, number)
);
"""


class ArchiveStorage:
    """A database of files. Each call has a connection of its own: any thread may make it.

    It is read through Flight's `do_get`, as all that is `Readable`. A `Remote` too, so that it has
    its own terms: how long links hold and files are kept.
    """

    def __init__(
        self, database: Path, spools: Path, *, retention: timedelta, temp_retention: timedelta
    ) -> None:
        make_private("storage.temp_directory", spools)
        make_private("storage.local.directory", database.parent)
        self._database = database
        self._spools = spools
        self._retention = retention
        self._temp_retention = temp_retention
        with self._transaction() as connection:
            connection.executescript(_SCHEMA)

    def terms(self) -> Terms:
        return Terms(link_lifetime=timedelta(days=1), retention=self._retention)

    def open_upload(self, target: Target) -> "ArchiveUpload":
        if self._size(target) is not None:
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the task has a finished file already")
        return ArchiveUpload(self, target, SpoolFile(self._spools, target.task_id, 0))

    def resume(self, target: Target, size: int) -> bool:
        spool = spool_path(self._spools, target.task_id)
        if self._size(target) != size:
            if not has_size(spool, size):
                return False
            self._store(target, spool, size)
        spool.unlink(missing_ok=True)
        return True

    def withdraw(self, target: Target) -> None:
        """A transaction that failed has left nothing, and one that did not is not to be undone."""

    def link(self, target: Target, expires_at: datetime) -> str:
        return f"archive://{target.task_id}/{quote(target.filename, safe='')}"

    def delete(self, target: Target) -> None:
        spool_path(self._spools, target.task_id).unlink(missing_ok=True)
        with self._transaction() as connection:
            connection.execute("DELETE FROM files WHERE task_id = ?", [target.task_id])

    def check(self) -> str:
        require_free(self._spools, 0)
        with self._transaction() as connection:
            [count] = connection.execute("SELECT count(*) FROM files").fetchone()
        return f"the archive has {count} files"

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        sweep = Sweep()
        sweep.unfinished(self._spools, SUFFIX, (now - self._temp_retention).timestamp(), keep)
        old = (now - self._retention).timestamp()
        with self._transaction() as connection:
            removed = connection.execute("DELETE FROM files WHERE stored_at < ?", [old]).rowcount
        return sweep.result() + removed

    def open_reader(self, target: Target) -> BinaryIO:
        if self._size(target) is None:
            raise FileNotFoundError("the archive has no such file")
        return io.BufferedReader(_Reader(lambda number: self._piece(target, number)), _PIECE)

    def close(self) -> None:
        """Nothing is held open."""

    def _store(self, target: Target, spool: Path, size: int) -> None:
        with self._transaction() as connection, spool.open("rb") as file:
            now = datetime.now(UTC).timestamp()
            connection.execute("INSERT INTO files VALUES (?, ?, ?)", [target.task_id, size, now])
            pieces = enumerate(iter(lambda: file.read(_PIECE), b""))
            rows = ((target.task_id, number, data) for number, data in pieces)
            connection.executemany("INSERT INTO pieces VALUES (?, ?, ?)", rows)

    def _size(self, target: Target) -> int | None:
        with self._transaction() as connection:
            query = "SELECT size FROM files WHERE task_id = ?"
            row = connection.execute(query, [target.task_id]).fetchone()
        return None if row is None else int(row[0])

    def _piece(self, target: Target, number: int) -> bytes:
        with self._transaction() as connection:
            query = "SELECT data FROM pieces WHERE task_id = ? AND number = ?"
            row = connection.execute(query, [target.task_id, number]).fetchone()
        return b"" if row is None else bytes(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection that commits at the end; what SQLite raises, as the service knows it."""
        try:
            with closing(sqlite3.connect(self._database, timeout=30)) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                with connection:
                    yield connection
        except sqlite3.Error as error:
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the archive cannot be used now") from error


class ArchiveUpload(Upload):
    """A spool that becomes rows."""

    def __init__(self, storage: ArchiveStorage, target: Target, spool: SpoolFile) -> None:
        super().__init__()
        self._storage = storage
        self._target = target
        self._spool = spool

    @property
    def bytes_written(self) -> int:
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


class _Reader(io.RawIOBase):
    def __init__(self, piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._number = 0
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(self._piece(self._number))
            self._number += 1
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def open_archive(context: StorageContext) -> ArchiveStorage:
    """What the entry point names: a `StorageFactory`."""
    storage = context.config.storage
    return ArchiveStorage(
        storage.local.directory / "archive.db",
        storage.temp_directory,
        retention=storage.local.retention,
        temp_retention=storage.temp_retention,
    )

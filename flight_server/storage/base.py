"""The contract between an export and the place where its file is kept.

    with storage.open_upload(target) as upload:     # anything written before seal() is forgotten
        upload.write(data)                          # when the context is left
        digest = upload.seal()                      # durable: survives the client and a restart
        upload.publish()                            # visible under its name, all of it at once

Where publishing fails, and after a restart, `resume()` publishes what was sealed. Every backend
passes one contract suite.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self, runtime_checkable

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError
from flight_server.filenames import check_filename

_TASK_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
"""Task ids name directories and spools: they are one plain path segment."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the file of one task goes.

    Raises:
        ServiceError: INVALID_DESCRIPTOR, the filename is not acceptable (see `check_filename`).
        ValueError: the task id is not one that this service makes.

    """

    task_id: str
    client: str
    filename: str
    content_type: str
    request_id: str = ""
    """The caller's; a store may label the file with it."""

    def __post_init__(self) -> None:
        check_task_id(self.task_id)
        try:
            check_filename(self.filename)
        except ValueError as error:
            raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, str(error)) from error


def is_task_id(text: str) -> bool:
    """Whether `text` can be a task id: one plain path segment."""
    return _TASK_ID.fullmatch(text) is not None


def check_task_id(task_id: str) -> None:
    """Raise ValueError unless `task_id` can be one."""
    if not is_task_id(task_id):
        raise ValueError(f"the task id {task_id!r} is not letters, digits, '-' and '_'")


@dataclass(frozen=True, slots=True)
class Digest:
    """What was written, taken on the way."""

    size: int
    """Bytes."""
    sha256: str
    """Hex, lower case."""


class Upload(ABC):
    """One file on its way into a storage. Used as a context manager, by one thread at a time.

    Leaving the context before `seal()`, or by any exception but one of `publish()`, leaves nothing
    behind. If `publish()` raised, nothing of the file is to be seen, and the sealed bytes stay for
    `Storage.resume()`, as they do where the context is left normally after `seal()`.

    A backend implements the six names below the public ones; `_discard()` and `_withdraw()` may be
    called in any state and more than once.
    """

    def __init__(self) -> None:
        self._digest: Digest | None = None
        self._published = False
        self._refused = False  # publishing was tried, and failed
        self._left = False

    @property
    @abstractmethod
    def bytes_written(self) -> int:
        """Bytes taken so far."""

    @property
    def kept(self) -> bool:
        """Whether the sealed bytes stay, although publishing them was tried."""
        return self._left or self._refused

    def write(self, data: Data, /) -> None:
        """Take all of `data`, which may be changed once this returns.

        Raises:
            ServiceError: STORAGE_FULL or STORAGE_ERROR; the upload is lost.
            ValueError: the upload is sealed.

        """
        if self._digest is not None:
            raise ValueError("the upload is sealed; nothing can be written to it")
        self._append(data)

    def seal(self) -> Digest:
        """Make everything written durable; again, the same digest.

        Raises:
            ServiceError: STORAGE_FULL or STORAGE_ERROR; the upload is lost.

        """
        if self._digest is None:
            self._digest = self._finish()
        return self._digest

    def publish(self) -> None:
        """Show the sealed file under its name, whole or not at all; again, do nothing.

        Raises:
            ServiceError: the sealed bytes are still there, and publishing can be tried again.
            ValueError: the upload is not sealed.

        """
        if self._digest is None:
            raise ValueError("the upload is not sealed; it cannot be published")
        if not self._published:
            self._refused = True
            self._expose(self._digest)
            self._published, self._refused = True, False

    def leave(self) -> None:
        """Say that the sealed file is somebody else's: leaving the context touches nothing of it.

        Raises:
            ValueError: the upload is not sealed.

        """
        if self._digest is None:
            raise ValueError("the upload is not sealed; nobody else can have it")
        self._left = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._left:
            return
        if self._refused:
            self._withdraw()
        elif not self._published and (self._digest is None or exc_type is not None):
            self._discard()

    @abstractmethod
    def _append(self, data: Data) -> None: ...

    @abstractmethod
    def _finish(self) -> Digest: ...

    @abstractmethod
    def _expose(self, digest: Digest) -> None: ...

    @abstractmethod
    def _discard(self) -> None: ...

    @abstractmethod
    def _withdraw(self) -> None: ...


class Storage(Protocol):
    """A place for finished files. Thread safe."""

    def open_upload(self, target: Target) -> Upload:
        """Begin the file of a task.

        Raises:
            ServiceError: STORAGE_FULL or STORAGE_ERROR, also when the task has an upload already.

        """
        ...

    def resume(self, target: Target, size: int) -> bool:
        """Publish what a task had sealed before a restart: exactly `size` bytes.

        True when the file is published now, whether by this call or before; False when the
        sealed bytes are gone or are not `size` bytes.

        Raises:
            ServiceError: publishing failed and can be tried again.

        """
        ...

    def withdraw(self, target: Target) -> None:
        """Take back what `resume()` may have shown before it failed; sealed bytes stay.

        Raises:
            ServiceError: something could not be taken back now.

        """
        ...

    def link(self, target: Target, expires_at: datetime) -> str:
        """A URL of the published file that holds until `expires_at`; the file is not looked at."""
        ...

    def delete(self, target: Target) -> None:
        """Remove whatever is kept of the task; nothing is fine too."""
        ...

    def check(self) -> str:
        """One sentence about the working storage.

        Raises:
            ServiceError: STORAGE_FULL or STORAGE_ERROR, with a sentence for the operator.

        """
        ...

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove what outlived its retention; returns how many files that were.

        Those are finished files, and unpublished bytes of tasks whose id is not in `keep`.

        Raises:
            ServiceError: something could not be removed; everything else was.

        """
        ...

    def close(self) -> None:
        """Release what the storage holds open; again, do nothing."""
        ...


@runtime_checkable
class Readable(Protocol):
    """A storage that can give a published file back."""

    def open_reader(self, target: Target) -> BinaryIO:
        """The bytes of the published file, from the start; the caller closes it.

        Raises:
            FileNotFoundError: the file is not published, or was removed.

        """
        ...


@runtime_checkable
class LimitedLinks(Protocol):
    """A storage whose links can end before the time that was asked for."""

    def links_hold_until(self) -> datetime | None:
        """When what is signed now ends to hold at the latest; None for no such limit."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms files are kept."""

    link_lifetime: timedelta
    """How long a link is to hold."""
    retention: timedelta | None
    """How long a file is kept; None: as long as nobody deletes it."""


@runtime_checkable
class Remote(Protocol):
    """A storage elsewhere: publishing may take long, and `storage.local` is not about it."""

    def terms(self) -> Terms:
        """Its own terms."""
        ...


@runtime_checkable
class LocalPath(Protocol):
    """A storage whose published files are files of this machine."""

    def path(self, target: Target) -> Path:
        """Where the published file is, or would be."""
        ...

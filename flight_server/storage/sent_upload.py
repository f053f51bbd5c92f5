"""One file on its way into a store of objects: written to a spool, sent from it.

Where all of it is removed the spool goes last, and where it is published, not before the owner has
recorded that and left. After a crash it is what tells that something of the task may be left in
the store.
"""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import Event, Logger
from flight_server.storage.base import Digest, Target, Upload
from flight_server.storage.faults import Fault, Stopped
from flight_server.storage.spool import SpoolFile


class Delivery(Protocol):
    """The way of one spool into a store. What fails raises a `Fault`."""

    def grown(self, size: int) -> None:
        """Send what may go now that the file has `size` bytes; waits for nothing."""
        ...

    def sealed(self, size: int) -> None:
        """Send the rest of a file that has `size` bytes and will have no more."""
        ...

    def deliver(self, sealed: Digest) -> None:
        """Put the sealed file under its name, whole and verified."""
        ...

    def stop(self) -> None:
        """Send nothing more, and block until nothing is under way; from any thread."""
        ...

    def withdraw(self) -> None:
        """Stop, and leave nothing in the store; from any thread.

        What cannot be removed is on record then, for the next sweep.
        """
        ...


class Uploads(Protocol):
    """Who keeps the uploads that are open."""

    def closed(self, target: Target) -> None:
        """Forget the upload of `target`."""
        ...


class SentUpload(Upload):
    """A spool whose parts go up as they fill."""

    def __init__(
        self, uploads: Uploads, target: Target, spool: SpoolFile, delivery: Delivery, log: Logger
    ) -> None:
        super().__init__()
        self._uploads = uploads
        self._target = target
        self._spool = spool
        self._delivery = delivery
        self._log = log
        self._ending = threading.Lock()
        self._withdrawn = False

    @property
    def bytes_written(self) -> int:
        """Bytes in the spool."""
        return self._spool.size

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(exc_type, exc, traceback)
        if self._published and exc_type is None:
            self._spool.path.unlink(missing_ok=True)
        self._delivery.stop()  # what is sealed and kept is resumed by another upload
        self._uploads.closed(self._target)

    def withdraw(self) -> None:
        """Remove all of it, from any thread, whatever the owner is doing. Raises Fault.

        While the owner publishes, its request may still arrive in the store: then the owner
        removes the rest, and the spool.
        """
        with self._ending:
            self._withdrawn = True
        try:
            self._delivery.withdraw()
        finally:
            if not self._refused:
                self._spool.path.unlink(missing_ok=True)

    def _append(self, data: Data) -> None:
        self._spool.write(data)
        try:
            self._delivery.grown(self._spool.size)
        except Fault as fault:
            raise fault.service_error() from fault

    def _finish(self) -> Digest:
        digest = self._spool.seal()
        with suppress(Fault):  # met again by `publish`: the file is whole, and is kept
            self._delivery.sealed(digest.size)
        return digest

    def _expose(self, digest: Digest) -> None:
        if not self._spool.path.exists():
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the sealed file was removed or changed")
        try:
            self._delivery.deliver(digest)
        except Fault as fault:
            raise fault.service_error() from fault
        with self._ending:
            if self._withdrawn:
                raise Stopped().service_error()

    def _discard(self) -> None:
        self._withdraw()
        self._spool.discard()

    def _withdraw(self) -> None:
        try:
            self._delivery.withdraw()
        except (Fault, OSError) as fault:
            message = "what was sent cannot be removed now; it will be"
            self._log.error(Event.UploadError, message, error=fault)
        if self._withdrawn:
            self._spool.path.unlink(missing_ok=True)

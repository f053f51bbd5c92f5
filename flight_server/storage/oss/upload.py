"""One file on its way into OSS: written to a spool, sent from it."""

from contextlib import suppress
from types import TracebackType
from typing import Protocol

from exporters.base import Data
from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import Event, Logger
from flight_server.storage.base import Digest, Target, Upload
from flight_server.storage.oss.delivery import Delivery, send_whole
from flight_server.storage.oss.faults import Fault
from flight_server.storage.oss.record import RecordFile
from flight_server.storage.spool import SpoolFile


class Uploads(Protocol):
    """Who keeps the uploads that are open."""

    def closed(self, target: Target) -> None:
        """Forget the upload of `target`."""
        ...


class OssUpload(Upload):
    """A spool whose parts go up as they fill."""

    def __init__(
        self,
        uploads: Uploads,
        target: Target,
        spool: SpoolFile,
        delivery: Delivery,
        record: RecordFile,
        log: Logger,
    ) -> None:
        super().__init__()
        self._uploads = uploads
        self._target = target
        self._spool = spool
        self._delivery = delivery
        self._record = record
        self._log = log

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
        self._delivery.transfer.stop()  # what is sealed and kept is resumed by another upload
        self._uploads.closed(self._target)

    def withdraw(self) -> None:
        """Remove all of it, from any thread, whatever the owner is doing. Raises Fault."""
        self._spool.path.unlink(missing_ok=True)
        self._delivery.withdraw()

    def _append(self, data: Data) -> None:
        self._spool.write(data)
        try:
            self._delivery.transfer.grown(self._spool.size)
        except Fault as fault:
            raise fault.service_error() from fault

    def _finish(self) -> Digest:
        digest = self._spool.seal()
        with suppress(Fault):  # met again by `publish`: the file is whole, and is kept
            send_whole(self._delivery.transfer, digest.size)
        return digest

    def _expose(self, digest: Digest) -> None:
        if not self._spool.path.exists():
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the sealed file was removed or changed")
        try:
            self._delivery.deliver(digest)
        except Fault as fault:
            raise fault.service_error() from fault
        self._record.remove()
        self._spool.path.unlink(missing_ok=True)

    def _discard(self) -> None:
        self._spool.discard()
        self._withdraw()

    def _withdraw(self) -> None:
        try:
            self._delivery.withdraw()
        except (Fault, OSError) as fault:
            # The record says that it is condemned: the next sweep tries again.
            message = "what was sent cannot be removed now; it will be"
            self._log.error(Event.UploadError, message, error=fault)

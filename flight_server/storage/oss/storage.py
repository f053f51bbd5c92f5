"""The storage `oss`: spools on this disk, finished files in a bucket."""

import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from flight_server.errors import ErrorCode, ServiceError
from flight_server.filenames import content_disposition
from flight_server.logs import get_logger
from flight_server.storage import looks
from flight_server.storage.base import Target, Terms
from flight_server.storage.directories import make_private
from flight_server.storage.faults import Fault, explained
from flight_server.storage.looks import Looks
from flight_server.storage.names import KeyTemplate, tags_of
from flight_server.storage.oss import probe
from flight_server.storage.oss.body import crc_of
from flight_server.storage.oss.cleaning import OssCleaning
from flight_server.storage.oss.client import OssClient, Stored
from flight_server.storage.oss.credentials import RoleProvider
from flight_server.storage.oss.crew import Crew
from flight_server.storage.oss.delivery import Delivery, erase, is_there
from flight_server.storage.oss.record import RecordFile
from flight_server.storage.oss.resuming import resumed
from flight_server.storage.oss.settings import OssSettings
from flight_server.storage.oss.transfer import Parcel, Transfer, Uplink
from flight_server.storage.patience import Patience
from flight_server.storage.sent_upload import SentUpload
from flight_server.storage.spool import (
    SpoolFile,
    digest_of,
    has_size,
    require_free,
    spool_path,
)

LONGEST_LINK: Final = timedelta(days=7)

_log = get_logger("storage")


class OssStorage:
    """Objects in one bucket. `start` tries out everything; until then nothing is asked of OSS.

    Raises:
        ServiceError: STORAGE_ERROR, the directory of spools cannot be made or is another user's.

    """

    def __init__(
        self,
        settings: OssSettings,
        temp_directory: Path,
        *,
        temp_retention: timedelta,
        min_free_bytes: int,
        check_interval: float = looks.INTERVAL,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._directory = temp_directory.absolute()
        self._min_free_bytes = min_free_bytes
        make_private("storage.temp_directory", self._directory)
        self._keys = KeyTemplate(settings.prefix)
        self._client = _client(settings)
        self._crew = Crew(settings.threads)
        self._uplink = Uplink(
            self._client,
            patience or Patience(settings.max_retries, settings.upload_timeout),
            self._crew,
            settings.parallel_parts,
        )
        self._cleaning = OssCleaning(
            self._uplink,
            self._keys,
            self._directory,
            retention=settings.retention,
            temp_retention=temp_retention,
        )
        self._lock = threading.Lock()
        self._open: dict[str, SentUpload] = {}
        self._looks = Looks(self._look, check_interval, clock)

    def start(self) -> None:
        """Try out endpoint, bucket, credentials, clock and permissions.

        Raises:
            ServiceError: STORAGE_ERROR, with one sentence for the operator.

        """
        patience = self._uplink.patience
        deadline = patience.deadline()
        sample = Target("probe", "probe", "probe", "text/plain", "probe")
        probe.try_out(
            self._client,
            self._keys.prefix,
            dict(self._settings.headers),
            tags_of(self._settings.tags, sample, "0" * 64),
            lambda call: patience.persist(
                call, stopped=threading.Event(), deadline=lambda: deadline
            ),
            _log,
        )

    def open_upload(self, target: Target) -> SentUpload:
        """Begin a spool. Raises ServiceError STORAGE_FULL or STORAGE_ERROR."""
        if self._is_taken(target):
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the task has a finished file already")
        spool = SpoolFile(self._directory, target.task_id, self._min_free_bytes)
        parcel = self._parcel(target)
        transfer = Transfer(self._uplink, parcel, self._settings.part_size)
        delivery = Delivery(self._uplink, parcel, transfer)
        upload = SentUpload(self, target, spool, delivery, parcel.log)
        with self._lock:
            self._open[target.task_id] = upload
        return upload

    def closed(self, target: Target) -> None:
        """Forget an upload that its owner has left."""
        with self._lock:
            self._open.pop(target.task_id, None)

    def resume(self, target: Target, size: int) -> bool:
        """Send what of a sealed spool of `size` bytes is not there yet, and publish it.

        True too when it is published; then the spool, if any, is removed.
        """
        parcel = self._parcel(target)
        with explained():
            if not has_size(parcel.spool, size):
                return is_there(self._uplink, parcel.key, Stored(size, None))
            self._resume(parcel, size)
            parcel.record.remove()  # also of what was delivered before
            parcel.spool.unlink(missing_ok=True)
        return True

    def withdraw(self, target: Target) -> None:
        """Abort the multipart upload and delete the object. Raises ServiceError."""
        parcel = self._parcel(target)
        with explained():
            self._erase(parcel)

    def link(self, target: Target, expires_at: datetime) -> str:
        """A link to OSS, signed unless everyone may read the bucket."""
        seconds = int((expires_at - datetime.now(UTC)).total_seconds())
        params = {
            "response-content-disposition": content_disposition(target.filename),
            "response-content-type": target.content_type,
        }
        seconds = max(1, min(seconds, int(LONGEST_LINK.total_seconds())))
        try:
            link = self._client.sign(self._keys.key(target), seconds, params)
        except Fault as fault:
            raise ServiceError(ErrorCode.STORAGE_ERROR, fault.sentence) from fault
        return link.partition("?")[0] if self._settings.public else link

    def terms(self) -> Terms:
        """As `oss.signed_url_expiry` and `oss.retention` say."""
        return Terms(self._settings.link_lifetime, self._settings.retention)

    def links_hold_until(self) -> datetime | None:
        """When the key that signs them ends; None for a key that does not, as far as we know."""
        provider = self._client.provider
        return provider.expires_at if isinstance(provider, RoleProvider) else None

    def parts_sent(self) -> int:
        """How many parts OSS has taken."""
        return self._uplink.parts.total

    def delete(self, target: Target) -> None:
        """Remove multipart upload, object and spool. Raises ServiceError."""
        parcel = self._parcel(target)
        with self._lock:
            upload = self._open.get(target.task_id)
        with explained():
            if upload is not None:
                upload.withdraw()
                return
            self._erase(parcel)
            parcel.spool.unlink(missing_ok=True)  # last: it tells that something may be left

    def check(self) -> str:
        """Look at the disk, and at the bucket unless that was done lately."""
        require_free(self._directory, self._min_free_bytes)
        self._looks.require()
        return probe.WORKING

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove old spools, uploads of tasks that are no more, and objects past retention."""
        with self._lock:
            busy = set(self._open)
        return self._cleaning.sweep(now, busy.union(keep))

    def open_reader(self, target: Target) -> BinaryIO:
        """The finished file. Raises FileNotFoundError when there is none."""
        return self._client.open(self._keys.key(target))

    def close(self) -> None:
        """Let the threads end; a part that is under way is not waited for."""
        self._crew.close()
        self._client.close()

    def _parcel(self, target: Target) -> Parcel:
        return Parcel(
            key=self._keys.key(target),
            spool=spool_path(self._directory, target.task_id),
            headers={
                **self._settings.headers,
                "Content-Type": target.content_type,
                "Content-Disposition": content_disposition(target.filename),
            },
            tags=lambda sha256: tags_of(self._settings.tags, target, sha256),
            record=RecordFile(self._directory, target.task_id),
            log=_log.bind(task_id=target.task_id),
        )

    def _erase(self, parcel: Parcel) -> None:
        """Leave nothing of a task in the bucket."""
        record = parcel.record.read()
        if record is not None and record.key != parcel.key:
            erase(self._uplink, record.key, record.upload_id, object_too=True)
        upload_id = record.upload_id if record else None
        erase(self._uplink, parcel.key, upload_id, object_too=True)
        parcel.record.remove()

    def _resume(self, parcel: Parcel, size: int) -> None:
        record = parcel.record.read()
        if record is not None and record.key != parcel.key:  # the prefix was changed meanwhile
            erase(self._uplink, record.key, record.upload_id, object_too=True)
            record = None
        transfer = resumed(self._uplink, parcel, record, size) if record else None
        if transfer is None:
            if self._is_delivered(parcel, size):
                return
            transfer = Transfer(self._uplink, parcel, self._settings.part_size)
            # Of an upload whose record was not written yet nobody knows but OSS.
            transfer.doubtful = True
        delivery = Delivery(self._uplink, parcel, transfer)
        delivery.sealed(size)
        delivery.deliver(digest_of(parcel.spool))

    def _is_delivered(self, parcel: Parcel, size: int) -> bool:
        """Whether the object is there, and its spool was only not removed yet."""
        if not is_there(self._uplink, parcel.key, Stored(size, None)):
            return False
        return is_there(self._uplink, parcel.key, Stored(size, crc_of(parcel.spool, 0, size)))

    def _is_taken(self, target: Target) -> bool:
        """Whether there is an object already, as far as a quick look tells."""
        try:
            return self._client.head(self._keys.key(target), quick=True) is not None
        except Fault:
            return False  # if the store is in trouble, there is time until the file is sealed

    def _look(self) -> None:
        try:
            probe.look(self._client, self._keys.prefix)
        except Fault as fault:
            message = f"the store cannot be used: {fault}"
            raise ServiceError(ErrorCode.STORAGE_ERROR, message) from fault


def _client(settings: OssSettings) -> OssClient:
    try:
        return OssClient(settings)
    except Fault as fault:
        raise ServiceError(ErrorCode.STORAGE_ERROR, fault.sentence) from fault

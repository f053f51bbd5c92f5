"""The storages `s3`, `gcs` and `azure`: spools on this disk, finished files in a bucket."""

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
from flight_server.storage.base import Digest, Target, Terms
from flight_server.storage.directories import make_private
from flight_server.storage.faults import Fault, explained
from flight_server.storage.looks import Looks
from flight_server.storage.names import KeyTemplate
from flight_server.storage.object_store import probe
from flight_server.storage.object_store.bucket import Bucket
from flight_server.storage.object_store.cleaning import ObjectCleaning
from flight_server.storage.object_store.delivery import StoreDelivery, Uplink, is_delivered
from flight_server.storage.object_store.faults import NO_SUCH_KEY
from flight_server.storage.object_store.marks import Marks
from flight_server.storage.object_store.sending import Parcel, Places
from flight_server.storage.object_store.settings import Cloud, StoreSettings
from flight_server.storage.object_store.unfinished import Unfinished
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


class ObjectStorage:
    """Objects in one bucket. `start` tries out everything; until then nothing is asked of it.

    Raises:
        ServiceError: STORAGE_ERROR, the directory of spools cannot be made or is another user's,
            or the store cannot be opened as it is configured.

    """

    def __init__(
        self,
        cloud: Cloud,
        settings: StoreSettings,
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
        self._keys = KeyTemplate(settings.prefix, plain=cloud.plain_names)
        self._bucket = Bucket(cloud, settings.request_times)
        unfinished = (
            Unfinished(
                cloud,
                cloud.open_at,
                settings.request_times,
                patience or Patience(settings.max_retries, settings.upload_timeout),
            )
            if cloud.open_at is not None
            else None
        )
        marks = Marks(self._directory, cloud.section)
        places = Places(settings.parallel_parts)
        self._uplink = Uplink(self._bucket, settings, unfinished, marks, places, clock)
        self._cleaning = ObjectCleaning(
            self._uplink, self._keys, self._directory, temp_retention=temp_retention
        )
        self._looks = Looks(self._look, check_interval, clock)
        self._lock = threading.Lock()
        self._open: dict[str, SentUpload] = {}

    def start(self) -> None:
        """Try out endpoint, bucket, credentials and permissions.

        Raises:
            ServiceError: STORAGE_ERROR, with one sentence for the operator.

        """
        probe.try_out(self._bucket, self._keys.directory, _log)

    def open_upload(self, target: Target) -> SentUpload:
        """Begin a spool. Raises ServiceError STORAGE_FULL or STORAGE_ERROR."""
        if self._is_taken(target):
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the task has a finished file already")
        log = _log.bind(task_id=target.task_id)
        spool = SpoolFile(self._directory, target.task_id, self._min_free_bytes)
        delivery = StoreDelivery(self._uplink, self._parcel(target), target.task_id, log)
        upload = SentUpload(self, target, spool, delivery, log)
        with self._lock:
            self._open[target.task_id] = upload
        return upload

    def closed(self, target: Target) -> None:
        """Forget an upload that its owner has left."""
        with self._lock:
            self._open.pop(target.task_id, None)

    def resume(self, target: Target, size: int) -> bool:
        """Send a sealed spool of `size` bytes, and publish it.

        True too when it is published; then the spool, if any, is removed.
        """
        parcel = self._parcel(target)
        with explained():
            if not has_size(parcel.spool, size):
                stored = self._bucket.head(parcel.key)
                return stored is not None and stored.size == size
            self._uplink.erase_marked(target.task_id)
            sealed = digest_of(parcel.spool)
            if is_delivered(self._uplink, parcel, sealed):
                self._uplink.erase(parcel.key, object_too=False)
            else:
                self._resume(target, parcel, sealed)
            parcel.spool.unlink(missing_ok=True)
        return True

    def withdraw(self, target: Target) -> None:
        """Abort what is unfinished and delete the object. Raises ServiceError."""
        with explained():
            self._erase(target)

    def link(self, target: Target, expires_at: datetime) -> str:
        """A link to the store, signed unless everyone may read the objects."""
        key = self._keys.key(target)
        if self._settings.public:
            return self._bucket.url(key)
        lifetime = max(timedelta(seconds=1), min(expires_at - datetime.now(UTC), LONGEST_LINK))
        try:
            return self._bucket.sign(key, timedelta(seconds=int(lifetime.total_seconds())))
        except Fault as fault:
            message = f"the link cannot be signed: {fault.sentence}"
            raise ServiceError(ErrorCode.STORAGE_ERROR, message) from fault

    def terms(self) -> Terms:
        """As `signed_url_expiry` and `retention` of the section say."""
        return Terms(self._settings.link_lifetime, self._settings.retention)

    def parts_sent(self) -> int:
        """How many parts the store has taken."""
        return self._uplink.parts.total

    def delete(self, target: Target) -> None:
        """Remove unfinished upload, object and spool. Raises ServiceError."""
        with self._lock:
            upload = self._open.get(target.task_id)
        with explained():
            if upload is not None:
                upload.withdraw()
                return
            self._erase(target)
            # Last: it tells that something may be left.
            spool_path(self._directory, target.task_id).unlink(missing_ok=True)

    def check(self) -> str:
        """Look at the disk, and at the bucket unless that was done lately."""
        require_free(self._directory, self._min_free_bytes)
        self._looks.require()
        return f"{self._bucket.cloud.name} answers, and can be used"

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove old spools, uploads of tasks that are no more, and objects past retention."""
        with self._lock:
            busy = set(self._open)
        return self._cleaning.sweep(now, busy.union(keep))

    def open_reader(self, target: Target) -> BinaryIO:
        """The finished file. Raises FileNotFoundError when there is none."""
        try:
            return self._bucket.open_reader(self._keys.key(target))
        except Fault as fault:
            if fault.code in NO_SUCH_KEY:
                raise FileNotFoundError("the object is not there") from fault
            raise fault.service_error() from fault

    def close(self) -> None:
        """Nothing is held open: connections end with the process, or when they are idle."""

    def _parcel(self, target: Target) -> Parcel:
        return Parcel(
            key=self._keys.key(target),
            spool=spool_path(self._directory, target.task_id),
            attributes={
                "Content-Type": target.content_type,
                "Content-Disposition": content_disposition(target.filename),
            },
        )

    def _resume(self, target: Target, parcel: Parcel, sealed: Digest) -> None:
        log = _log.bind(task_id=target.task_id)
        delivery = StoreDelivery(self._uplink, parcel, target.task_id, log)
        try:
            delivery.deliver(sealed)
        finally:
            delivery.stop()
        self._uplink.erase(parcel.key, object_too=False)  # parts of the process before

    def _erase(self, target: Target) -> None:
        """Leave nothing of a task in the bucket."""
        key = self._keys.key(target)
        if self._uplink.marks.key(target.task_id) not in {None, key}:
            self._uplink.erase_marked(target.task_id)  # the prefix was changed meanwhile
        self._uplink.erase(key)
        self._uplink.marks.remove(target.task_id)

    def _is_taken(self, target: Target) -> bool:
        """Whether there is an object already, as far as a quick look tells."""
        try:
            return self._bucket.head(self._keys.key(target), quick=True) is not None
        except Fault:
            return False  # if the store is in trouble, there is time until the file is sealed

    def _look(self) -> None:
        try:
            probe.look(self._bucket, self._keys.directory, quick=True)
        except Fault as fault:
            raise probe.unusable(fault, self._bucket) from fault

"""A sealed file under its name, whole and verified; or nothing of it."""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from flight_server.logs import Event, Logger
from flight_server.storage.base import Digest
from flight_server.storage.faults import Fault, Stopped
from flight_server.storage.object_store.bucket import READ_SIZE, Bucket, Stored
from flight_server.storage.object_store.etags import etag_of
from flight_server.storage.object_store.faults import Mismatch
from flight_server.storage.object_store.marks import Marks
from flight_server.storage.object_store.sending import Forwarding, Parcel, Places, Sending
from flight_server.storage.object_store.settings import MAX_PARTS, StoreSettings, part_size_for
from flight_server.storage.object_store.unfinished import Unfinished
from flight_server.storage.part_count import PartCount

MAX_STARTS: Final = 3
"""How often a sealed file is sent; each request of it has been tried again before."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """What all uploads share."""

    bucket: Bucket
    settings: StoreSettings
    unfinished: Unfinished | None
    marks: Marks
    places: Places
    clock: Callable[[], float] = time.monotonic
    parts: PartCount = field(default_factory=PartCount)

    def erase(self, key: str, *, parts: bool = True, object_too: bool = True) -> None:
        """Leave nothing under a key: first what could become an object, then the object.

        Tries both. Raises the first Fault.
        """
        faults: list[Fault] = []
        if parts and self.unfinished is not None:
            _attempt(partial(self.unfinished.abort, key), faults)
        if object_too:
            _attempt(partial(self.bucket.delete, key), faults)
        if faults:
            raise faults[0]

    def erase_marked(self, task_id: str) -> None:
        """Erase what the mark of a task speaks of, if there is one. Raises Fault."""
        if (key := self.marks.key(task_id)) is not None:
            self.erase(key)
        self.marks.remove(task_id)


class StoreDelivery:
    """The way of one task's file to its name. One thread delivers; any may `withdraw`.

    Parts go up while rows arrive; what that meets costs nothing but its head start, for the sealed
    file is then sent as a whole.
    """

    def __init__(self, uplink: Uplink, parcel: Parcel, task_id: str, log: Logger) -> None:
        self._uplink = uplink
        self._parcel = parcel
        self._task_id = task_id
        self._log = log
        part_size = uplink.settings.part_size
        self._forwarding = Forwarding(
            lambda: self._begin(part_size), part_size, part_size * MAX_PARTS
        )
        self._stopped = threading.Event()
        self._busy = threading.Lock()
        self._exposed = False  # whether there may be an object
        self._parts = False  # whether there may be parts that were not aborted

    def grown(self, size: int) -> None:
        """Send the parts that are full now."""
        self._forwarding.grown(size)

    def sealed(self, size: int) -> None:
        """Nothing more: the last part goes with `deliver`."""

    def deliver(self, sealed: Digest) -> None:
        """Put the sealed file under its name. Raises the Fault because of which it is not there."""
        deadline = self._uplink.clock() + self._uplink.settings.upload_timeout
        with self._busy:
            for start in range(1, MAX_STARTS + 1):
                try:
                    self._deliver(sealed, deadline)
                    break
                except Fault as fault:
                    over = start == MAX_STARTS or self._uplink.clock() >= deadline
                    if over or not fault.transient or self._stopped.is_set():
                        raise
                    message = "the file is sent again from its beginning"
                    self._log.warning(Event.UploadError, message, reason=fault.sentence)
            if self._stopped.is_set():
                raise Stopped
            self._tidy()

    def stop(self) -> None:
        """Send nothing more, and block until no request is under way."""
        self._stopped.set()
        sending = self._forwarding.stop()
        with self._busy:
            self._forget(sending)

    def withdraw(self) -> None:
        """Stop, and leave nothing: no parts and no object.

        Raises the last Fault; the next sweep tries again, also after a crash.
        """
        self.stop()
        with self._busy:
            if not (self._exposed or self._parts):
                return
            self._uplink.marks.add(self._task_id, self._parcel.key)
            self._uplink.erase(self._parcel.key, object_too=self._exposed)
            self._uplink.marks.remove(self._task_id)
            self._exposed = self._parts = False

    def _begin(self, part_size: int, sha256: str | None = None) -> Sending:
        attributes = {} if sha256 is None else {"sha256": sha256}
        uplink = self._uplink
        return Sending(uplink.bucket, self._parcel, part_size, uplink.places, attributes)

    def _forget(self, sending: Sending | None) -> None:
        if sending is not None:
            sending.abort()
            self._parts |= sending.in_parts

    def _deliver(self, sealed: Digest, deadline: float) -> None:
        """Send what was not sent yet, make the object, and look at it."""
        sending = self._begun(sealed)
        try:
            sending.send(sealed.size, lambda: self._check(deadline))
            self._check(deadline)
            self._exposed = True
            self._close(sending, sealed)
            self._count(sending)
        finally:
            self._forget(sending)

    def _begun(self, sealed: Digest) -> Sending:
        """What has sent the first parts, if that went well and can go on; else another."""
        forwarding, part_size = self._forwarding, self._uplink.settings.part_size
        wanted = part_size_for(sealed.size, part_size)
        self._forwarding = Forwarding(lambda: self._begin(wanted), wanted, 0)
        try:
            sending = forwarding.join()
        except Fault as fault:
            self._log.warning(
                Event.UploadError, "parts could not be sent yet", reason=fault.sentence
            )
            self._forget(forwarding.stop())
            if not fault.transient:
                raise
            sending = None
        if sending is not None and sending.part_size == wanted:
            return sending
        self._forget(sending)
        return self._begin(part_size_for(sealed.size, part_size), sealed.sha256)

    def _close(self, sending: Sending, sealed: Digest) -> None:
        try:
            sending.close()
        except Fault as fault:
            if not fault.transient or not self._is_there(sending, sealed):
                raise
        else:
            if not self._is_there(sending, sealed):
                self._uplink.erase(self._parcel.key, parts=False)
                raise Mismatch(self._uplink.bucket.cloud)

    def _count(self, sending: Sending) -> None:
        """Tell of the parts that are there; when each one came, obstore does not say."""
        if parts := sending.parts:
            self._uplink.parts.add(parts)
            self._log.debug(Event.OSSPartUploaded, "all parts are there", parts=parts)

    def _is_there(self, sending: Sending, sealed: Digest) -> bool:
        stored = self._uplink.bucket.head(self._parcel.key)
        return stored is not None and is_right(
            self._uplink, self._parcel.key, stored, sealed, sending.etag.value()
        )

    def _check(self, deadline: float) -> None:
        if self._stopped.is_set():
            raise Stopped
        if self._uplink.clock() >= deadline:
            key = f"{self._uplink.bucket.cloud.section}.upload_timeout"
            raise Fault(f"it took longer than {key} allows")

    def _tidy(self) -> None:
        """Abort uploads under our key: a beginning whose answer got lost was made again."""
        if not self._parts:
            return
        try:
            self._uplink.erase(self._parcel.key, object_too=False)
        except Fault as fault:
            message = "parts that nobody needs may be left"
            self._log.warning(Event.UploadError, message, reason=fault.sentence)


def is_right(uplink: Uplink, key: str, stored: Stored, wanted: Digest, etag: str) -> bool:
    """Whether an object is the wanted file, as far as the store tells, or by reading it."""
    if stored.size != wanted.size:
        return False
    if stored.etag == etag or not uplink.settings.read_back:
        return True
    return _sha256_of(uplink.bucket, key) == wanted.sha256


def is_delivered(uplink: Uplink, parcel: Parcel, sealed: Digest) -> bool:
    """Whether the object of an earlier attempt is there and right."""
    stored = uplink.bucket.head(parcel.key)
    if stored is None or stored.size != sealed.size:
        return False
    part_size = part_size_for(sealed.size, uplink.settings.part_size)
    etag = etag_of(parcel.spool, part_size)
    return stored.etag == etag or _sha256_of(uplink.bucket, parcel.key) == sealed.sha256


def _sha256_of(bucket: Bucket, key: str) -> str:
    sha256 = hashlib.sha256()
    try:
        with bucket.open_reader(key) as reader:
            while chunk := reader.read(READ_SIZE):
                sha256.update(chunk)
    except OSError as error:
        raise Fault(
            f"{bucket.cloud.name} broke off while the file was read back", transient=True
        ) from error
    return sha256.hexdigest()


def _attempt(call: Callable[[], None], faults: list[Fault]) -> None:
    try:
        call()
    except Fault as fault:
        faults.append(fault)

"""A sealed file under its name, whole and verified; or nothing of it."""

import threading
from collections.abc import Callable
from typing import Final

from flight_server.logs import Event
from flight_server.storage.base import Digest
from flight_server.storage.faults import NO_SUCH_KEY, NO_SUCH_UPLOAD, Fault, Stopped
from flight_server.storage.oss.body import FileBody, crc_of
from flight_server.storage.oss.client import OssClient, Stored
from flight_server.storage.oss.faults import Mismatch
from flight_server.storage.oss.record import UploadRecord
from flight_server.storage.oss.transfer import Parcel, Transfer, Uplink, uploads_of

MAX_STARTS: Final = 3
"""How often a sealed file is sent as a whole, if OSS forgets or garbles it."""

_LOST: Final = frozenset({NO_SUCH_UPLOAD, "InvalidPart", "InvalidPartOrder"})


class Garbled(Fault):
    """The object that OSS made of the parts is not the file; asking again changes nothing."""

    def __init__(self) -> None:
        super().__init__("OSS made another file of the parts than was sent")


class Delivery:
    """The way of one task's file to its name. One thread delivers; any may `withdraw`."""

    def __init__(self, uplink: Uplink, parcel: Parcel, transfer: Transfer) -> None:
        self._uplink = uplink
        self._parcel = parcel
        self._log = parcel.log
        self._transfer = transfer
        self._swapping = threading.Lock()
        self._withdrawing = threading.Lock()
        self._withdrawn = False
        self._exposed = False  # whether there may be an object

    @property
    def transfer(self) -> Transfer:
        """The one under way; another one after OSS forgot the first."""
        return self._transfer

    def grown(self, size: int) -> None:
        """Send the parts that are full now. Raises the Fault that no other attempt can mend."""
        self._transfer.grown(size)

    def sealed(self, size: int) -> None:
        """Send the last part, unless one request does it all."""
        send_whole(self._transfer, size)

    def stop(self) -> None:
        """Send nothing more, and block until no request is under way."""
        self._transfer.stop()

    def deliver(self, sealed: Digest) -> None:
        """Put the sealed file under its name. Raises the Fault because of which it is not there.

        `sealed()` has been called.
        """
        starts = MAX_STARTS
        while True:
            try:
                self._deliver(sealed)
                break
            except Fault as fault:
                starts -= 1
                if not starts or not (isinstance(fault, Garbled) or fault.code in _LOST):
                    raise
                message = "the file is sent again from its beginning"
                self._log.warning(Event.UploadError, message, reason=fault.sentence)
                self._start_again(sealed.size)
        if self._withdrawn:
            raise Stopped
        self._label(sealed.sha256)
        if self._transfer.begun_twice:
            self._abort_others()
        self._parcel.record.remove()

    def withdraw(self) -> None:
        """Stop, and leave nothing: no multipart upload and no object.

        Raises the last Fault; what is left is then on record, as condemned.
        """
        with self._swapping:
            self._withdrawn = True
            transfer = self._transfer
        transfer.stop()
        with self._withdrawing:  # whoever ended the task, and the owner when it notices
            record = self._parcel.record
            if not (self._exposed or transfer.doubtful or record.read()):
                return
            record.write(
                UploadRecord(
                    self._parcel.key, transfer.upload_id, transfer.part_size, condemned=True
                )
            )
            exposed, self._exposed = self._exposed, False
            try:
                erase(self._uplink, self._parcel.key, transfer.upload_id, object_too=exposed)
            except Fault:
                self._exposed = exposed
                raise
            transfer.doubtful = False
            record.remove()

    def _deliver(self, sealed: Digest) -> None:
        if self._transfer.begun:
            self._complete(sealed.size)
        else:
            self._put(sealed)

    def _put(self, sealed: Digest) -> None:
        """Store a small file by one request."""
        crc = crc_of(self._parcel.spool, 0, sealed.size)
        headers = self._parcel.headers_with_tags(sealed.sha256)
        headers["x-oss-meta-sha256"] = sealed.sha256
        client, key = self._uplink.client, self._parcel.key
        wanted = Stored(sealed.size, crc)

        def put() -> None:
            self._exposed = True
            with FileBody(self._parcel.spool, 0, sealed.size) as body:
                there = client.put(key, body, headers)
            if there != crc and (there is not None or not self._is_there(wanted)):
                # It is stored by the time that this is known.
                self._uplink.patience.insist(lambda: client.delete(key))
                raise Mismatch

        deadline = self._uplink.patience.deadline()
        self._expose(put, wanted, lambda: deadline)

    def _complete(self, size: int) -> None:
        """Make an object of the parts, once all are there."""
        transfer = self._transfer
        transfer.wait()
        wanted = Stored(size, transfer.crc())

        def complete() -> None:
            self._exposed = True
            upload_id = transfer.upload_id or ""
            there = self._uplink.client.complete(self._parcel.key, upload_id, transfer.etags())
            if there != wanted.crc and (there is not None or not self._is_there(wanted)):
                raise Garbled

        self._expose(complete, wanted, transfer.deadline)

    def _expose(
        self, call: Callable[[], None], wanted: Stored, deadline: Callable[[], float]
    ) -> None:
        """Make the file visible; where the answer got lost, look whether it is."""
        try:
            try:
                self._uplink.patience.persist(
                    call, stopped=self._transfer.stopped, deadline=deadline
                )
            finally:
                self._exposed = True  # also if somebody has removed it while it was on its way
        except Fault as fault:
            may_be_there = fault.transient or fault.code == NO_SUCH_UPLOAD
            if not may_be_there or not self._is_there(wanted):
                raise

    def _is_there(self, wanted: Stored) -> bool:
        return is_there(self._uplink, self._parcel.key, wanted)

    def _start_again(self, size: int) -> None:
        """Forget what was sent, and send the whole file again."""
        before = self._transfer
        before.stop()
        self._erase(before)
        with self._swapping:
            if self._withdrawn:
                raise Stopped
            self._transfer = Transfer(self._uplink, self._parcel, before.part_size)
        send_whole(self._transfer, size)

    def _abort_others(self) -> None:
        """Abort the upload whose beginning was answered too late; the sweep finds later ones."""
        try:
            erase(self._uplink, self._parcel.key, None, object_too=False)
        except Fault as fault:
            message = "an upload that nobody needs may be left"
            self._log.warning(Event.UploadError, message, reason=fault.sentence)

    def _erase(self, transfer: Transfer) -> None:
        erase(self._uplink, self._parcel.key, transfer.upload_id, object_too=self._exposed)

    def _label(self, sha256: str) -> None:
        """Add the tags that were not known when the multipart upload was begun.

        A file that is there, with the right bytes, is not given up because a label is missing.
        """
        tags = self._parcel.tags(sha256)
        if not self._transfer.begun or tags == self._parcel.tags(None):
            return
        try:
            self._uplink.patience.persist(
                lambda: self._uplink.client.tag(self._parcel.key, tags),
                stopped=self._transfer.stopped,
                deadline=self._transfer.deadline,
            )
        except Fault as fault:
            message = "the object lacks the tags that need its SHA-256"
            self._log.warning(Event.UploadError, message, error=fault)


def send_whole(transfer: Transfer, size: int) -> None:
    """Send a file of `size` bytes, unless it is so small that one request does it."""
    if transfer.begun or size >= transfer.part_size:
        transfer.finish(size)


def is_there(uplink: Uplink, key: str, wanted: Stored) -> bool:
    """Whether the object is the wanted one, as far as OSS says. Raises Fault."""
    found = uplink.patience.insist(lambda: uplink.client.head(key))
    if found is None or found.size != wanted.size:
        return False
    return None in (found.crc, wanted.crc) or found.crc == wanted.crc


def erase(uplink: Uplink, key: str, upload_id: str | None, *, object_too: bool) -> None:
    """Abort every multipart upload of `key`, and remove the object.

    Tries all of it, in this order: an upload that is aborted can no longer be completed by a
    request that is late. Raises the first Fault.
    """
    client, insist = uplink.client, uplink.patience.insist
    faults: list[Fault] = []

    def attempt(call: Callable[[], None]) -> None:
        try:
            insist(call)
        except Fault as fault:
            if fault.code not in {NO_SUCH_KEY, NO_SUCH_UPLOAD}:
                faults.append(fault)

    if upload_id is not None:
        attempt(lambda: client.abort(key, upload_id))
    attempt(lambda: _abort_all(client, key))
    if object_too:
        attempt(lambda: client.delete(key))
    if faults:
        raise faults[0]


def _abort_all(client: OssClient, key: str) -> None:
    """Abort what is open under `key`: what nobody knows the id of, and what was still moving."""
    for each in uploads_of(client, key):
        try:
            client.abort(key, each.upload_id)
        except Fault as fault:
            if fault.code != NO_SUCH_UPLOAD:
                raise

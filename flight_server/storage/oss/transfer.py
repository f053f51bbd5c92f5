"""The parts of one file on their way up, while the file is still being written."""

import heapq
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from flight_server.errors import translate
from flight_server.logs import Event, Logger
from flight_server.storage.faults import NO_SUCH_UPLOAD, Fault, Stopped
from flight_server.storage.names import tag_header
from flight_server.storage.oss.body import FileBody
from flight_server.storage.oss.client import OpenUpload, OssClient
from flight_server.storage.oss.crc64 import combined
from flight_server.storage.oss.crew import Crew
from flight_server.storage.oss.faults import Mismatch
from flight_server.storage.oss.plan import Part, PartPlan
from flight_server.storage.oss.record import RecordFile, UploadRecord
from flight_server.storage.part_count import PartCount
from flight_server.storage.patience import Patience

Answer = TypeVar("Answer")

MAX_RESTARTS: Final = 3
"""How often a file is sent from its beginning because OSS has forgotten its upload."""

TRY_AGAIN: Final = 30.0
"""Seconds without a new attempt after a part has used up its own, while rows still arrive."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """What all uploads share."""

    client: OssClient
    patience: Patience
    crew: Crew
    parallel_parts: int
    parts: PartCount = field(default_factory=PartCount)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent: a file on this disk, the name it gets, and what is said of it."""

    key: str
    spool: Path
    headers: Mapping[str, str]
    tags: Callable[[str | None], Mapping[str, str]]
    """Given the SHA-256 of the file, or None while it is not known."""
    record: RecordFile
    log: Logger
    """Of the task."""

    def headers_with_tags(self, sha256: str | None) -> dict[str, str]:
        """`headers`, and the one that tags the object."""
        tags = self.tags(sha256)
        return {**self.headers, **({"x-oss-tagging": tag_header(tags)} if tags else {})}


@dataclass(frozen=True, slots=True)
class Sent:
    """A part that is there."""

    part: Part
    etag: str
    crc: int


class Transfer:
    """Sends parts in the crew's threads, `parallel_parts` at a time, each read from the spool.

    One thread writes the file and tells with `grown` and `finish`; the one that publishes it
    calls `wait`; any may call `stop`. The upload is begun by the first part: a file that never
    fills one costs no request. What fails while rows still arrive is no failure yet if trying
    again can help: the rest is sent at the end, or a while later.
    """

    def __init__(
        self,
        uplink: Uplink,
        parcel: Parcel,
        part_size: int,
        upload_id: str | None = None,
        sent: Iterable[Sent] = (),
    ) -> None:
        self.stopped = threading.Event()
        self.doubtful = False
        """Whether an upload may have begun whose id nobody has told us."""
        self.begun_twice = False
        """Whether one was begun again because the first was not to be seen: it may come late."""
        self._uplink = uplink
        self._parcel = parcel
        self._plan = PartPlan(part_size)
        self._changed = threading.Condition()
        self._beginning = threading.Lock()
        self._upload_id = upload_id
        self._restarts = 0
        self._sent = {each.part.number: each for each in sent}
        self._waiting: list[Part] = []  # a heap: the first of the file first
        self._active = 0
        self._fault: Fault | None = None
        self._resting_until = -math.inf
        self._deadline: float | None = None

    @property
    def part_size(self) -> int:
        """Of the first parts."""
        return self._plan.first_size

    @property
    def upload_id(self) -> str | None:
        """Of the upload as it is now; None before the first part and after OSS forgot it."""
        return self._upload_id

    @property
    def begun(self) -> bool:
        """Whether there are parts: if not, the file is smaller than one."""
        with self._changed:
            return bool(self._sent or self._waiting or self._active or self._upload_id)

    def grown(self, size: int) -> None:
        """Send what is full now that the file has `size` bytes; waits for nothing.

        Raises the Fault that no other attempt can mend.
        """
        parts = [part for part in self._plan.full(size) if part.number not in self._sent]
        if parts or self._fault:
            self._add(parts)

    def finish(self, size: int) -> None:
        """Send the rest of a file that has `size` bytes and will have no more."""
        self._add(part for part in self._plan.rest(size) if part.number not in self._sent)

    def wait(self) -> None:
        """Block until every part is there. Raises the Fault because of which one is not."""
        with self._changed:
            self._deadline = self._uplink.patience.deadline()
            if self._fault is not None and self._fault.transient:
                self._fault = None
            self._dispatch()
            while self._fault is None and (self._active or self._waiting):
                if self.stopped.is_set():
                    raise Stopped
                self._changed.wait()
            if self._fault is not None:
                raise self._fault

    def crc(self) -> int:
        """The checksum of the whole, from those of its parts."""
        return combined((each.crc, each.part.size) for each in self._in_order())

    def etags(self) -> dict[int, str]:
        """Of every part."""
        return {each.part.number: each.etag for each in self._in_order()}

    def deadline(self) -> float:
        """When all of it has to be done; far away while rows still arrive."""
        return math.inf if self._deadline is None else self._deadline

    def stop(self) -> None:
        """Send nothing more, and block until no request is under way."""
        self.stopped.set()
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
            while self._active:
                self._changed.wait()

    def _in_order(self) -> list[Sent]:
        with self._changed:
            return [self._sent[number] for number in sorted(self._sent)]

    def _add(self, parts: Iterable[Part]) -> None:
        with self._changed:
            for part in parts:
                heapq.heappush(self._waiting, part)
            if self._fault is not None:
                if not self._fault.transient:
                    raise self._fault
                if self._uplink.patience.clock() >= self._resting_until:
                    self._fault = None
            self._dispatch()

    def _dispatch(self) -> None:
        """Give parts to the crew as far as they may be under way; the lock is held."""
        while (
            self._waiting
            and self._active < self._uplink.parallel_parts
            and self._fault is None
            and not self.stopped.is_set()
        ):
            self._active += 1
            self._uplink.crew.submit(partial(self._run, heapq.heappop(self._waiting)))

    def _run(self, part: Part) -> None:
        """Send one part in a thread of the crew."""
        early = self._deadline is None
        upload_id = None
        result: Sent | Fault
        try:
            upload_id = self._begin()
            result = self._persist(partial(self._send, part, upload_id))
        except Fault as fault:
            result = fault
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the part
            result = Fault(translate(error).message)
        with self._changed:
            self._active -= 1
            self._settle(part, upload_id, result, early=early and self._deadline is not None)
            self._dispatch()
            self._changed.notify_all()

    def _settle(
        self, part: Part, upload_id: str | None, result: Sent | Fault, *, early: bool
    ) -> None:
        """Take note of what became of a part; the lock is held.

        A part that was begun `early`, while rows arrived, and has used up its attempts now that
        all is waited for, gets those that every part has then.
        """
        if isinstance(result, Sent) and upload_id == self._upload_id:
            self._sent[part.number] = result
            self._uplink.parts.add(1)
            self._parcel.log.debug(
                Event.OSSPartUploaded, "a part is there", part=part.number, size=part.size
            )
            return
        heapq.heappush(self._waiting, part)
        if isinstance(result, Sent) or (upload_id is not None and upload_id != self._upload_id):
            return  # it went to an upload that is forgotten
        if result.code == NO_SUCH_UPLOAD and self._restart():
            return
        if early and result.transient:
            return
        self._fault = self._fault or result
        self._resting_until = self._uplink.patience.clock() + TRY_AGAIN

    def _restart(self) -> bool:
        """Begin again with another upload; False when that was done often enough."""
        self._restarts += 1
        self._upload_id = None
        for each in self._sent.values():
            heapq.heappush(self._waiting, each.part)
        self._sent.clear()
        return self._restarts <= MAX_RESTARTS

    def _begin(self) -> str:
        """The id of the upload, which is begun if it is not yet."""
        with self._beginning:
            if self._upload_id is None:
                upload_id = self._persist(self._begin_once)
                record = UploadRecord(self._parcel.key, upload_id, self.part_size)
                self._parcel.record.write(record)
                self._upload_id = upload_id
            return self._upload_id

    def _begin_once(self) -> str:
        """Begin an upload, or take the one that was begun when the answer got lost."""
        client, key = self._uplink.client, self._parcel.key
        if self.doubtful:
            if found := uploads_of(client, key):
                return found[-1].upload_id
            self.begun_twice = True
        self.doubtful = True
        return client.begin(key, self._parcel.headers_with_tags(None))

    def _send(self, part: Part, upload_id: str) -> Sent:
        with FileBody(self._parcel.spool, part.offset, part.size) as body:
            etag, there = self._uplink.client.send(self._parcel.key, upload_id, part.number, body)
            if there is not None and there != body.crc:
                raise Mismatch
            return Sent(part, etag, body.crc)

    def _persist(self, call: Callable[[], Answer]) -> Answer:
        """Try again, within the time of the whole upload, or of this part while rows arrive."""
        patience = self._uplink.patience
        own = patience.deadline()

        def deadline() -> float:
            return own if self._deadline is None else self._deadline

        return patience.persist(call, stopped=self.stopped, deadline=deadline)


def uploads_of(client: OssClient, key: str) -> list[OpenUpload]:
    """The multipart uploads of exactly `key`, the oldest first."""
    found = (each for each in client.open_uploads(key) if each.key == key)
    return sorted(found, key=lambda each: each.initiated_at)

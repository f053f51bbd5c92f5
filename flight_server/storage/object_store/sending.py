"""One attempt: the bytes of one spool through one writer of obstore.

What was measured of obstore 0.12.1, with SeaweedFS behind it, and shaped this:

- A writer that is left by an exception aborts its multipart upload; one that is dropped, or whose
  `close` meets a part that failed, leaves it. So every way out goes through `abort`, and after a
  `close` that failed the store is asked what is there (`unfinished`).
- After a call that failed, `write` panics: there is none.
- `close` makes the object, and nothing before it does.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from flight_server.storage.faults import Fault, Stopped
from flight_server.storage.object_store.bucket import Bucket
from flight_server.storage.object_store.etags import Etag
from flight_server.storage.object_store.faults import translated

_PIECE: Final = 1024 * 1024
"""Bytes from the spool to the writer at once; between two of them an upload can be ended."""

UPLOADS: Final = 4
"""So many uploads get all the parts that they may have; more of them make do with the rest."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent: a file on this disk, the name it gets, and what is said of it."""

    key: str
    spool: Path
    attributes: Mapping[str, str]


class Places:
    """How many parts may stand in memory over all uploads; each upload has one in any case."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._free = each * UPLOADS
        self._lock = threading.Lock()

    def take(self) -> int:
        """How many one more upload may have under way at once."""
        with self._lock:
            taken = max(1, min(self._each, self._free))
            self._free -= taken
            return taken

    def give(self, taken: int) -> None:
        """Give back what `take` gave."""
        with self._lock:
            self._free += taken


class Sending:
    """Sends in the thread of its caller, parts in those of obstore. One thread at a time."""

    def __init__(
        self,
        bucket: Bucket,
        parcel: Parcel,
        part_size: int,
        places: Places,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        taken = places.take()
        self.part_size = part_size
        self.etag = Etag(part_size)
        self._bucket = bucket
        self._parcel = parcel
        self._writer = bucket.open_writer(
            parcel.key, {**parcel.attributes, **(attributes or {})}, part_size, taken
        )
        self._places = places
        self._taken = taken
        self._sent = 0
        self._broken: Fault | None = None
        self._ended = False

    @property
    def in_parts(self) -> bool:
        """Whether a multipart upload has been begun, or may have been."""
        return self._sent >= self.part_size or self._broken is not None

    @property
    def parts(self) -> int:
        """How many parts were sent; 0 for a file that one request stores."""
        return -(-self._sent // self.part_size) if self.in_parts else 0

    def send(self, size: int, check: Callable[[], None]) -> None:
        """Hand over the file up to `size`; waits while as many parts are under way as may be.

        `check` is called between pieces, and ends it by an exception. Raises Fault.
        """
        if self._broken is not None:
            raise self._broken
        try:
            with FileIO(self._parcel.spool, "rb") as file:
                file.seek(self._sent)
                while self._sent < size:
                    check()
                    self._write(file.read(min(_PIECE, size - self._sent)))
        except OSError as error:
            raise Fault("the spool cannot be read") from error

    def close(self) -> None:
        """Make the object of what was sent. Raises the Fault because of which it may be there."""
        self._end()
        with translated(self._bucket.cloud):
            self._writer.close()

    def abort(self) -> None:
        """Forget what was sent, as far as the store can be reached; after `close`, do nothing."""
        if not self._ended:
            self._end()
            with suppress(Fault), translated(self._bucket.cloud):
                self._writer.__exit__(Stopped, None, None)

    def _end(self) -> None:
        self._ended = True
        self._places.give(self._taken)

    def _write(self, piece: bytes) -> None:
        if not piece:
            raise Fault("the spool ends before the file does")
        try:
            with translated(self._bucket.cloud):
                self._writer.write(piece)
        except Fault as fault:
            self._broken = fault
            raise
        self._sent += len(piece)
        self.etag.add(piece)


class Forwarding:
    """Sends the parts of a file while it is written, in a thread of its own. Thread safe.

    Begins with the first full part, and hands over full ones only: a stream that pauses holds no
    part in memory. What fails is told by `join`, not to who writes the file.
    """

    def __init__(self, begin: Callable[[], Sending], part_size: int, most: int) -> None:
        self._begin = begin
        self._part_size = part_size
        self._most = most
        self._changed = threading.Condition()
        self._size = 0
        self._over = False
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._sending: Sending | None = None
        self._fault: Fault | None = None

    def grown(self, size: int) -> None:
        """The file has `size` bytes now; waits for nothing."""
        full = min(size - size % self._part_size, self._most)
        if full <= self._size:
            return
        with self._changed:
            self._size = full
            self._changed.notify()
        if self._thread is None and not self._over:
            self._thread = threading.Thread(target=self._run, name="forwarding", daemon=True)
            self._thread.start()

    def join(self) -> Sending | None:
        """Wait for the parts that are full; what has sent them. Raises its Fault.

        None where no part was filled.
        """
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._sending

    def stop(self) -> Sending | None:
        """Send nothing more, and wait until nothing is handed over; what has sent before."""
        with self._changed:
            self._over = self._stopped = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        return self._sending

    def _run(self) -> None:
        try:
            self._sending = self._begin()
            sent = 0
            while (size := self._next(sent)) > sent:
                self._sending.send(size, self._check)
                sent = size
        except Fault as fault:
            self._fault = fault

    def _next(self, sent: int) -> int:
        """How many bytes are full, once that are more than `sent` or there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._size > sent or self._over)
            return self._size

    def _check(self) -> None:
        if self._stopped:
            raise Stopped

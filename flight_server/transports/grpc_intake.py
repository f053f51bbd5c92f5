"""The messages of one call, taken within a time: gRPC's own iterator waits without any.

A thread of its own reads, so that a client that stops holds neither its handler nor what the
handler has: an export that is ended from outside is answered at once, and what a refused client
still sends is drained within bounds. As much is read ahead as `read_ahead` allows, and nothing
before it is called but what is being waited for; the rest stays with the client, whom the flow
control of HTTP/2 holds back.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.tasks.turnover import UNMEASURED

INTERRUPTED: Final = "the export was ended while its client was awaited"


class Intake:
    """The messages of `source`, which raises `ServiceError` when the call breaks.

    `take`, `read_ahead` and `drain` belong to one thread, the rest may be called from any.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._messages: deque[bytes] = deque()
        self._size = 0  # bytes of them; while draining, of those that were thrown away
        self._ahead = 0
        self._awaited = False
        self._draining = False
        self._interrupted = False
        self._over = False  # nothing is waited for any more: the call has ended
        self._ended = False
        self._error: ServiceError | None = None
        self._on_break: Callable[[ServiceError], None] | None = None

    def start(self) -> None:
        """Begin to read; once. Raises QUEUE_FULL where the system gives no thread for it."""
        try:
            threading.Thread(target=self._read, name="grpc-intake", daemon=True).start()
        except RuntimeError as error:
            self._end(_crowded())
            raise _crowded() from error

    def take(self, timeout: float | None = None) -> bytes | None:
        """The next message, or None when the client has half-closed.

        Raises what the call broke with, CANCELLED after `interrupt`, and STREAM_STALLED when no
        message came for `timeout` seconds.
        """
        with self._changed:
            if not self._await(timeout):
                message = f"no message arrived for {timeout:g} s; send the export again"
                raise ServiceError(ErrorCode.STREAM_STALLED, message)
            if self._interrupted:
                raise ServiceError(ErrorCode.CANCELLED, INTERRUPTED)
            if not self._messages:
                if self._error is not None:
                    raise self._error
                return None
            return self._pop()

    def take_more(self, most: int, seconds: float) -> list[bytes]:
        """The messages that are here within `seconds`, of at most `most` bytes together."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._size >= most or self._ended or self._interrupted, seconds
            )
            taken: list[bytes] = []
            while self._messages and not self._interrupted and len(self._messages[0]) <= most:
                taken.append(self._pop())
                most -= len(taken[-1])
            return taken

    def read_ahead(self, size: int) -> None:
        """Hold up to `size` bytes, and one message more, before they are taken."""
        with self._changed:
            if size != self._ahead:
                self._ahead = size
                self._changed.notify_all()

    def drain(self, seconds: float, size: int) -> None:
        """Throw away what comes until the call ends, or `seconds` or `size` are exceeded."""
        with self._changed:
            self._messages.clear()
            self._size, self._ahead, self._draining = 0, size, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or self._size >= self._ahead, seconds)

    def interrupt(self) -> None:
        """Let whoever waits for a message wait no more."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def on_break(self, callback: Callable[[ServiceError], None]) -> None:
        """Have `callback` told, in the reading thread, if the call breaks; here, if it has.

        It must not raise.
        """
        with self._changed:
            self._on_break = callback
            error = self._error
        if error is not None:
            callback(error)

    def over(self) -> None:
        """Say that the call has ended, however: what `source` knows of it is looked up now."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _await(self, timeout: float | None) -> bool:
        """Wait until there is something to say; False after `timeout` seconds."""
        self._awaited = True
        self._changed.notify_all()
        try:
            return self._changed.wait_for(
                lambda: bool(self._messages) or self._ended or self._interrupted, timeout
            )
        finally:
            self._awaited = False

    def _pop(self) -> bytes:
        message = self._messages.popleft()
        self._size -= len(message)
        self._changed.notify_all()
        return message

    def _read(self) -> None:
        error: ServiceError | None = None
        try:
            self._wait_until_wanted()
            for message in self._source:
                self._keep(message)
                self._wait_until_wanted()
        except Exception as broken:  # noqa: BLE001  # whoever waits must hear of whatever it is
            error = translate(broken)
        self._end(error)

    def _end(self, error: ServiceError | None) -> None:
        with self._changed:
            self._ended, self._error = True, error
            callback = self._on_break
            self._changed.notify_all()
        if error is not None and callback is not None:
            callback(error)

    def _wait_until_wanted(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._awaited or self._size < self._ahead)

    def _keep(self, message: bytes) -> None:
        with self._changed:
            self._size += len(message)
            if not self._draining:
                self._messages.append(message)
                self._awaited = False
            self._changed.notify_all()


def _crowded() -> ServiceError:
    """A new one each time: an error carries the task and the frames that it came through."""
    message = f"the server has as many threads as it may; retry in {UNMEASURED:g} s"
    return ServiceError(ErrorCode.QUEUE_FULL, message, retry_after=UNMEASURED)

"""Faults on demand: what goes wrong, at which request, and how often."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Condition

from tests.support.oss.messages import Asked


class Stopped(Exception):
    """The server stops while a request waits."""


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # an error is answered: `status`, `code`, with a document or without
    RESET = "reset"  # the connection is reset (RST), nothing is answered
    HANG = "hang"  # nothing happens until `faults.release()`, or for `seconds`; then it goes on
    SLOW = "slow"  # it takes `seconds` more
    TRUNCATED = "truncated"  # the connection is closed in the middle of the answer
    WRONG_CRC = "wrong_crc"  # the answer's x-oss-hash-crc64ecma is wrong, the bytes are right
    NO_CRC = "no_crc"  # the answer has no x-oss-hash-crc64ecma
    BIT_FLIP = "bit_flip"  # one bit of what is stored is wrong, checksums are of what is stored
    ACCESS_DENIED = "access_denied"
    EXPIRED_TOKEN = "expired_token"
    CLOCK_SKEW = "clock_skew"  # RequestTimeTooSkewed
    NO_SUCH_UPLOAD = "no_such_upload"  # the upload is forgotten, as after a lifecycle rule


class When(StrEnum):
    """When a STATUS, RESET, HANG or SLOW comes; the other kinds have their own time."""

    BEFORE_BODY = "before_body"  # nothing but the headers is read
    BEFORE_STORING = "before_storing"  # the body is read, nothing has been done
    AFTER_STORING = "after_storing"  # everything has been done, the answer is due


@dataclass(frozen=True)
class Fault:
    """One fault: of requests that match, the `nth` and the `times - 1` after it have it.

    `operation`, `key` and `part` match any where they are None; `times=None` is for ever. Requests
    are counted from when the fault is added.
    """

    kind: FaultKind
    operation: str | None = None
    key: str | None = None
    part: int | None = None
    nth: int = 1
    times: int | None = 1
    when: When = When.BEFORE_STORING
    status: int = 503
    code: str = ""
    xml: bool = True
    seconds: float | None = None

    def matches(self, asked: Asked) -> bool:
        """Whether it is about such a request."""
        return (
            self.operation in {None, asked.operation}
            and self.key in {None, asked.key}
            and self.part in {None, asked.part}
        )

    @property
    def error_code(self) -> str:
        """The code of its error."""
        return self.code or ("ServiceUnavailable" if self.status == 503 else "InternalError")


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0

    def fires(self, asked: Asked) -> bool:
        if self.done or not self.fault.matches(asked):
            return False
        self.seen += 1
        return self.seen >= self.fault.nth

    @property
    def done(self) -> bool:
        times = self.fault.times
        return times is not None and self.seen >= self.fault.nth + times - 1


class Faults:
    """The faults to come, those that came, and who hangs in one."""

    def __init__(self) -> None:
        self.fired: list[Fault] = []
        self.hanging = 0
        self._armed: list[_Armed] = []
        self._released = 0
        self._closed = False
        self._changed = Condition()

    def add(self, *faults: Fault) -> None:
        """Arm them, in addition to those that are."""
        with self._changed:
            self._armed += [_Armed(fault) for fault in faults]

    @property
    def pending(self) -> list[Fault]:
        """Those that will still come."""
        with self._changed:
            return [armed.fault for armed in self._armed if not armed.done]

    def clear(self) -> None:
        """Forget all that are to come."""
        with self._changed:
            self._armed.clear()

    def take(self, asked: Asked) -> list[Fault]:
        """The faults of this request, in the order in which they were added."""
        with self._changed:
            taken = [armed.fault for armed in self._armed if armed.fires(asked)]
            self.fired += taken
            return taken

    def release(self) -> None:
        """Let everything that hangs go on."""
        with self._changed:
            self._released += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing hangs from now on, nor waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def reopen(self) -> None:
        """The opposite of `close`."""
        with self._changed:
            self._closed = False

    def hang(self, seconds: float | None) -> None:
        """Wait for `release`, at most so long. Raises Stopped."""
        with self._changed, self._counted():
            before = self._released
            self._changed.wait_for(lambda: self._closed or self._released > before, seconds)
            self._check()

    def wait(self, seconds: float) -> None:
        """So much time passes. Raises Stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)
            self._check()

    def _check(self) -> None:
        if self._closed:
            raise Stopped

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.hanging += 1
        try:
            yield
        finally:
            self.hanging -= 1

"""Trying again, with waits that grow and differ. The home of `tenacity`.

tenacity rather than stamina, which is built on it: here the waits, the clock and the decision when
to stop are given from outside, so that a test runs a thousand failures without waiting for one.
oss2 itself never retries a put or a part, and urllib3, told to, would send a body that was read
already: empty.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from flight_server.storage.faults import NO_SUCH_KEY, NO_SUCH_UPLOAD, Fault, Stopped

FIRST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 10.0
"""Seconds. Each wait is a random share of a bound that doubles from the first to the longest."""

Answer = TypeVar("Answer")


def _wait(seconds: float, stopped: threading.Event) -> None:
    stopped.wait(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is made again, and how long an upload may take, in seconds."""

    max_retries: int
    timeout: float
    wait: Callable[[float, threading.Event], None] = _wait
    clock: Callable[[], float] = time.monotonic

    def deadline(self) -> float:
        """When what begins now has to be done, by `clock`."""
        return self.clock() + self.timeout

    def persist(
        self,
        call: Callable[[], Answer],
        *,
        stopped: threading.Event,
        deadline: Callable[[], float],
    ) -> Answer:
        """Make `call`, again while its faults are transient. Raises the last one, or Stopped."""
        return self._retry(call, stopped, deadline, _is_transient)

    def insist(self, call: Callable[[], Answer]) -> Answer:
        """Make `call` to clean up: whatever it is refused with, it is made again."""
        deadline = self.deadline()
        return self._retry(call, threading.Event(), lambda: deadline, _is_worth_insisting)

    def _retry(
        self,
        call: Callable[[], Answer],
        stopped: threading.Event,
        deadline: Callable[[], float],
        again: Callable[[BaseException], bool],
    ) -> Answer:
        def guarded() -> Answer:
            if stopped.is_set():
                raise Stopped
            return call()

        def is_over(state: RetryCallState) -> bool:
            return (
                state.attempt_number > self.max_retries
                or stopped.is_set()
                or self.clock() >= deadline()
            )

        retrying = Retrying(
            retry=retry_if_exception(again),
            wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
            stop=is_over,
            sleep=lambda seconds: self.wait(seconds, stopped),
            reraise=True,
        )
        return retrying(guarded)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, Fault) and error.transient


def _is_worth_insisting(error: BaseException) -> bool:
    return isinstance(error, Fault) and error.code not in {NO_SUCH_KEY, NO_SUCH_UPLOAD}

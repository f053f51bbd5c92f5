"""A look at a store over the network, whose result is believed for a while."""

import threading
import time
from collections.abc import Callable
from typing import Final

from flight_server.errors import ServiceError

INTERVAL: Final = 30.0
"""Seconds that a look is believed."""


class Looks:
    """Looks when it is asked and the last look is old. Thread safe; one looks, others wait."""

    def __init__(
        self,
        look: Callable[[], None],
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[float, ServiceError | None] | None = None

    def require(self) -> None:
        """Raise the ServiceError of the last look, if it had one."""
        with self._lock:
            if self._last is None or self._clock() >= self._last[0] + self._interval:
                self._last = (self._clock(), self._failure())
            failure = self._last[1]
        if failure is not None:
            raise failure

    def _failure(self) -> ServiceError | None:
        try:
            self._look()
        except ServiceError as error:
            return error
        return None

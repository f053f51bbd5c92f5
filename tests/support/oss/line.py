"""A line of so many bytes a second, which all connections share."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

CREDIT: Final = 0.02
"""Seconds of the line's time that are not lost when nobody used them.

A wait ends later than it was asked to. What is late is caught up with the next bytes: without it,
100 MB in chunks of 16 KiB took 2 seconds over a line of 100 MB a second.
"""


class Line:
    """Says how long bytes have to wait. Thread safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._free_at = -CREDIT

    def delay(self, size: int, rate: float) -> float:
        """Seconds until `size` more bytes have passed at `rate` bytes a second; never below 0."""
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now - CREDIT) + size / rate
            return max(self._free_at - now, 0.0)

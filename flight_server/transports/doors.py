"""The open doors of a server, which close side by side."""

from collections.abc import Callable
from functools import partial
from typing import Final

from flight_server.logs import Event, get_logger
from flight_server.together import together

MARGIN: Final = 1.0
"""Seconds that a door may take beyond those that it gives its open calls."""

_log = get_logger("server")


class Doors:
    """Whatever their clients do, all are given up `timeout` seconds and a margin after `close`.

    A stopped client holds its call, and Flight waits for open calls without a deadline.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._closings: list[Callable[[float], object]] = []

    def add(self, close: Callable[[float], object]) -> None:
        """Have a door closed by `close`, which is told the seconds that open calls get."""
        self._closings.append(close)

    def close(self) -> None:
        """Take nothing more, wait for open calls, then leave them."""
        works = [partial(close, self._timeout) for close in self._closings]
        if not together(works, self._timeout + MARGIN):
            _log.warning(Event.StreamError, "clients still hold calls; they are left")

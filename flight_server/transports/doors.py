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
    """Closed as one, within the longest time that any of them has, whatever their clients do."""

    def __init__(self) -> None:
        self._closings: list[tuple[Callable[[float], object], float]] = []

    def add(self, close: Callable[[float], object], seconds: float) -> None:
        """Have a door closed by `close`, which is told the `seconds` that its open calls get."""
        self._closings.append((close, seconds))

    def close(self) -> None:
        """Take nothing more, wait for open calls, then leave them."""
        longest = max((seconds for _, seconds in self._closings), default=0.0)
        works = [partial(close, seconds) for close, seconds in self._closings]
        if not together(works, longest + MARGIN):
            _log.warning(Event.StreamError, "a door did not close in time, and is left")

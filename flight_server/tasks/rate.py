"""How fast rows are being taken: over the last seconds, not since the start."""

from collections import deque
from typing import Final

WINDOW: Final = 10.0
"""Seconds that a rate is measured over, once there are so many."""

LEAST: Final = 1.0
"""Seconds below which there is no rate yet; and the distance of the marks that are kept."""


class RecentRate:
    """Rows a second, from the rows so far at some moments. Not thread safe.

    Keeps a mark a second at most, so that telling it of a batch costs a comparison.
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        self._rows = 0

    def reach(self, now: float, rows: int) -> None:
        """Note that `rows` were taken in all by `now`, in seconds of any clock that only grows.

        The first call, with the rows before any was taken, begins the measurement.
        """
        self._rows = rows
        if not self._marks or now - self._marks[-1][0] >= LEAST:
            self._marks.append((now, rows))
            self._forget(now)

    def at(self, now: float) -> float | None:
        """Rows a second over the WINDOW before `now`, or over less while there is less.

        None before LEAST seconds; 0 where nothing has come for the whole window.
        """
        self._forget(now)
        if not self._marks:
            return None
        since, rows = self._marks[0]
        seconds = now - since
        return (self._rows - rows) / seconds if seconds >= LEAST else None

    def _forget(self, now: float) -> None:
        """Let the first mark be the last one that is as old as the window."""
        while len(self._marks) > 1 and now - self._marks[1][0] >= WINDOW:
            self._marks.popleft()

"""Names from outside as labels, of which there may be only so many."""

import threading
from typing import Final

OTHER: Final = "other"
"""The label of a value that is not among the known ones."""


class FirstNames:
    """The first `most` different names keep theirs, later ones share `OTHER`. Thread safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def label(self, name: str) -> str:
        """The label that stands for `name`, the same each time."""
        if name in self._known:
            return name
        with self._lock:
            if len(self._known) < self._most:
                self._known.add(name)
            return name if name in self._known else OTHER

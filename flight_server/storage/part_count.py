"""How many parts of files a store has taken."""

import threading
from typing import Protocol, runtime_checkable


@runtime_checkable
class InParts(Protocol):
    """A storage that sends files in parts."""

    def parts_sent(self) -> int:
        """How many parts the store has taken since the start."""
        ...


class PartCount:
    """Counts over all uploads, from the start of the process. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = 0

    @property
    def total(self) -> int:
        """So far; parts that had to be sent again among them."""
        return self._total

    def add(self, parts: int) -> None:
        """So many more are there."""
        with self._lock:
            self._total += parts

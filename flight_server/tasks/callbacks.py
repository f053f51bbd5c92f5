"""What is to be done when a task is ended from outside its owner's thread."""

import threading
from collections.abc import Callable
from contextlib import ExitStack


class EndCallbacks:
    """Callbacks that run once, the last one first. Thread safe; no lock is held while they run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._run = False

    def add(self, callback: Callable[[], None]) -> None:
        """Have `callback` run by `run`; now, in this thread, if that was called before."""
        with self._lock:
            if not self._run:
                self._stack.callback(callback)
                return
        callback()

    def run(self) -> None:
        """Run them all, even if one raises; its error is raised then."""
        with self._lock:
            self._run = True
            stack = self._stack.pop_all()
        stack.close()

    def forget(self) -> None:
        """Run none of those that were added so far."""
        with self._lock:
            self._stack = ExitStack()

"""Threads that send: few, shared by all uploads, and never in the way of the server's end."""

import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

Job: TypeAlias = Callable[[], None]
"""Raises nothing."""


class Crew:
    """At most `size` threads, started as they are needed; jobs begin in the order they came in.

    The threads are daemons: one that waits for a server that hangs must not keep the process.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, job: Job) -> None:
        """Have `job` run."""
        with self._lock:
            if self._idle:
                self._idle -= 1  # taken by this job
            elif self._threads < self._size:
                self._threads += 1
                threading.Thread(target=self._run, name=f"oss-{self._threads}", daemon=True).start()
            self._jobs.put(job)

    def close(self) -> None:
        """Let the threads end once they have done what they are doing; again, do nothing."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)
            self._threads = 0

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._idle += self._jobs.empty()

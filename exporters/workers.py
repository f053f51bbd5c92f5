"""The threads that format and compress, shared by every export of the process.

One pool and one budget of bytes serve all exports, so that ten of them cost little more memory
than one. Each export sees the pool through its own `OrderedBlocks`, which hands results back in
the order in which the blocks went in.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")

DEFAULT_MEMORY_BUDGET = 256 * 1024 * 1024
"""Bytes of blocks in flight over all exports."""


class Workers:
    """A pool of `threads` threads under a `memory_budget` in bytes."""

    def __init__(
        self, threads: int | None = None, memory_budget: int = DEFAULT_MEMORY_BUDGET
    ) -> None:
        self.threads = threads or os.cpu_count() or 1
        self.memory_budget = memory_budget
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="export-worker")
        self._lock = threading.Lock()
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Bytes of blocks in flight now, as estimated when they went in."""
        return self._in_flight

    def reserve(self, size: int, *, force: bool) -> bool:
        """Take `size` bytes of the budget; with `force` even when they exceed it."""
        with self._lock:
            if not force and self._in_flight + size > self.memory_budget:
                return False
            self._in_flight += size
            return True

    def release(self, size: int) -> None:
        """Give back what `reserve` took."""
        with self._lock:
            self._in_flight -= size

    def start(self, work: Callable[[], Result]) -> Future[Result]:
        """Run `work` on one of the threads."""
        return self._executor.submit(work)

    def close(self) -> None:
        """Let the running blocks end and stop the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class OrderedBlocks(Generic[Result]):
    """The blocks of one export: worked on side by side, written in order.

    At most `limit` blocks are in flight, by default `2 * threads + 2`, enough to keep every thread
    busy while the oldest result is written (measured: `threads + 1` cost a CSV export a tenth of
    its rate). With a limit of one each is worked on when the one before it is written. When
    the budget is exhausted an export writes out its own blocks first; one that has none in flight
    is let in regardless, so that no export can starve another: memory is bounded by the budget and
    one block an export.
    """

    def __init__(
        self, workers: Workers, write: Callable[[Result], object], limit: int | None = None
    ) -> None:
        self._workers = workers
        self._write = write
        self._pending: deque[tuple[Future[Result], int]] = deque()
        self._limit = limit or 2 * workers.threads + 2

    def submit(self, size: int, work: Callable[[], Result]) -> None:
        """Start `work`, whose block is estimated at `size` bytes; may write older results first."""
        while len(self._pending) >= self._limit:
            self._write_oldest()
        while not self._workers.reserve(size, force=not self._pending):
            self._write_oldest()
        try:
            future = self._workers.start(work)
        except BaseException:
            self._workers.release(size)
            raise
        self._pending.append((future, size))

    def drain(self) -> None:
        """Write every result still in flight."""
        while self._pending:
            self._write_oldest()

    def discard(self) -> None:
        """Forget the results in flight; waits only for blocks that are being worked on.

        May be called from any thread. What is submitted or written afterwards has gaps.
        """
        while (oldest := self._take_oldest()) is not None:
            future, size = oldest
            if not future.cancel():
                future.exception()
            self._workers.release(size)

    def _write_oldest(self) -> None:
        oldest = self._take_oldest()
        if oldest is None:
            return
        future, size = oldest
        try:
            self._write(future.result())
        finally:
            self._workers.release(size)

    def _take_oldest(self) -> tuple[Future[Result], int] | None:
        """The oldest block, now the caller's alone; None if another thread took the last."""
        try:
            return self._pending.popleft()
        except IndexError:
            return None

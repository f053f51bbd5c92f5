"""Who may run now: a bounded number of slots, and a bounded line of those who wait for one."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from flight_server.errors import ErrorCode, ServiceError

_UNKNOWN: Final = -1


class Lease:
    """A claim to one slot, made by `SlotPool.enter` and given back by `release`.

    Whatever ends the claim calls `release`, from any thread and as often as it likes: the slot
    is given back once. `wait` belongs to one thread.
    """

    def __init__(self, pool: "SlotPool", place: int, lock: threading.Lock) -> None:
        self.place: int | None = place
        """0 while it holds a slot, else its place in line (1 = next), None once released."""
        self.moved = threading.Condition(lock)
        """Notified when `place` changes; its lock is the pool's."""
        self._pool = pool

    @property
    def held(self) -> bool:
        """Whether it holds a slot."""
        return self.place == 0

    def wait(self, timeout: float, on_wait: Callable[[int], None] | None = None) -> bool:
        """Block until a slot is held; False once `timeout` seconds passed or it was released.

        After False the lease is out of the line and holds nothing. `on_wait` is told the place
        in line (1 = next) at once and whenever it changes, in the waiting thread and without a
        lock held; if it raises, the lease stays in line until it is released.
        """
        deadline = time.monotonic() + timeout
        place = self._next_place(_UNKNOWN, deadline)
        while place:
            if on_wait is not None:
                on_wait(place)
            place = self._next_place(place, deadline)
        return place == 0

    def release(self) -> None:
        """Give the slot to the next in line, or leave the line; nothing the second time."""
        with self.moved:
            self._pool.release_locked(self)

    def _next_place(self, known: int, deadline: float) -> int | None:
        """Block until the place is not the `known` one; after the deadline, leave the line."""
        with self.moved:
            remaining = deadline - time.monotonic()
            if not self.moved.wait_for(lambda: self.place != known, remaining):
                self._pool.release_locked(self)
            return self.place


class SlotPool:
    """`slots` leases hold a slot at once, `queue_size` more wait in line, first come first served.

    A slot that is given back goes to the head of the line there and then, so nobody can slip in.
    """

    def __init__(self, slots: int, queue_size: int) -> None:
        self._slots = slots
        self._queue_size = queue_size
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._held = 0
        self._line: deque[Lease] = deque()
        self._closed = False

    @property
    def held(self) -> int:
        """Slots in use."""
        return self._held

    @property
    def waiting(self) -> int:
        """Leases in line."""
        return len(self._line)

    def enter(self) -> Lease:
        """Take a slot if one is free, else a place at the end of the line; never blocks.

        Raises ServiceError with SHUTTING_DOWN after `close`, QUEUE_FULL when the line is full.
        """
        with self._lock:
            if self._closed:
                message = "the server is shutting down; retry when it is back"
                raise ServiceError(ErrorCode.SHUTTING_DOWN, message)
            if self._held < self._slots:
                self._held += 1
                return Lease(self, 0, self._lock)
            if len(self._line) >= self._queue_size:
                raise ServiceError(ErrorCode.QUEUE_FULL, self._full_message())
            lease = Lease(self, len(self._line) + 1, self._lock)
            self._line.append(lease)
            return lease

    def close(self) -> None:
        """Let nobody in any more; those who are in go on, the ones in line included."""
        with self._lock:
            self._closed = True

    def wait_empty(self, timeout: float) -> bool:
        """Block until no lease holds or awaits a slot; False after `timeout` seconds."""
        with self._empty:
            return self._empty.wait_for(lambda: not self._held and not self._line, timeout)

    def release_locked(self, lease: Lease) -> None:
        """Do what `Lease.release` says; the pool's lock must be held."""
        if lease.place is None:
            return
        if lease.held:
            self._pass_on()
        else:
            self._line.remove(lease)
        _move(lease, None)
        for place, waiting in enumerate(self._line, start=1):
            _move(waiting, place)
        if not self._held and not self._line:
            self._empty.notify_all()

    def _pass_on(self) -> None:
        if self._line:
            _move(self._line.popleft(), 0)
        else:
            self._held -= 1

    def _full_message(self) -> str:
        return (
            f"{self._slots} exports are running and {self._queue_size} are waiting, "
            "which is as many as may; retry later"
        )


def _move(lease: Lease, place: int | None) -> None:
    if lease.place != place:
        lease.place = place
        lease.moved.notify_all()

"""Who may run now: a bounded number of slots, and a bounded line of those who wait for one."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from flight_server.errors import ErrorCode, ServiceError
from flight_server.tasks.line import FairLine
from flight_server.tasks.turnover import UNMEASURED, Turnover

_UNKNOWN: Final = -1


class Lease:
    """A claim to one slot, made by `SlotPool.enter` and given back by `release`.

    Whatever ends the claim calls `release`, from any thread and as often as it likes: the slot
    is given back once. `wait` belongs to one thread.
    """

    def __init__(self, pool: "SlotPool", client: str, place: int, lock: threading.Lock) -> None:
        self.client = client
        self.place: int | None = place
        """0 while it holds a slot, else its place in line (1 = next), None once released.

        It is the place in the order in which slots will be given as things stand. It can grow:
        the first export of another client goes before the second one of this client.
        """
        self.moved = threading.Condition(lock)
        """Notified when `place` changes; its lock is the pool's."""
        self._pool = pool

    @property
    def held(self) -> bool:
        """Whether it holds a slot."""
        return self.place == 0

    def wait(
        self,
        timeout: float,
        on_wait: Callable[[int], None] | None = None,
        every: float = math.inf,
    ) -> bool:
        """Block until a slot is held; False once `timeout` seconds passed or it was released.

        After False the lease is out of the line and holds nothing. `on_wait` is told the place
        in line (1 = next) at once, whenever it changes and after `every` seconds without a
        change, in the waiting thread and without a lock held; if it raises, the lease stays in
        line until it is released.
        """
        deadline = time.monotonic() + timeout
        place = self._next_place(_UNKNOWN, deadline, every)
        while place:
            if on_wait is not None:
                on_wait(place)
            place = self._next_place(place, deadline, every)
        return place == 0

    def release(self, *, used: bool = True) -> None:
        """Give the slot to the next in line, or leave the line; nothing the second time.

        One that was not `used` does not tell how long slots are held.
        """
        with self.moved:
            self._pool.release_locked(self, used=used)

    def _next_place(self, known: int, deadline: float, every: float) -> int | None:
        """Block until the place is not the `known` one, or for `every` seconds.

        After the deadline, leave the line.
        """
        with self.moved:
            remaining = deadline - time.monotonic()
            moved = self.moved.wait_for(lambda: self.place != known, min(remaining, every))
            if not moved and remaining <= every:
                self._pool.release_locked(self, used=False)
            return self.place


class SlotPool:
    """`slots` leases hold a slot at once, `queue_size` more wait in line, where clients take turns.

    A slot that is given back goes to the head of the line there and then, so nobody can slip in.
    `monotonic` gives the seconds by which the time is measured that slots are held.
    """

    def __init__(
        self, slots: int, queue_size: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._queue_size = queue_size
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._held = 0
        self._line: FairLine[Lease] = FairLine()
        self._turnover = Turnover(monotonic)
        self._closed = False

    @property
    def held(self) -> int:
        """Slots in use."""
        return self._held

    @property
    def waiting(self) -> int:
        """Leases in line."""
        return len(self._line)

    def enter(self, client: str) -> Lease:
        """Take a slot if one is free, else a place in line; never blocks.

        Raises ServiceError with SHUTTING_DOWN after `close`, QUEUE_FULL when the line is full;
        both say when to try again.
        """
        with self._lock:
            if self._closed:
                message = "the server is shutting down; retry when it is back"
                raise ServiceError(ErrorCode.SHUTTING_DOWN, message, retry_after=UNMEASURED)
            if self._held < self._slots:
                return self._admit(client)
            if len(self._line) >= self._queue_size:
                raise self._full()
            lease = Lease(self, client, len(self._line) + 1, self._lock)
            self._line.join(client, lease)
            self._number()
            return lease

    def close(self) -> None:
        """Let nobody in any more; those who are in go on, the ones in line included."""
        with self._lock:
            self._closed = True

    def wait_empty(self, timeout: float) -> bool:
        """Block until no lease holds or awaits a slot; False after `timeout` seconds."""
        with self._empty:
            return self._empty.wait_for(lambda: not self._held and not self._line, timeout)

    def release_locked(self, lease: Lease, *, used: bool) -> None:
        """Do what `Lease.release` says; the pool's lock must be held."""
        if lease.place is None:
            return
        if lease.held:
            self._turnover.given_back(lease, counted=used)
            self._pass_on()
        else:
            self._line.leave(lease.client, lease)
        _move(lease, None)
        self._number()
        if not self._held and not self._line:
            self._empty.notify_all()

    def _admit(self, client: str) -> Lease:
        lease = Lease(self, client, 0, self._lock)
        self._held += 1
        self._turnover.taken(lease)
        return lease

    def _pass_on(self) -> None:
        if not self._line:
            self._held -= 1
            return
        successor = self._line.take()
        _move(successor, 0)
        self._turnover.taken(successor)

    def _number(self) -> None:
        """Give everybody in line the place that is theirs now."""
        for place, waiting in enumerate(self._line, start=1):
            _move(waiting, place)

    def _full(self) -> ServiceError:
        seconds = self._turnover.seconds_to_next()
        message = (
            f"{self._slots} exports are running and {self._queue_size} are waiting, "
            f"which is as many as may; retry in {seconds:g} s"
        )
        return ServiceError(ErrorCode.QUEUE_FULL, message, retry_after=seconds)


def _move(lease: Lease, place: int | None) -> None:
    if lease.place != place:
        lease.place = place
        lease.moved.notify_all()

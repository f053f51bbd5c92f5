import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.tasks.slots import Lease, SlotPool
from flight_server.tasks.turnover import UNMEASURED

LONG = 30.0
"""Seconds: more than any test takes, so that a wait that should end by itself does."""


class Waiter:
    """A thread that waits with a lease, and the places it was told."""

    def __init__(self, lease: Lease, timeout: float = LONG) -> None:
        self.places: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._outcome: Future[bool] = Future()
        self._thread = threading.Thread(target=self._wait, args=(lease, timeout), daemon=True)
        self._thread.start()

    def _wait(self, lease: Lease, timeout: float) -> None:
        self._outcome.set_result(lease.wait(timeout, self.places.put))

    def place(self) -> int:
        """The next place it is told; blocks until then."""
        return self.places.get(timeout=LONG)

    def outcome(self) -> bool:
        self._thread.join(LONG)
        return self._outcome.result(timeout=0)


def refusal(action: Callable[[], object]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        action()
    return caught.value


def test_slots_are_given_at_once_while_there_are_any() -> None:
    pool = SlotPool(slots=2, queue_size=5)
    leases = [pool.enter("a") for _ in range(3)]
    assert [lease.held for lease in leases] == [True, True, False]
    assert (pool.held, pool.waiting) == (2, 1)


def test_a_lease_that_holds_a_slot_does_not_wait() -> None:
    lease = SlotPool(slots=1, queue_size=0).enter("a")
    told: list[int] = []
    assert lease.wait(0, told.append)
    assert told == []


def test_a_full_line_refuses_at_once_with_its_bounds_and_leaves_no_trace() -> None:
    pool = SlotPool(slots=2, queue_size=1)
    for _ in range(3):
        pool.enter("a")
    error = refusal(lambda: pool.enter("a"))
    assert error.code is ErrorCode.QUEUE_FULL
    assert error.code.retryable
    assert error.message == (
        "2 exports are running and 1 are waiting, which is as many as may; retry in 5 s"
    )
    assert (pool.held, pool.waiting) == (2, 1)


def test_a_line_of_size_zero_lets_nobody_wait() -> None:
    pool = SlotPool(slots=1, queue_size=0)
    lease = pool.enter("a")
    assert refusal(lambda: pool.enter("a")).code is ErrorCode.QUEUE_FULL
    lease.release()
    assert pool.enter("a").held


def test_slots_go_to_those_who_wait_in_their_order_and_each_is_told_its_place() -> None:
    pool = SlotPool(slots=1, queue_size=3)
    holder = pool.enter("a")
    leases = [pool.enter("a") for _ in range(3)]
    first, second, third = [Waiter(lease) for lease in leases]
    assert [first.place(), second.place(), third.place()] == [1, 2, 3]
    holder.release()
    assert first.outcome()
    assert [second.place(), third.place()] == [1, 2]
    leases[0].release()
    assert second.outcome()
    assert third.place() == 1
    assert (pool.held, pool.waiting) == (1, 1)
    leases[1].release()
    assert third.outcome()


def test_clients_take_turns_and_are_told_when_their_place_grows() -> None:
    pool = SlotPool(slots=1, queue_size=5)
    holder = pool.enter("a")
    leases = [pool.enter("a") for _ in range(2)]
    first, second = [Waiter(lease) for lease in leases]
    assert [first.place(), second.place()] == [1, 2]
    other = pool.enter("b")
    assert other.place == 2
    assert second.place() == 3
    holder.release()
    assert first.outcome()
    assert (other.place, second.place()) == (1, 2)
    leases[0].release()
    assert other.held
    other.release()
    assert second.outcome()


def test_a_place_is_told_again_after_a_while_without_a_change() -> None:
    pool = SlotPool(slots=1, queue_size=1)
    holder, lease = pool.enter("a"), pool.enter("a")
    told: list[int] = []

    def listen(place: int) -> None:
        told.append(place)
        if len(told) == 3:
            holder.release()

    assert lease.wait(LONG, listen, every=0.001)
    assert told == [1, 1, 1]


def test_a_wait_with_looks_in_between_ends_at_its_time_all_the_same() -> None:
    pool = SlotPool(slots=1, queue_size=1)
    pool.enter("a")
    lease = pool.enter("a")
    told: list[int] = []
    assert not lease.wait(0.02, told.append, every=0.001)
    assert len(told) > 1
    assert (pool.held, pool.waiting) == (1, 0)


def test_a_full_line_tells_when_to_retry_by_how_long_slots_were_held() -> None:
    now = 0.0
    pool = SlotPool(slots=1, queue_size=0, monotonic=lambda: now)
    lease = pool.enter("a")
    now = 12.0
    lease.release()
    pool.enter("a")
    error = refusal(lambda: pool.enter("a"))
    assert error.retry_after == 12.0
    assert error.message.endswith("; retry in 12 s")


def test_a_slot_that_was_not_used_does_not_count_as_a_short_export() -> None:
    pool = SlotPool(slots=1, queue_size=0, monotonic=lambda: 0.0)
    pool.enter("a").release(used=False)
    pool.enter("a")
    assert refusal(lambda: pool.enter("a")).retry_after == UNMEASURED


def test_a_freed_slot_is_not_taken_by_a_newcomer() -> None:
    pool = SlotPool(slots=1, queue_size=2)
    holder, waiting = pool.enter("a"), pool.enter("a")
    holder.release()
    assert waiting.held
    assert not pool.enter("a").held


def test_a_slot_given_before_the_wait_began_is_not_lost() -> None:
    pool = SlotPool(slots=1, queue_size=1)
    holder, waiting = pool.enter("a"), pool.enter("a")
    holder.release()
    assert waiting.wait(0)


def test_a_lease_gives_its_slot_back_once_however_often_it_is_released() -> None:
    pool = SlotPool(slots=2, queue_size=0)
    lease, _other = pool.enter("a"), pool.enter("a")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: lease.release(), range(32)))
    assert pool.held == 1


def test_whoever_waits_too_long_leaves_the_line() -> None:
    pool = SlotPool(slots=1, queue_size=2)
    pool.enter("a")
    impatient, patient = pool.enter("a"), pool.enter("a")
    behind = Waiter(patient)
    assert behind.place() == 2
    told: list[int] = []
    assert not impatient.wait(0.001, told.append)
    assert told == [1]
    assert behind.place() == 1
    assert (pool.held, pool.waiting) == (1, 1)
    patient.release()


def test_a_release_by_another_thread_ends_the_wait_in_vain() -> None:
    pool = SlotPool(slots=1, queue_size=2)
    pool.enter("a")
    leaving, staying = pool.enter("a"), pool.enter("a")
    waiter, behind = Waiter(leaving), Waiter(staying)
    assert (waiter.place(), behind.place()) == (1, 2)
    leaving.release()
    assert not waiter.outcome()
    assert behind.place() == 1
    assert (pool.held, pool.waiting) == (1, 1)
    staying.release()


def test_a_slot_that_was_given_to_a_leaver_goes_on_to_the_next() -> None:
    pool = SlotPool(slots=1, queue_size=2)
    holder, leaving, staying = pool.enter("a"), pool.enter("a"), pool.enter("a")
    holder.release()
    leaving.release()
    assert staying.held
    assert not leaving.wait(0)


def test_an_error_of_the_listener_leaves_the_lease_to_be_released() -> None:
    def hang_up(place: int) -> None:
        raise ConnectionError

    pool = SlotPool(slots=1, queue_size=1)
    pool.enter("a")
    lease = pool.enter("a")
    with pytest.raises(ConnectionError):
        lease.wait(LONG, hang_up)
    assert pool.waiting == 1
    lease.release()
    assert (pool.held, pool.waiting) == (1, 0)


def test_a_listener_may_use_the_pool() -> None:
    """It is called without a lock, so it cannot block anybody, itself included."""
    pool = SlotPool(slots=1, queue_size=1)
    holder, lease = pool.enter("a"), pool.enter("a")
    assert lease.wait(LONG, lambda place: holder.release())


def test_a_closed_pool_refuses_newcomers_and_serves_those_in_line() -> None:
    pool = SlotPool(slots=1, queue_size=5)
    holder, waiting = pool.enter("a"), pool.enter("a")
    pool.close()
    error = refusal(lambda: pool.enter("a"))
    assert (error.code, error.retry_after) == (ErrorCode.SHUTTING_DOWN, UNMEASURED)
    holder.release()
    assert waiting.wait(LONG)


def test_an_empty_pool_is_reported_as_soon_as_the_last_lease_is_gone() -> None:
    pool = SlotPool(slots=1, queue_size=1)
    assert pool.wait_empty(0)
    holder, waiting = pool.enter("a"), pool.enter("a")
    with ThreadPoolExecutor(1) as threads:
        empty = threads.submit(pool.wait_empty, LONG)
        waiting.release()
        assert not pool.wait_empty(0)
        holder.release()
        assert empty.result(LONG)


def test_no_slot_is_lost_or_given_twice_under_contention() -> None:
    pool = SlotPool(slots=3, queue_size=1000)
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        lease = pool.enter("a")
        # Some give up at once, some are thrown out by another thread while they wait.
        timeout = 0.0 if number % 5 == 0 else LONG
        thief = threading.Thread(target=lease.release) if number % 7 == 0 else None
        if thief is not None:
            thief.start()
        if lease.wait(timeout) and thief is None:
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)
        lease.release()
        if thief is not None:
            thief.join()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(600)))
    assert (pool.held, pool.waiting) == (0, 0)
    assert 0 < max(most) <= 3

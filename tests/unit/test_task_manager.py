import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import IllegalTransition, Task, TaskState, TaskWarning, new_task_id
from flight_server.tasks.running import Running
from flight_server.tasks.store import RequestIdTaken, TaskStore
from flight_server.tasks.watchdog import Watchdog

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
LONG = timedelta(seconds=30)
"""More than any test takes, so that a wait that should end by itself does."""
BROKEN = Failure(ErrorCode.INVALID_DATA, "row 7 is broken")
DOWN = ServiceError(ErrorCode.STORAGE_ERROR, "the state database cannot be used")


class Clock:
    """Time that passes when it is told to; as a time of day and as seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class FragileStore(TaskStore):
    """A store in memory whose writes fail while it is `down`, and that counts its updates."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.down = False
        self.updates = 0

    def create(self, task: Task) -> None:
        self._check()
        super().create(task)

    def update(self, task: Task, *, expected: TaskState, owner: str | None = None) -> bool:
        self._check()
        self.updates += 1
        return super().update(task, expected=expected, owner=owner)

    def _check(self) -> None:
        if self.down:
            raise DOWN


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Iterator[FragileStore]:
    store = FragileStore()
    yield store
    store.close()


ManagerMaker = Callable[..., TaskManager]


@pytest.fixture
def make_manager(store: FragileStore, clock: Clock) -> ManagerMaker:
    def make(
        *, slots: int = 1, queue_size: int = 5, queue_timeout: timedelta = LONG
    ) -> TaskManager:
        return TaskManager(
            store,
            slots=slots,
            queue_size=queue_size,
            queue_timeout=queue_timeout,
            clock=clock.now,
            monotonic=clock.monotonic,
        )

    return make


@pytest.fixture
def manager(make_manager: ManagerMaker) -> TaskManager:
    return make_manager()


_numbers = count()


def make_task(**changes: Any) -> Task:
    made = NOON + timedelta(milliseconds=next(_numbers))
    task_id = new_task_id(made)
    task = Task(
        task_id=task_id,
        request_id=f"request of {task_id}",
        client="c",
        fingerprint="0" * 64,
        format="csv",
        filename="f.csv",
        content_type="text/csv",
        created_at=made,
    )
    return replace(task, **changes)


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[ServiceError]]:
    with pytest.raises(ServiceError) as caught:
        yield caught
    assert caught.value.code == code


def upload(running: Running) -> Task:
    return running.uploading(9, "f" * 64, None, ())


class Waiting:
    """A thread in `wait_for_slot`, which has joined the line when this is made."""

    def __init__(self, running: Running) -> None:
        self.places: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.error: ServiceError | None = None
        self._thread = threading.Thread(target=self._wait, args=(running,), daemon=True)
        self._thread.start()
        self.first_place = self.places.get(timeout=LONG.total_seconds())

    def _wait(self, running: Running) -> None:
        try:
            running.wait_for_slot(self.places.put)
        except ServiceError as error:
            self.error = error

    def join(self) -> None:
        self._thread.join(LONG.total_seconds())
        assert not self._thread.is_alive()


# Letting in


def test_a_task_that_finds_a_slot_is_recorded_as_processing(
    manager: TaskManager, store: TaskStore, clock: Clock
) -> None:
    clock.seconds = 5
    running = manager.open(task := make_task())
    running.wait_for_slot()
    assert running.task == task.moved(TaskState.PROCESSING, at=clock.now())
    assert store.get(task.task_id) == running.task
    assert (manager.active, manager.queued) == (1, 0)


def test_a_task_that_finds_no_slot_is_recorded_as_queued(
    manager: TaskManager, store: TaskStore
) -> None:
    manager.open(make_task())
    running = manager.open(task := make_task())
    assert running.task == store.get(task.task_id) == replace(task, position=1)
    assert (manager.active, manager.queued) == (1, 1)


def test_a_queued_task_becomes_processing_when_a_slot_comes_free(
    manager: TaskManager, store: TaskStore, clock: Clock
) -> None:
    first, second, third = [manager.open(make_task()) for _ in range(3)]
    waiting, behind = Waiting(second), Waiting(third)
    assert (waiting.first_place, behind.first_place) == (1, 2)
    clock.seconds = 7
    first.fail(BROKEN)
    waiting.join()
    assert waiting.error is None
    assert second.task.started_at == clock.now()
    assert store.get(second.task.task_id) == second.task
    assert behind.places.get(timeout=LONG.total_seconds()) == 1
    assert third.task.state == "QUEUED"
    second.fail(BROKEN)
    behind.join()
    assert third.task.state == "PROCESSING"


def test_a_task_that_the_queue_has_no_room_for_is_not_recorded(
    make_manager: ManagerMaker, store: TaskStore
) -> None:
    manager = make_manager(slots=1, queue_size=0)
    manager.open(make_task())
    with refused("QUEUE_FULL"):
        manager.open(task := make_task())
    assert store.get(task.task_id) is None
    assert manager.get(task.task_id) is None


def test_clients_take_turns_for_slots(manager: TaskManager) -> None:
    first = manager.open(make_task(client="a"))
    many = [manager.open(make_task(client="a")) for _ in range(3)]
    other = manager.open(make_task(client="b"))
    assert [running.task.position for running in (first, *many, other)] == [None, 1, 3, 4, 2]
    assert manager.get(other.task.task_id) == other.task
    first.fail(BROKEN)
    many[0].wait_for_slot()
    many[0].fail(BROKEN)
    other.wait_for_slot()
    assert other.task.position is None
    assert [running.task.position for running in many[1:]] == [1, 2]


def test_a_full_queue_tells_when_to_retry_by_recent_exports(
    make_manager: ManagerMaker, clock: Clock
) -> None:
    manager = make_manager(slots=1, queue_size=0)
    running = manager.open(make_task())
    clock.seconds += 7
    running.fail(BROKEN)
    manager.open(make_task())
    with refused("QUEUE_FULL") as caught:
        manager.open(make_task())
    assert caught.value.retry_after == 7.0


def test_a_request_that_is_there_already_does_not_count_as_a_short_export(
    make_manager: ManagerMaker, clock: Clock
) -> None:
    manager = make_manager(slots=2, queue_size=0)
    running = manager.open(make_task())
    for _ in range(100):
        with pytest.raises(RequestIdTaken):
            manager.open(make_task(request_id=running.task.request_id))
    clock.seconds += 7
    running.fail(BROKEN)
    for _ in range(2):
        manager.open(make_task())
    with refused("QUEUE_FULL") as caught:
        manager.open(make_task())
    assert caught.value.retry_after == 4.0  # of 3.5: two slots, seven seconds each


def test_a_draining_manager_takes_no_task_and_lets_the_others_go_on(
    manager: TaskManager, store: TaskStore
) -> None:
    first, second = manager.open(make_task()), manager.open(make_task())
    manager.drain()
    with refused("SHUTTING_DOWN"):
        manager.open(task := make_task())
    assert store.get(task.task_id) is None
    first.fail(BROKEN)
    second.wait_for_slot()
    assert not manager.wait_idle(timedelta(0))
    upload(second)
    second.complete()
    assert manager.wait_idle(timedelta(0))


def test_a_taken_request_id_costs_no_slot(manager: TaskManager) -> None:
    running = manager.open(make_task())
    for _ in range(10):
        with pytest.raises(RequestIdTaken) as caught:
            manager.open(make_task(request_id=running.task.request_id))
        assert caught.value.existing == running.task
    assert (manager.active, manager.queued) == (1, 0)
    assert manager.running == (running,)


def test_a_store_that_is_down_costs_no_slot(manager: TaskManager, store: FragileStore) -> None:
    store.down = True
    with refused("STORAGE_ERROR"):
        manager.open(task := make_task())
    assert manager.active == 0
    assert manager.get(task.task_id) is None


def test_a_task_cannot_be_opened_twice(manager: TaskManager) -> None:
    running = manager.open(task := make_task())
    with pytest.raises(ValueError, match=task.task_id):
        manager.open(task)
    assert manager.running == (running,)
    assert (manager.active, manager.queued) == (1, 0)


def test_a_wait_that_takes_too_long_fails_the_task_for_good(
    make_manager: ManagerMaker, store: TaskStore
) -> None:
    manager = make_manager(queue_timeout=timedelta(milliseconds=1))
    first, second = manager.open(make_task()), manager.open(make_task())
    with refused("QUEUE_TIMEOUT") as caught:
        second.wait_for_slot()
    assert caught.value.message == "no slot came free within 0.001 s; retry later"
    assert caught.value.task_id == second.task.task_id
    stored = store.get(second.task.task_id)
    assert stored is not None
    assert (stored.state, stored.error) == ("FAILED", caught.value.failure)
    assert (manager.active, manager.queued) == (1, 0)
    first.checkpoint()


def test_a_listener_that_fails_leaves_a_queued_task_to_be_failed(manager: TaskManager) -> None:
    def hang_up(place: int) -> None:
        raise ConnectionError

    manager.open(make_task())
    running = manager.open(make_task())
    with pytest.raises(ConnectionError):
        running.wait_for_slot(hang_up)
    running.fail(BROKEN)
    assert (manager.active, manager.queued) == (1, 0)


# Work


def test_every_transition_is_in_the_store_when_it_returns(
    manager: TaskManager, store: TaskStore, clock: Clock
) -> None:
    running = manager.open(make_task())
    running.advance(rows=10, bytes=100)
    clock.seconds = 3
    warning = TaskWarning("NAN", "NaN is empty", 2)
    uploading = running.uploading(120, "f" * 64, 2, [warning])
    assert store.get(running.task.task_id) == uploading == running.task
    assert (uploading.state, uploading.rows, uploading.bytes) == ("UPLOADING", 10, 120)
    assert (uploading.size_bytes, uploading.sha256) == (120, "f" * 64)
    assert (uploading.sheets, uploading.warnings) == (2, (warning,))
    assert manager.active == 1
    completed = running.complete()
    assert store.get(running.task.task_id) == completed == running.task
    assert completed == replace(uploading, state=TaskState.COMPLETED, completed_at=clock.now())
    assert (manager.active, manager.running) == (0, ())


def test_figures_are_shown_live_and_not_written(manager: TaskManager, store: FragileStore) -> None:
    running = manager.open(make_task())
    queued = manager.open(make_task())
    running.advance(rows=10, bytes=100)
    running.advance(rows=20, bytes=200)
    live = manager.get(running.task.task_id)
    assert live is not None
    assert (live.rows, live.bytes) == (20, 200)
    assert manager.list() == [queued.task, live]
    assert manager.list(client="c", state=TaskState.PROCESSING, limit=1) == [live]
    assert manager.list(after=queued.task.task_id) == [live]
    assert store.updates == 0


def test_the_rate_is_that_of_the_last_seconds_and_of_work_only(
    manager: TaskManager, store: TaskStore, clock: Clock
) -> None:
    running = manager.open(make_task(rows_expected=10_000))
    assert running.task.rows_per_second is None
    for _ in range(20):
        clock.seconds += 1
        running.advance(rows=running.task.rows + 100, bytes=1)
    assert running.task.rows_per_second == 100.0
    assert running.task.eta_seconds == 80.0
    live = manager.get(running.task.task_id)
    assert live is not None
    assert live.rows_per_second == 100.0
    clock.seconds += 30
    assert running.task.rows_per_second == 0.0
    assert running.task.eta_seconds is None
    assert upload(running).rows_per_second is None
    assert running.task.rows_per_second is None
    assert store.get(running.task.task_id) == running.task


def test_the_time_in_line_does_not_lower_the_rate(manager: TaskManager, clock: Clock) -> None:
    first, second = manager.open(make_task()), manager.open(make_task())
    clock.seconds += 8
    assert second.task.rows_per_second is None
    first.fail(BROKEN)
    second.wait_for_slot()
    clock.seconds += 1
    second.advance(rows=500, bytes=1)
    assert second.task.rows_per_second == 500.0


def test_a_list_never_shows_another_state_than_it_was_filtered_by(
    manager: TaskManager, store: TaskStore
) -> None:
    """The owner learns at its next transition what the store knows already."""
    running = manager.open(make_task())
    cancelled = running.task.moved(TaskState.CANCELLED, at=NOON)
    store.update(cancelled, expected=TaskState.PROCESSING)
    assert manager.list(state=TaskState.CANCELLED) == [cancelled]


def test_a_failure_is_recorded_with_the_figures_reached(
    manager: TaskManager, store: TaskStore
) -> None:
    running = manager.open(make_task())
    running.advance(rows=10, bytes=100)
    failed = running.fail(BROKEN)
    assert store.get(failed.task_id) == failed
    assert (failed.state, failed.error, failed.rows, failed.bytes) == ("FAILED", BROKEN, 10, 100)


def test_a_failure_after_the_end_changes_nothing(manager: TaskManager) -> None:
    running = manager.open(make_task())
    upload(running)
    completed = running.complete()
    assert running.fail(BROKEN) == completed == manager.get(completed.task_id)


@pytest.mark.parametrize(
    "step", [Running.complete, lambda running: running.uploading(1, "", None, ())]
)
def test_a_step_out_of_order_is_a_mistake_of_the_program(
    manager: TaskManager, step: Callable[[Running], object]
) -> None:
    manager.open(make_task())
    queued = manager.open(make_task())
    with pytest.raises(IllegalTransition):
        step(queued)
    assert queued.task.state == "QUEUED"


def test_nothing_can_be_done_with_a_completed_task(manager: TaskManager) -> None:
    running = manager.open(make_task())
    upload(running)
    running.complete()
    for step in (running.checkpoint, running.received):
        with pytest.raises(IllegalTransition, match="COMPLETED already"):
            step()


def test_an_unknown_task_is_not_found(manager: TaskManager) -> None:
    assert manager.get("nobody") is None
    for ending in (manager.cancel, lambda task_id: manager.end(task_id, BROKEN)):
        with refused("TASK_NOT_FOUND"):
            ending("nobody")


# Ending from outside


def test_a_cancelled_task_frees_its_slot_at_once_and_its_owner_notices(
    manager: TaskManager, store: TaskStore
) -> None:
    running = manager.open(make_task())
    running.advance(rows=10, bytes=100)
    cancelled = manager.cancel(running.task.task_id)
    assert (cancelled.state, cancelled.rows) == ("CANCELLED", 10)
    assert store.get(cancelled.task_id) == cancelled
    assert manager.open(make_task()).task.state == "PROCESSING"
    for step in (
        lambda: running.advance(rows=11, bytes=110),
        running.received,
        running.checkpoint,
        lambda: upload(running),
        running.complete,
        running.wait_for_slot,
    ):
        with refused("CANCELLED") as caught:
            step()
        assert caught.value.task_id == cancelled.task_id
    assert running.fail(BROKEN) == cancelled
    assert manager.get(cancelled.task_id) == cancelled
    assert manager.active == 1


@pytest.mark.parametrize("state", ["QUEUED", "PROCESSING", "UPLOADING"])
def test_every_unfinished_task_can_be_cancelled_and_again_without_effect(
    manager: TaskManager, clock: Clock, state: str
) -> None:
    running = manager.open(make_task())
    if state == "QUEUED":
        running = manager.open(make_task())
    if state == "UPLOADING":
        upload(running)
    assert running.task.state == state
    cancelled = manager.cancel(running.task.task_id)
    clock.seconds = 5
    assert manager.cancel(running.task.task_id) == cancelled
    assert manager.end(running.task.task_id, BROKEN) == cancelled
    assert cancelled.completed_at == NOON


def test_a_waiting_task_that_is_cancelled_stops_waiting_and_leaves_the_line(
    manager: TaskManager,
) -> None:
    first, second, third = [manager.open(make_task()) for _ in range(3)]
    waiting, behind = Waiting(second), Waiting(third)
    manager.cancel(second.task.task_id)
    waiting.join()
    assert waiting.error is not None
    assert waiting.error.code is ErrorCode.CANCELLED
    assert behind.places.get(timeout=LONG.total_seconds()) == 1
    first.fail(BROKEN)
    behind.join()
    assert (manager.active, manager.queued) == (1, 0)


def test_a_finished_task_is_returned_unchanged_by_cancel(manager: TaskManager) -> None:
    running = manager.open(make_task())
    upload(running)
    completed = running.complete()
    assert manager.cancel(completed.task_id) == completed


def test_the_owner_of_an_ended_task_learns_why(manager: TaskManager) -> None:
    running = manager.open(make_task())
    stalled = Failure(ErrorCode.STREAM_STALLED, "no batch arrived for 60 s")
    ended = manager.end(running.task.task_id, stalled)
    assert (ended.state, ended.error) == ("FAILED", stalled)
    with refused("STREAM_STALLED") as caught:
        running.advance(rows=1, bytes=1)
    assert caught.value.failure == stalled


def test_an_end_that_spares_what_is_durable_leaves_a_task_that_became_so_meanwhile(
    manager: TaskManager, store: FragileStore
) -> None:
    """Whoever ends it has looked before: the client is told UPLOADING, and then FAILED."""
    running = manager.open(make_task())
    upload(running)
    assert running.end(BROKEN, unless=TaskState.UPLOADING).state == "UPLOADING"
    assert running.complete().state == "COMPLETED"
    early = manager.open(make_task())
    assert early.end(BROKEN, unless=TaskState.UPLOADING).error == BROKEN


def test_an_end_from_outside_runs_the_callbacks_once_with_the_slot_free(
    manager: TaskManager,
) -> None:
    running = manager.open(make_task())
    seen: list[object] = []
    running.on_end(lambda: seen.append((running.task.state, manager.active)))
    manager.cancel(running.task.task_id)
    manager.cancel(running.task.task_id)
    manager.end(running.task.task_id, BROKEN)
    assert seen == [("CANCELLED", 0)]


def test_a_callback_that_comes_after_the_end_runs_at_once(manager: TaskManager) -> None:
    running = manager.open(make_task())
    manager.cancel(running.task.task_id)
    seen: list[str] = []
    running.on_end(lambda: seen.append("late"))
    assert seen == ["late"]


def test_an_end_by_the_owner_runs_no_callback(manager: TaskManager) -> None:
    running = manager.open(make_task())
    seen: list[str] = []
    running.on_end(lambda: seen.append("called"))
    running.fail(BROKEN)
    manager.cancel(running.task.task_id)
    running.on_end(lambda: seen.append("called late"))
    assert seen == []


def test_all_callbacks_run_and_their_error_reaches_whoever_ended_the_task(
    manager: TaskManager,
) -> None:
    running = manager.open(make_task())
    seen: list[str] = []

    def fail() -> None:
        raise OSError("cannot delete")

    running.on_end(lambda: seen.append("first"))
    running.on_end(fail)
    running.on_end(lambda: seen.append("last"))
    with pytest.raises(OSError, match="cannot delete"):
        manager.cancel(running.task.task_id)
    assert seen == ["last", "first"]
    assert (running.task.state, manager.active) == ("CANCELLED", 0)


def race(running: Running, canceller: TaskManager) -> tuple[str, set[str]]:
    """Complete and cancel at once; what the owner and what the cancelling callers were told."""
    barrier = threading.Barrier(5)

    def complete() -> str:
        barrier.wait()
        try:
            return running.complete().state
        except ServiceError as error:
            return f"lost: {error.code}"

    def cancel() -> str:
        barrier.wait()
        return canceller.cancel(running.task.task_id).state

    with ThreadPoolExecutor(5) as threads:
        completing = threads.submit(complete)
        cancelling = [threads.submit(cancel) for _ in range(4)]
    return completing.result(), {future.result() for future in cancelling}


def test_of_a_completion_and_many_cancels_at_once_exactly_one_wins(
    manager: TaskManager, store: TaskStore
) -> None:
    for _ in range(30):
        running = manager.open(make_task())
        upload(running)
        freed: list[str] = []
        running.on_end(partial(freed.append, "freed"))
        completing, cancelling = race(running, manager)
        assert cancelling == {running.task.state}
        assert store.get(running.task.task_id) == running.task
        if running.task.state is TaskState.COMPLETED:
            assert (completing, freed) == ("COMPLETED", [])
        else:
            assert (completing, freed) == ("lost: CANCELLED", ["freed"])
    assert manager.active == 0


def test_the_store_decides_between_an_owner_and_the_cancels_of_another_manager(
    manager: TaskManager, make_manager: ManagerMaker, store: TaskStore
) -> None:
    elsewhere = make_manager()
    for _ in range(30):
        running = manager.open(make_task())
        upload(running)
        completing, cancelling = race(running, elsewhere)
        assert cancelling == {running.task.state}
        assert store.get(running.task.task_id) == running.task
        won = running.task.state is TaskState.COMPLETED
        assert completing == ("COMPLETED" if won else "lost: CANCELLED")
    assert manager.active == 0


class OneOfTwo:
    """A replica that knows of another one."""

    id = "one"
    alone = False

    def hold(self) -> None:
        pass


def test_a_task_is_shown_as_another_process_has_ended_it_at_once(
    manager: TaskManager, store: FragileStore
) -> None:
    """Whoever was told CANCELLED there is not told PROCESSING here."""
    one = TaskManager(store, slots=1, queue_size=1, queue_timeout=LONG, replica=OneOfTwo())
    running = one.open(make_task())
    cancelled = manager.cancel(running.task.task_id)
    assert running.task.state == "PROCESSING"
    assert one.get(cancelled.task_id) == cancelled


def test_who_is_alone_asks_nobody_for_the_state_of_its_own_tasks(
    manager: TaskManager, store: FragileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = manager.open(make_task())
    monkeypatch.setattr(store, "get", lambda _task_id: pytest.fail("the record was asked"))
    assert manager.get(running.task.task_id) == running.task


def test_a_task_that_another_process_cancelled_is_lost_to_its_owner(
    manager: TaskManager, store: TaskStore
) -> None:
    running = manager.open(make_task())
    upload(running)
    cancelled = running.task.moved(TaskState.CANCELLED, at=NOON)
    assert store.update(cancelled, expected=TaskState.UPLOADING)
    with refused("CANCELLED"):
        running.complete()
    assert manager.get(cancelled.task_id) == cancelled
    assert manager.active == 0


def test_a_task_whose_record_was_removed_is_interrupted(
    manager: TaskManager, store: TaskStore
) -> None:
    running = manager.open(make_task())
    failed = running.task.moved(TaskState.FAILED, at=NOON)
    store.update(failed, expected=TaskState.PROCESSING)
    store.delete_finished(NOON + LONG)
    with refused("INTERRUPTED"):
        upload(running)
    assert manager.active == 0


def test_a_write_whose_answer_got_lost_does_not_keep_the_task_from_ending(
    manager: TaskManager, store: TaskStore
) -> None:
    running = manager.open(make_task())
    written = running.task.moved(TaskState.UPLOADING, at=NOON, sha256="f")
    store.update(written, expected=TaskState.PROCESSING)
    running.advance(rows=7, bytes=70)
    failed = running.fail(BROKEN)
    assert (failed.state, failed.error, failed.rows, failed.sha256) == ("FAILED", BROKEN, 7, "f")
    assert store.get(failed.task_id) == failed


def test_a_task_that_does_not_run_here_is_ended_in_the_store(
    manager: TaskManager, store: TaskStore
) -> None:
    for state in (TaskState.QUEUED, TaskState.UPLOADING):
        store.create(task := make_task(state=state))
        cancelled = manager.cancel(task.task_id)
        assert cancelled.state == "CANCELLED"
        assert store.get(task.task_id) == cancelled


# A store out of order


def test_a_failure_that_cannot_be_recorded_frees_the_slot_all_the_same(
    manager: TaskManager, store: FragileStore
) -> None:
    running = manager.open(make_task())
    store.down = True
    with refused("STORAGE_ERROR"):
        running.fail(BROKEN)
    assert (manager.active, running.unsaved) == (0, BROKEN)
    assert running.task.state == "PROCESSING"


def test_the_watchdog_records_such_a_failure_when_the_store_is_back(
    manager: TaskManager, store: FragileStore
) -> None:
    running = manager.open(make_task())
    called: list[str] = []
    running.on_end(lambda: called.append("by the watchdog, though the owner cleans up itself"))
    errors: list[Exception] = []
    watchdog = Watchdog(manager, LONG, LONG, LONG, on_error=errors.append)
    store.down = True
    with refused("STORAGE_ERROR"):
        running.fail(BROKEN)
    watchdog.check()
    assert errors == [DOWN]
    store.down = False
    watchdog.check()
    assert running.task.error == BROKEN
    assert store.get(running.task.task_id) == running.task
    assert (manager.active, called) == (0, [])


def test_a_cancel_that_cannot_be_recorded_changes_nothing(
    manager: TaskManager, store: FragileStore
) -> None:
    running = manager.open(make_task())
    store.down = True
    with refused("STORAGE_ERROR"):
        manager.cancel(running.task.task_id)
    running.checkpoint()
    assert manager.active == 1


# The watchdog


@pytest.fixture
def watchdog(manager: TaskManager) -> Watchdog:
    return Watchdog(
        manager,
        idle_timeout=timedelta(seconds=60),
        max_duration=timedelta(hours=6),
        interval=timedelta(milliseconds=1),
    )


def test_a_task_without_a_sign_of_life_is_ended(
    manager: TaskManager, store: TaskStore, watchdog: Watchdog, clock: Clock
) -> None:
    running = manager.open(make_task())
    clock.seconds = 59.9
    watchdog.check()
    running.checkpoint()
    clock.seconds = 60
    watchdog.check()
    with refused("STREAM_STALLED") as caught:
        running.advance(rows=1, bytes=1)
    assert caught.value.message == "no batch arrived for 60 s; send the export again"
    assert store.get(running.task.task_id) == running.task
    assert manager.active == 0


def test_the_watchdog_tells_of_what_it_has_ended_and_of_nothing_else(
    make_manager: ManagerMaker, store: FragileStore, clock: Clock
) -> None:
    manager = make_manager(slots=3)
    ended: list[Failure] = []
    watchdog = Watchdog(
        manager, timedelta(seconds=60), timedelta(hours=6), LONG, on_ended=ended.append
    )
    stuck, failing, cancelled = [manager.open(make_task()) for _ in range(3)]
    cancelled.cancel()
    store.down = True
    with refused("STORAGE_ERROR"):
        failing.fail(BROKEN)
    clock.seconds = 60
    watchdog.check()
    assert ended == []
    store.down = False
    watchdog.check()
    assert sorted(ended, key=str) == sorted([BROKEN, stuck.task.error], key=str)


def test_an_advance_keeps_a_task_alive(
    manager: TaskManager, watchdog: Watchdog, clock: Clock
) -> None:
    running = manager.open(make_task())
    for seconds in (50, 100, 150):
        clock.seconds = seconds
        running.advance(rows=1, bytes=1)
        assert running.idle_since == seconds
        watchdog.check()
    running.checkpoint()


def test_a_task_that_awaits_nothing_is_not_idle(
    manager: TaskManager, watchdog: Watchdog, clock: Clock
) -> None:
    """A large batch or a slow disk is not the client's silence; what follows may be."""
    running = manager.open(make_task())
    running.received()
    clock.seconds = 3600
    watchdog.check()
    running.advance(rows=1, bytes=1)
    clock.seconds += 60
    watchdog.check()
    with refused("STREAM_STALLED"):
        running.checkpoint()


def test_waiting_and_uploading_tasks_need_give_no_sign_of_life(
    manager: TaskManager, watchdog: Watchdog, clock: Clock
) -> None:
    uploading, queued = manager.open(make_task()), manager.open(make_task())
    upload(uploading)
    clock.seconds = 3600
    watchdog.check()
    uploading.checkpoint()
    queued.checkpoint()


def test_the_idle_time_of_a_task_begins_with_its_slot(
    manager: TaskManager, watchdog: Watchdog, clock: Clock
) -> None:
    first, second = manager.open(make_task()), manager.open(make_task())
    clock.seconds = 3600
    first.fail(BROKEN)
    second.wait_for_slot()
    watchdog.check()
    second.checkpoint()


def test_no_task_lives_longer_than_the_longest_duration(
    make_manager: ManagerMaker, clock: Clock
) -> None:
    manager = make_manager(slots=2)
    watchdog = Watchdog(manager, timedelta(hours=99), timedelta(hours=6), LONG)
    processing, uploading, queued = [manager.open(make_task()) for _ in range(3)]
    upload(uploading)
    clock.seconds = 6 * 3600 - 1
    watchdog.check()
    assert len(manager.running) == 3
    clock.seconds = 6 * 3600
    watchdog.check()
    for running in (processing, uploading, queued):
        with refused("STREAM_STALLED") as caught:
            running.checkpoint()
        assert caught.value.message == "the export was not finished within 21600 s"
    assert (manager.active, manager.queued) == (0, 0)


def test_a_callback_that_fails_does_not_shield_the_other_tasks(
    make_manager: ManagerMaker, clock: Clock
) -> None:
    def fail() -> None:
        raise OSError("cannot delete")

    manager = make_manager(slots=2)
    first, second = manager.open(make_task()), manager.open(make_task())
    first.on_end(fail)
    errors: list[Exception] = []
    watchdog = Watchdog(manager, LONG, LONG, LONG, on_error=errors.append)
    clock.seconds = 30
    watchdog.check()
    assert [str(error) for error in errors] == ["cannot delete"]
    assert (first.task.state, second.task.state) == ("FAILED", "FAILED")


def test_a_watchdog_whom_nobody_listens_to_tries_again(
    manager: TaskManager, store: FragileStore, watchdog: Watchdog, clock: Clock
) -> None:
    running = manager.open(make_task())
    clock.seconds = 60
    store.down = True
    watchdog.check()
    running.checkpoint()
    store.down = False
    watchdog.check()
    assert running.task.state == "FAILED"


def test_a_started_watchdog_ends_tasks_by_itself_until_it_is_stopped(
    manager: TaskManager, watchdog: Watchdog, clock: Clock
) -> None:
    ended = threading.Event()
    running = manager.open(make_task())
    running.on_end(ended.set)
    watchdog.start()
    clock.seconds = 60
    assert ended.wait(LONG.total_seconds())
    watchdog.stop()
    assert "task-watchdog" not in {thread.name for thread in threading.enumerate()}


# Stopping


def test_waiting_for_idleness_ends_with_the_last_task(manager: TaskManager) -> None:
    running = manager.open(make_task())
    with ThreadPoolExecutor(1) as threads:
        idle = threads.submit(manager.wait_idle, LONG)
        running.fail(BROKEN)
        assert idle.result(LONG.total_seconds())


def test_no_slot_is_lost_when_owners_and_cancellers_race(
    make_manager: ManagerMaker, store: TaskStore
) -> None:
    manager = make_manager(slots=3, queue_size=1000)
    most: list[int] = []

    def own(running: Running) -> None:
        try:
            running.wait_for_slot()
            most.append(manager.active)
            running.advance(rows=1, bytes=1)
            upload(running)
            running.complete()
        except ServiceError as error:
            running.fail(error.failure)

    opened = [manager.open(make_task()) for _ in range(60)]
    with ThreadPoolExecutor(80) as threads:
        owners = [threads.submit(own, running) for running in opened]
        for running in opened[::3]:
            threads.submit(manager.cancel, running.task.task_id)
        for future in owners:
            future.result(LONG.total_seconds())
    assert manager.wait_idle(LONG)
    assert (manager.active, manager.queued, manager.running) == (0, 0, ())
    assert max(most) <= 3
    assert store.unfinished() == []
    states = {task.state for task in store.list()}
    assert states <= {TaskState.COMPLETED, TaskState.CANCELLED}

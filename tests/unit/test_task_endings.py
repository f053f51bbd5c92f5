"""What is seen of a task while it is being ended, and what hangs meanwhile."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flight_server import draining
from flight_server.draining import drain
from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks import watchdog
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id
from flight_server.tasks.running import Running
from flight_server.tasks.store import TaskStore
from flight_server.tasks.watchdog import Watchdog
from tests.support.waiting import wait_for

LONG = timedelta(seconds=30)
"""More than any test takes, so that a wait that should end by itself does."""
NEVER = timedelta(days=1)
NOW = timedelta()
BROKEN = Failure(ErrorCode.INVALID_DATA, "row 7 is broken")


class SlowStore(TaskStore):
    """A store in memory that does `meanwhile` before an update, and `afterwards` after a list."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.meanwhile: Callable[[], object] = lambda: None
        self.afterwards: Callable[[], object] = lambda: None

    def update(self, task: Task, *, expected: TaskState, owner: str | None = None) -> bool:
        self.meanwhile()
        return super().update(task, expected=expected, owner=owner)

    def list(self, **asked: Any) -> list[Task]:
        page = super().list(**asked)
        self.afterwards()
        return page


@pytest.fixture
def store() -> Iterator[SlowStore]:
    store = SlowStore()
    yield store
    store.close()


@pytest.fixture
def manager(store: SlowStore) -> TaskManager:
    return TaskManager(store, slots=3, queue_size=3, queue_timeout=LONG)


def opened(manager: TaskManager) -> Running:
    now = datetime.now(UTC)
    task_id = new_task_id(now)
    return manager.open(
        Task(
            task_id=task_id,
            request_id=task_id,
            client="c",
            fingerprint="0" * 64,
            format="csv",
            filename="f.csv",
            content_type="text/csv",
            created_at=now,
        )
    )


def refusal(manager: TaskManager) -> str:
    """The code that one more task is refused with."""
    with pytest.raises(ServiceError) as raised:
        opened(manager)
    return raised.value.code


def upload(running: Running) -> None:
    running.uploading(9, "f" * 64)


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Set at the end: what waits for it hangs for the whole test."""
    event = threading.Event()
    yield event
    event.set()


class TestFigures:
    def test_those_that_were_shown_are_not_lower_once_the_task_has_ended(
        self, manager: TaskManager, store: SlowStore
    ) -> None:
        """The owner goes on while somebody else's cancel is being written."""
        running = opened(manager)
        running.advance(rows=10, bytes=100)
        shown: list[int] = []

        def meanwhile() -> None:
            running.advance(rows=20, bytes=200)
            shown.append(running.task.rows)

        store.meanwhile = meanwhile
        ended = running.cancel()
        assert ended.rows >= shown[0]
        assert store.get(ended.task_id) == ended

    def test_a_write_that_fails_leaves_them_to_go_on(
        self, manager: TaskManager, store: SlowStore
    ) -> None:
        def fail() -> None:
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the database is away")

        running = opened(manager)
        store.meanwhile = fail
        with pytest.raises(ServiceError):
            running.cancel()
        running.advance(rows=20, bytes=200)
        assert running.task.rows == 20

    @pytest.mark.parametrize("step", [upload, Running.cancel], ids=["uploading", "cancelled"])
    def test_a_list_shows_none_that_are_lower_of_a_task_that_moves_meanwhile(
        self, manager: TaskManager, store: SlowStore, step: Callable[[Running], object]
    ) -> None:
        running = opened(manager)
        running.advance(rows=10, bytes=1)
        store.afterwards = lambda: step(running)
        [listed] = manager.list(state=TaskState.PROCESSING)
        assert (listed.state, listed.rows) == ("PROCESSING", 10)

    def test_who_has_seen_a_state_in_a_list_hears_of_none_before_it(
        self, manager: TaskManager, store: SlowStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The store has it already, the process is about to."""
        running = opened(manager)
        recorded, go_on = threading.Event(), threading.Event()
        update = store.update

        def slowly(task: Task, *, expected: TaskState, owner: str | None) -> bool:
            done = update(task, expected=expected, owner=owner)
            recorded.set()
            assert go_on.wait(30)
            return done

        monkeypatch.setattr(store, "update", slowly)
        moving = threading.Thread(target=upload, args=(running,))
        moving.start()
        assert recorded.wait(30)
        threading.Timer(0.05, go_on.set).start()
        [listed] = manager.list()
        found = manager.get(listed.task_id)
        assert found is not None
        assert (listed.state, found.state) == ("UPLOADING", "UPLOADING")
        moving.join()


class TestEndUnless:
    def test_a_task_in_that_state_is_left(self, manager: TaskManager) -> None:
        running = opened(manager)
        upload(running)
        assert running.end(BROKEN, unless=TaskState.UPLOADING).state == "UPLOADING"
        assert manager.active == 1
        assert running.complete().state == "COMPLETED"

    def test_the_state_counts_that_it_has_once_its_last_move_is_recorded(
        self, manager: TaskManager, store: SlowStore
    ) -> None:
        """The seal of a file is being recorded when the server's grace ends."""
        running = opened(manager)
        ending: list[threading.Thread] = []

        def meanwhile() -> None:
            store.meanwhile = lambda: None
            ending.append(threading.Thread(target=end))
            ending[0].start()

        def end() -> None:
            running.end(BROKEN, unless=TaskState.UPLOADING)

        store.meanwhile = meanwhile
        upload(running)
        ending[0].join()
        assert running.task.state == "UPLOADING"


class TestWatchdogThatMeetsWhatHangs:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watchdog, "PATIENCE", 0.05)

    def test_a_callback_holds_up_no_other_task_and_is_not_called_again(
        self, manager: TaskManager, hang: threading.Event
    ) -> None:
        first, second = opened(manager), opened(manager)
        called: list[str] = []
        first.on_end(lambda: (called.append("first"), hang.wait()))
        second.on_end(lambda: called.append("second"))
        made = Watchdog(manager, NOW, NEVER, NEVER)
        made.check()
        wait_for(lambda: sorted(called) == ["first", "second"])
        made.check()
        assert (len(called), manager.active) == (2, 0)
        assert (first.task.state, second.task.state) == ("FAILED", "FAILED")

    def test_a_database_is_asked_once_until_it_has_answered(
        self, manager: TaskManager, store: SlowStore, hang: threading.Event
    ) -> None:
        running = opened(manager)
        asked: list[object] = []

        def meanwhile() -> None:
            asked.append(None)
            hang.wait()

        store.meanwhile = meanwhile
        made = Watchdog(manager, NOW, NEVER, timedelta(milliseconds=1))
        made.start()
        wait_for(lambda: asked)
        made.stop()
        made.check()
        assert len(asked) == 1
        hang.set()
        wait_for(lambda: running.task.state == "FAILED")


def test_a_watchdog_that_gets_no_thread_makes_its_next_round(
    manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = opened(manager)
    errors: list[Exception] = []
    do = watchdog.together

    def exhausted(*_asked: object) -> bool:
        monkeypatch.setattr(watchdog, "together", do)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(watchdog, "together", exhausted)
    made = Watchdog(manager, NOW, NEVER, timedelta(milliseconds=1), on_error=errors.append)
    made.start()
    wait_for(lambda: running.task.state == "FAILED")
    made.stop()
    assert [str(error) for error in errors] == ["can't start new thread"]


class TestDraining:
    def test_a_task_whose_end_hangs_holds_up_no_other(
        self, manager: TaskManager, hang: threading.Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tasks = [opened(manager) for _ in range(3)]
        tasks[1].on_end(lambda: hang.wait())
        monkeypatch.setattr(draining, "ENDING_SECONDS", 0.05)
        drain(manager, NOW, threading.Event())
        wait_for(lambda: [task.task.state for task in tasks] == ["FAILED"] * 3)

    def test_it_is_over_as_soon_as_nothing_runs(self, manager: TaskManager) -> None:
        running = opened(manager)
        ending = threading.Thread(target=drain, args=(manager, NEVER, threading.Event()))
        ending.start()
        upload(running)
        running.complete()
        ending.join(LONG.total_seconds())
        assert not ending.is_alive()

    def test_whoever_waits_for_a_slot_may_still_get_one(self, store: SlowStore) -> None:
        manager = TaskManager(store, slots=1, queue_size=1, queue_timeout=LONG)
        first, second = opened(manager), opened(manager)
        ending = threading.Thread(target=drain, args=(manager, NEVER, threading.Event()))
        ending.start()
        wait_for(lambda: refusal(manager) == "SHUTTING_DOWN")
        first.fail(BROKEN)
        second.wait_for_slot()
        assert second.task.state == "PROCESSING"
        second.fail(BROKEN)
        ending.join(LONG.total_seconds())
        assert not ending.is_alive()

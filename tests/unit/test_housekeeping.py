"""The sweeper: what it keeps, and that no failure is its last."""

import threading
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.housekeeping import Housekeeper
from flight_server.storage.memory import MemoryStorage
from flight_server.tasks.model import Task, TaskState, new_task_id
from flight_server.tasks.store import TaskStore

NOW = datetime(2025, 6, 8, tzinfo=UTC)
WEEK = timedelta(days=7)


class Storage(MemoryStorage):
    """Notes each sweep, and fails the first ones with `failures`."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.kept: list[Collection[str]] = []
        self.swept = threading.Event()
        self._failures = iter(failures)

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        failure = next(self._failures, None)
        if failure is not None:
            raise failure
        self.kept.append(keep)
        self.swept.set()
        return 1


@pytest.fixture
def store() -> Iterator[TaskStore]:
    opened = TaskStore("sqlite://")
    yield opened
    opened.close()


def housekeeper(storage: Storage, store: TaskStore) -> Housekeeper:
    return Housekeeper(
        storage,
        store,
        retention=WEEK,
        clock=lambda: NOW,
        interval=timedelta(milliseconds=1),
    )


def record(store: TaskStore, state: TaskState, age: timedelta) -> str:
    created = NOW - age
    task = Task(
        task_id=new_task_id(created),
        request_id=f"{state} {age}",
        client="c",
        fingerprint="f",
        state=state,
        format="csv",
        filename="a.csv",
        content_type="text/csv",
        created_at=created,
        completed_at=created if state.finished else None,
    )
    store.create(task)
    return task.task_id


def test_unfinished_tasks_keep_their_spools_and_old_records_go(store: TaskStore) -> None:
    storage = Storage()
    running = record(store, TaskState.PROCESSING, timedelta(days=30))
    young = record(store, TaskState.COMPLETED, timedelta(days=6))
    old = record(store, TaskState.COMPLETED, timedelta(days=8))
    housekeeper(storage, store).sweep()
    assert storage.kept == [{running}]
    assert store.get(young) is not None
    assert store.get(old) is None


def test_a_failed_sweep_is_told_to_who_asked_for_it(store: TaskStore) -> None:
    failure = ServiceError(ErrorCode.STORAGE_ERROR, "no")
    with pytest.raises(ServiceError):
        housekeeper(Storage(failure), store).sweep()


@pytest.mark.parametrize(
    "failure",
    [ServiceError(ErrorCode.STORAGE_ERROR, "no"), FileNotFoundError("the directory vanished")],
)
def test_no_failure_is_the_last_sweep(store: TaskStore, failure: Exception) -> None:
    storage = Storage(failure, failure)
    keeper = housekeeper(storage, store)
    keeper.start()
    assert storage.swept.wait(20)
    keeper.stop()


def test_stopping_ends_the_thread(store: TaskStore) -> None:
    storage = Storage()
    keeper = housekeeper(storage, store)
    keeper.start()
    keeper.stop()
    assert "housekeeper" not in {thread.name for thread in threading.enumerate()}

"""Settling what an earlier server left, where publishing takes its time."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.recovery import Recovery
from flight_server.storage.base import Target
from flight_server.storage.memory import MemoryStorage
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.store import TaskStore
from tests.support.waiting import wait_for


class Sulking(MemoryStorage):
    """Publishes when it is asked for the third time, and deletes nothing at all."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.refused: list[str] = []
        self.go_on = threading.Event()

    def resume(self, target: Target, size: int) -> bool:
        assert self.go_on.wait(20)
        self.asked.append(target.task_id)
        if len(self.asked) < 3:
            raise ServiceError(ErrorCode.UPLOAD_ERROR, "not now")
        return True

    def delete(self, target: Target) -> None:
        self.refused.append(target.task_id)
        raise ServiceError(ErrorCode.UPLOAD_ERROR, "not now")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TaskStore]:
    opened = TaskStore(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


def manager_of(store: TaskStore) -> TaskManager:
    return TaskManager(store, slots=1, queue_size=0, queue_timeout=timedelta(seconds=1))


def left(store: TaskStore, state: TaskState) -> str:
    task = Task(
        task_id=new_task_id(),
        request_id=f"left-{state}",
        client="crm",
        fingerprint="0" * 64,
        state=state,
        format="csv",
        filename="orders.csv",
        content_type="text/csv",
        size_bytes=3,
        created_at=utc_now(),
    )
    store.create(task)
    return task.task_id


def test_what_can_be_published_is_tried_until_it_is_and_nobody_waits(store: TaskStore) -> None:
    storage, manager = Sulking(), manager_of(store)
    uploading, processing = left(store, TaskState.UPLOADING), left(store, TaskState.PROCESSING)
    recovery = Recovery(manager, store, storage, interval=timedelta(milliseconds=1))
    recovery.settle(now=False)
    broken_off = manager.get(processing)
    assert broken_off is not None
    assert broken_off.state is TaskState.FAILED
    assert storage.refused == [processing]
    waiting = manager.get(uploading)
    assert waiting is not None
    assert waiting.state is TaskState.UPLOADING
    storage.go_on.set()
    wait_for(lambda: (task := store.get(uploading)) and task.state is TaskState.COMPLETED)
    assert storage.asked == [uploading] * 3
    recovery.stop()


def test_a_server_that_stops_begins_nothing_more(store: TaskStore) -> None:
    storage = Sulking()
    task_id = left(store, TaskState.UPLOADING)
    recovery = Recovery(manager_of(store), store, storage, interval=timedelta(milliseconds=1))
    recovery.stop()
    storage.go_on.set()
    recovery.settle(now=False)
    task = store.get(task_id)
    assert task is not None
    assert task.state is TaskState.UPLOADING
    assert not storage.asked

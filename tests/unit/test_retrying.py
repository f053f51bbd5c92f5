"""Publishing, without the client, what a failed export has left."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.retrying import Retrying
from flight_server.service import target_of
from flight_server.storage.base import Target
from flight_server.storage.memory import MemoryStorage
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.store import RequestIdTaken, TaskStore

CONTENT = b"id\n1\n"
REFUSED = Failure(ErrorCode.UPLOAD_ERROR, "the file could not be stored")


class Wayward(MemoryStorage):
    """Does to the task what it is told to, just before it publishes."""

    def __init__(self, store: TaskStore) -> None:
        super().__init__()
        self._store = store
        self.answer: TaskState | None = None
        self.error: BaseException | None = None

    def resume(self, target: Target, size: int) -> bool:
        published = super().resume(target, size)
        if self.answer is not None:
            task = self._store.get(target.task_id)
            assert task is not None
            ended = task.moved(self.answer, at=utc_now())
            assert self._store.update(ended, expected=TaskState.UPLOADING)
        if self.error is not None:
            raise self.error
        return published


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TaskStore]:
    opened = TaskStore(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


@pytest.fixture
def storage(store: TaskStore) -> Wayward:
    return Wayward(store)


def failed(store: TaskStore, storage: Wayward, **changes: object) -> Task:
    """A task that failed when its file was whole, which is kept."""
    task = Task(
        task_id=new_task_id(),
        request_id="r-1",
        client="crm",
        fingerprint="0" * 64,
        state=TaskState.FAILED,
        format="csv",
        filename="orders.csv",
        content_type="text/csv",
        size_bytes=len(CONTENT),
        error=REFUSED,
        created_at=utc_now(),
        completed_at=utc_now(),
    )
    task = replace(task, **changes)
    store.create(task)
    storage.keep(target_of(task), CONTENT)
    return task


def refusal(store: TaskStore, storage: Wayward, task_id: str) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        Retrying(store, storage, "mine").retry(task_id)
    return refused.value


def is_published(storage: Wayward, task: Task) -> bool:
    try:
        return storage.open_reader(target_of(task)).read() == CONTENT
    except FileNotFoundError:
        return False


def test_a_whole_file_is_published_and_the_task_is_completed(
    store: TaskStore, storage: Wayward
) -> None:
    task = failed(store, storage)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    retried = Retrying(store, storage, "mine", clock=lambda: now).retry(task.task_id)
    assert store.get(task.task_id) == retried
    assert retried == replace(
        task, state=TaskState.COMPLETED, replica="mine", error=None, completed_at=now
    )
    assert is_published(storage, task)


def test_a_completed_task_is_returned_as_it_is(store: TaskStore, storage: Wayward) -> None:
    task = failed(store, storage, state=TaskState.COMPLETED, error=None)
    assert Retrying(store, storage, "mine").retry(task.task_id) == task


def test_a_task_that_nobody_knows_is_not_found(store: TaskStore, storage: Wayward) -> None:
    assert refusal(store, storage, "nobodys").code is ErrorCode.TASK_NOT_FOUND


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"size_bytes": None}, ErrorCode.INTERRUPTED, "before its file was whole"),
        ({"state": TaskState.CANCELLED, "error": None}, ErrorCode.CANCELLED, "was cancelled"),
        (
            {"state": TaskState.UPLOADING, "error": None, "completed_at": None},
            ErrorCode.ALREADY_EXISTS,
            "is UPLOADING",
        ),
    ],
)
def test_what_has_no_whole_file_is_refused_with_what_to_do(
    store: TaskStore, storage: Wayward, changes: dict[str, object], code: ErrorCode, said: str
) -> None:
    task = failed(store, storage, **changes)
    error = refusal(store, storage, task.task_id)
    assert error.code is code
    assert said in error.message
    assert store.get(task.task_id) == task
    assert not is_published(storage, task)


def test_a_file_that_is_gone_leaves_the_task_failed(store: TaskStore, storage: Wayward) -> None:
    task = failed(store, storage)
    storage.delete(target_of(task))
    assert "not there any more" in refusal(store, storage, task.task_id).message
    stored = store.get(task.task_id)
    assert stored is not None
    assert (stored.state, stored.error and stored.error.code) == ("FAILED", "INTERRUPTED")


def test_a_store_that_refuses_again_can_be_tried_again(store: TaskStore, storage: Wayward) -> None:
    task = failed(store, storage)
    storage.error = ServiceError(ErrorCode.UPLOAD_ERROR, "still refused")
    assert refusal(store, storage, task.task_id).message == "still refused"
    stored = store.get(task.task_id)
    assert stored is not None
    assert stored.error == Failure(ErrorCode.UPLOAD_ERROR, "still refused")
    assert not is_published(storage, task)
    storage.error = None
    assert Retrying(store, storage, "mine").retry(task.task_id).state is TaskState.COMPLETED


def test_an_operator_who_interrupts_it_can_try_again(store: TaskStore, storage: Wayward) -> None:
    task = failed(store, storage)
    storage.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Retrying(store, storage, "mine").retry(task.task_id)
    stored = store.get(task.task_id)
    assert stored is not None
    assert (stored.state, stored.error and stored.error.code) == ("FAILED", "INTERRUPTED")
    assert not is_published(storage, task)


def test_a_request_that_was_made_again_is_not_answered_twice(
    store: TaskStore, storage: Wayward
) -> None:
    task = failed(store, storage)
    again = failed(store, storage, task_id=new_task_id(), state=TaskState.COMPLETED, error=None)
    error = refusal(store, storage, task.task_id)
    assert isinstance(error, RequestIdTaken)
    assert error.existing == again
    assert store.get(task.task_id) == task


def test_a_task_that_is_cancelled_meanwhile_has_no_file(store: TaskStore, storage: Wayward) -> None:
    task = failed(store, storage)
    storage.answer = TaskState.CANCELLED
    assert refusal(store, storage, task.task_id).code is ErrorCode.CANCELLED
    storage.answer = None
    assert not storage.resume(target_of(task), len(CONTENT))


def test_a_task_that_a_server_completes_meanwhile_is_completed(
    store: TaskStore, storage: Wayward
) -> None:
    task = failed(store, storage)
    storage.answer = TaskState.COMPLETED
    assert Retrying(store, storage, "mine").retry(task.task_id).state is TaskState.COMPLETED
    assert is_published(storage, task)


@pytest.mark.parametrize("state", [TaskState.COMPLETED, TaskState.CANCELLED])
def test_who_fails_in_the_end_takes_nothing_back_that_a_server_has_completed(
    store: TaskStore, storage: Wayward, state: TaskState
) -> None:
    task = failed(store, storage)
    storage.answer = state
    storage.error = ServiceError(ErrorCode.UPLOAD_ERROR, "still refused")
    assert refusal(store, storage, task.task_id).code is ErrorCode.UPLOAD_ERROR
    stored = store.get(task.task_id)
    assert stored is not None
    assert stored.state is state
    assert is_published(storage, task) is (state is TaskState.COMPLETED)


def test_the_kept_file_is_not_swept_while_it_is_sent(store: TaskStore, storage: Wayward) -> None:
    """A server beside it looks for unfinished tasks, which it then is one of."""
    task = failed(store, storage)
    assert store.update(task.retried("mine"), expected=TaskState.FAILED)
    assert [each.task_id for each in store.unfinished()] == [task.task_id]
    keep = {task.task_id}
    assert storage.sweep(utc_now() + timedelta(days=1), keep) == 0

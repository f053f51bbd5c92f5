"""A replica whose task another one has ended or taken over, because it took it for dead."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.heartbeat import Heartbeat
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.orphans import Orphans
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.running import Running
from flight_server.tasks.store import TaskStore
from tests.support.waiting import wait_for

BROKEN = Failure(ErrorCode.INVALID_DATA, "row 7 is broken")


class Here:
    """A replica with one task, and the hand of another one."""

    def __init__(self, store: TaskStore, directory: Path) -> None:
        self.store = store
        self.table = ReplicaTable(store.database)
        self.replica = Replica(self.table, directory, timedelta(minutes=1))
        self.replica.enter()
        self.manager = TaskManager(
            store, replica=self.replica, slots=1, queue_size=1, queue_timeout=timedelta(0)
        )
        self.errors: list[Exception] = []
        self.heartbeat = Heartbeat(
            self.replica, self.table, self.manager, timedelta(), on_error=self.errors.append
        )
        self.running = self.opened()
        self.called_back: list[str] = []
        self.running.on_end(lambda: self.called_back.append("ended"))

    def opened(self) -> Running:
        now = utc_now()
        return self.manager.open(
            Task(
                task_id=new_task_id(now),
                request_id=new_task_id(now),
                client="c",
                fingerprint="0" * 64,
                format="csv",
                filename="f.csv",
                content_type="text/csv",
                created_at=now,
            )
        )

    def stored(self) -> Task:
        task = self.store.get(self.running.task.task_id)
        assert task is not None
        return task

    def end_elsewhere(self, state: TaskState, error: Failure | None = None) -> Task:
        before = self.stored()
        ended = before.moved(state, at=utc_now(), error=error)
        assert self.store.update(ended, expected=before.state)
        return ended

    def take_over(self) -> Task:
        self.running.uploading(3, "f" * 64)
        assert self.table.hand_over(self.stored(), "another")
        return self.stored()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    store = TaskStore(f"sqlite:///{tmp_path / 'state.db'}")
    yield Here(store, tmp_path / "spools")
    store.close()


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [(TaskState.CANCELLED, None, "CANCELLED"), (TaskState.FAILED, BROKEN, "INVALID_DATA")],
)
def test_what_another_replica_has_ended_is_ended_here(
    here: Here, state: TaskState, error: Failure | None, code: str
) -> None:
    ended = here.end_elsewhere(state, error)
    here.heartbeat.beat()
    wait_for(lambda: here.called_back == ["ended"])
    assert here.running.task == ended
    with pytest.raises(ServiceError, match=code):
        here.running.advance(rows=1, bytes=1)
    assert here.manager.active == 0
    here.opened()


def test_the_owner_hears_of_it_at_its_next_move_if_that_comes_first(here: Here) -> None:
    here.end_elsewhere(TaskState.CANCELLED)
    with pytest.raises(ServiceError, match="CANCELLED"):
        here.running.uploading(3, "f" * 64)
    assert here.manager.active == 0


def test_a_callback_that_fails_is_told(here: Here) -> None:
    def fail() -> None:
        raise ServiceError(ErrorCode.STORAGE_ERROR, "not now")

    here.running.on_end(fail)
    here.end_elsewhere(TaskState.CANCELLED)
    here.heartbeat.beat()
    wait_for(lambda: len(here.errors) == 1)
    assert here.called_back == ["ended"]


def test_what_another_replica_has_taken_over_is_left_to_it(here: Here) -> None:
    taken = here.take_over()
    here.heartbeat.beat()
    wait_for(lambda: here.manager.active == 0)
    with pytest.raises(ServiceError, match="INTERRUPTED: the export has been taken over"):
        here.running.checkpoint()
    assert here.running.fail(BROKEN) == taken
    assert here.running.end(BROKEN) == taken
    assert here.stored() == taken
    assert here.called_back == [], "the file is not this replica's to remove"


def test_it_cannot_be_failed_by_who_has_not_noticed(here: Here) -> None:
    taken = here.take_over()
    assert here.running.fail(BROKEN) == taken
    assert here.stored() == taken


def test_who_has_published_the_file_all_the_same_may_say_so(here: Here) -> None:
    here.take_over()
    here.heartbeat.beat()
    wait_for(lambda: here.manager.active == 0)
    assert here.running.complete().state is TaskState.COMPLETED
    assert here.stored().state is TaskState.COMPLETED


def test_what_another_replica_has_completed_is_completed(here: Here) -> None:
    here.take_over()
    completed = here.end_elsewhere(TaskState.COMPLETED)
    assert here.running.complete() == completed
    assert here.called_back == []


def test_what_its_owner_has_left_is_found_as_an_orphan(here: Here) -> None:
    """Its file could not be published, nor could that be recorded."""
    uploading = here.running.uploading(3, "f" * 64)
    here.running.leave()
    assert not here.manager.runs(uploading.task_id)
    with pytest.raises(ServiceError, match="INTERRUPTED: the export has been taken over"):
        here.running.checkpoint()
    assert here.running.fail(BROKEN).state is TaskState.UPLOADING
    found = Orphans(here.store, here.table, here.replica, timedelta()).look(set)
    assert [each.task for each in found.inherited] == [uploading]
    assert here.called_back == []


def test_anybody_may_cancel_what_another_replica_has(here: Here) -> None:
    taken = here.take_over()
    assert here.manager.cancel(taken.task_id).state is TaskState.CANCELLED
    assert here.stored().state is TaskState.CANCELLED


def test_others_see_how_far_a_task_is(here: Here) -> None:
    waiting = here.opened()
    here.running.advance(rows=7, bytes=70)
    here.heartbeat.beat()
    assert (here.stored().rows, here.stored().bytes) == (7, 70)
    stored = here.store.get(waiting.task.task_id)
    assert stored is not None
    assert stored.position == 1


def test_figures_that_come_late_do_not_undo_a_transition(here: Here) -> None:
    before = here.running.task
    uploading = here.running.uploading(3, "f" * 64)
    here.table.show([replace(before, rows=1, bytes=1)])
    assert here.stored() == uploading

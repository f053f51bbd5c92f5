"""Settling what dead replicas left: who takes it over, and what becomes of it."""

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.recovery import Recovery
from flight_server.service import target_of
from flight_server.storage.base import Target
from flight_server.storage.memory import MemoryStorage
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.orphans import Orphans
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.store import TaskStore
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for

LEASE = timedelta(seconds=60)
SOON = timedelta(milliseconds=1)
LATE = timedelta(days=1)


class Spooled(MemoryStorage):
    """Has the files of some tasks, and publishes and deletes as it is told."""

    def __init__(self, *here: str) -> None:
        super().__init__()
        self.here = set(here)
        self.sulks = 0
        self.asked: list[str] = []
        self.deleted: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def resume(self, target: Target, size: int) -> bool:
        assert self.go_on.wait(20)
        self.asked.append(target.task_id)
        self._sulk()
        return target.task_id in self.here

    def delete(self, target: Target) -> None:
        self._sulk()
        self.deleted.append(target.task_id)

    def _sulk(self) -> None:
        if self.sulks:
            self.sulks -= 1
            raise ServiceError(ErrorCode.UPLOAD_ERROR, "not now")


class Site:
    """A database, and the replicas over it."""

    def __init__(self, url: str, root: Path) -> None:
        self.store = TaskStore(url)
        self.table = ReplicaTable(self.store.database)
        self.root = root
        self.stack = ExitStack()
        self.stack.callback(self.store.close)

    def replica(self, spools: str = "spools", lease: timedelta = LEASE) -> Replica:
        """One that lives until the end of the test, or until it `leave`s."""
        replica = Replica(self.table, self.root / spools, lease)
        replica.enter()
        return replica

    def dead(self, spools: str = "spools") -> Replica:
        replica = self.replica(spools)
        replica.leave()
        return replica

    def left(self, replica: Replica, state: TaskState, **changes: object) -> Task:
        task = Task(
            task_id=new_task_id(),
            request_id=f"left-{new_task_id()}",
            client="crm",
            fingerprint="0" * 64,
            state=state,
            format="csv",
            filename="orders.csv",
            content_type="text/csv",
            size_bytes=3 if state is TaskState.UPLOADING else None,
            replica=replica.id,
            created_at=utc_now(),
        )
        task = replace(task, **changes)  # type: ignore[arg-type]
        self.store.create(task)
        return task

    def orphans(self, replica: Replica, timeout: timedelta = LATE) -> Orphans:
        return Orphans(self.store, self.table, replica, timeout)

    def recovery(
        self,
        replica: Replica,
        storage: MemoryStorage,
        timeout: timedelta = LATE,
        busy: Collection[str] = (),
    ) -> Recovery:
        return Recovery(
            self.orphans(replica, timeout),
            self.store,
            storage,
            self.root / "spools",
            busy=lambda: busy,
            interval=SOON,
            again=SOON,
        )

    def state(self, task: Task) -> TaskState:
        stored = self.store.get(task.task_id)
        assert stored is not None
        return stored.state


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.database()
    site = Site(url, tmp_path)
    with site.stack:
        yield site


EARLY = (TaskState.QUEUED, TaskState.PROCESSING)


def test_what_needed_its_client_is_interrupted_and_its_files_are_removed(site: Site) -> None:
    tasks = [site.left(site.dead(), state) for state in EARLY]
    storage = Spooled()
    recovery = site.recovery(site.replica(), storage)
    recovery.look()
    recovery.work()
    for task in tasks:
        stored = site.store.get(task.task_id)
        assert stored is not None
        assert stored.error is not None
        assert (stored.state, stored.error.code) == ("FAILED", "INTERRUPTED")
    assert storage.deleted == [task.task_id for task in tasks]


def test_the_tasks_of_the_living_are_left_alone(site: Site) -> None:
    other = site.replica("elsewhere")
    tasks = [site.left(other, state) for state in (*EARLY, TaskState.UPLOADING)]
    mine = site.replica()
    tasks.append(site.left(mine, TaskState.PROCESSING))
    site.recovery(mine, Spooled(), busy={tasks[-1].task_id}).look()
    assert [site.store.get(task.task_id) for task in tasks] == tasks


@pytest.mark.parametrize("state", [*EARLY, TaskState.UPLOADING])
def test_what_this_replica_has_on_record_and_does_not_run_is_an_orphan_too(
    site: Site, state: TaskState
) -> None:
    """It was recorded, or taken over, in a write whose answer got lost."""
    mine = site.replica()
    task = site.left(mine, state)
    recovery = site.recovery(mine, Spooled(task.task_id))
    recovery.look()
    recovery.work()
    expected = TaskState.COMPLETED if state is TaskState.UPLOADING else TaskState.FAILED
    assert site.state(task) is expected


def test_what_was_taken_over_before_the_database_failed_is_not_forgotten(site: Site) -> None:
    dead = site.dead()
    tasks = [site.left(dead, TaskState.UPLOADING) for _ in range(2)]
    mine = site.replica()
    recovery = site.recovery(mine, Spooled(*(task.task_id for task in tasks)))
    assert site.table.hand_over(tasks[0], mine.id)
    recovery.look()
    recovery.work()
    assert [site.state(task) for task in tasks] == [TaskState.COMPLETED] * 2


def test_a_durable_file_is_published_by_who_shares_the_directory(site: Site) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    recovery = site.recovery(site.replica(), Spooled(task.task_id))
    recovery.look()
    recovery.work()
    assert site.state(task) is TaskState.COMPLETED


def test_of_several_heirs_one_publishes(site: Site) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    first, second = site.orphans(site.replica()), site.orphans(site.replica())
    inherited = [*first.look(set).inherited, *second.look(set).inherited]
    assert [each.task.task_id for each in inherited] == [task.task_id]


def test_a_file_in_a_directory_of_this_replica_that_is_gone_is_waited_for_by_nobody(
    site: Site,
) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    recovery = site.recovery(site.replica(), Spooled())
    recovery.look()
    recovery.work()
    assert site.state(task) is TaskState.FAILED


def test_a_file_elsewhere_is_left_to_its_own_server(site: Site) -> None:
    task = site.left(site.dead("elsewhere"), TaskState.UPLOADING)
    storage = Spooled()
    recovery = site.recovery(site.replica(), storage)
    for _ in range(3):
        recovery.look()
        recovery.work()
    assert site.store.get(task.task_id) == task
    assert storage.asked == [task.task_id], "once, because it might have been published already"
    found = site.orphans(site.replica("elsewhere")).look(set)
    assert [each.task.task_id for each in found.inherited] == [task.task_id]


def test_a_file_elsewhere_that_was_published_already_is_completed_by_anybody(site: Site) -> None:
    task = site.left(site.dead("elsewhere"), TaskState.UPLOADING)
    recovery = site.recovery(site.replica(), Spooled(task.task_id))
    recovery.look()
    recovery.work()
    assert site.state(task) is TaskState.COMPLETED


def test_a_file_that_nobody_could_publish_in_time_has_failed(site: Site) -> None:
    task = site.left(site.dead("elsewhere"), TaskState.UPLOADING)
    storage = Spooled()
    recovery = site.recovery(site.replica(), storage, timedelta())
    recovery.look()
    recovery.work()
    stored = site.store.get(task.task_id)
    assert stored is not None
    assert stored.error is not None
    assert (stored.state, stored.error.code) == ("FAILED", "INTERRUPTED")
    assert storage.deleted == [task.task_id]


def test_what_is_cancelled_while_it_is_published_is_removed(site: Site) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    storage = Spooled(task.task_id)
    recovery = site.recovery(site.replica(), storage)
    recovery.look()
    cancelled = task.moved(TaskState.CANCELLED, at=utc_now())
    assert site.store.update(cancelled, expected=TaskState.UPLOADING)
    recovery.work()
    assert storage.deleted == [task.task_id]
    assert site.state(task) is TaskState.CANCELLED


def test_a_store_that_is_out_of_order_is_tried_until_it_works_and_nobody_waits(site: Site) -> None:
    uploading = site.left(site.dead(), TaskState.UPLOADING)
    processing = site.left(site.dead(), TaskState.PROCESSING)
    storage = Spooled(uploading.task_id)
    storage.go_on.clear()
    storage.sulks = 5
    recovery = site.recovery(site.replica(), storage)
    recovery.start(now=False)
    assert site.state(processing) is TaskState.FAILED
    assert site.state(uploading) is TaskState.UPLOADING
    storage.go_on.set()
    wait_for(lambda: site.state(uploading) is TaskState.COMPLETED)
    wait_for(lambda: storage.deleted == [processing.task_id])
    recovery.stop()


def test_a_server_that_stops_begins_nothing_more(site: Site) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    storage = Spooled(task.task_id)
    recovery = site.recovery(site.replica(), storage)
    recovery.stop()
    recovery.look()
    recovery.work()
    assert not storage.asked
    assert site.state(task) is TaskState.UPLOADING


@pytest.mark.parametrize(
    ("state", "size", "kept"),
    [
        (TaskState.FAILED, None, False),
        (TaskState.CANCELLED, 3, False),
        (TaskState.FAILED, 3, True),  # whole: an operator may retry it
        (TaskState.PROCESSING, None, True),  # another replica's, which shares the directory
    ],
)
def test_the_spool_of_a_task_that_was_ended_elsewhere_is_removed(
    site: Site, state: TaskState, size: int | None, kept: bool
) -> None:
    mine = site.replica()
    task = site.left(site.replica(), state, size_bytes=size)
    (site.root / "spools" / f"{task.task_id}.spool").write_bytes(b"abc")
    (site.root / "spools" / "nobody.spool").write_bytes(b"abc")
    storage = Spooled()
    recovery = site.recovery(mine, storage)
    recovery.look()
    recovery.work()
    assert storage.deleted == ([] if kept else [task.task_id])


def test_the_spool_of_a_completed_task_is_taken_for_published(site: Site) -> None:
    mine = site.replica()
    task = site.left(mine, TaskState.COMPLETED, size_bytes=3)
    (site.root / "spools" / f"{task.task_id}.spool").write_bytes(b"abc")
    storage = Spooled(task.task_id)
    recovery = site.recovery(mine, storage)
    recovery.look()
    recovery.work()
    assert (storage.asked, storage.deleted) == ([target_of(task).task_id], [])

"""Settling what dead replicas left: who takes it over, and what becomes of it."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.metrics import Metrics
from flight_server.recovery import Recovery
from flight_server.service import target_of
from flight_server.storage.base import Target
from flight_server.storage.memory import MemoryStorage
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.orphans import INTERRUPTED, Inherited, Orphans
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.running import Running
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
        self.metrics = Metrics([])
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
        busy: Callable[[], Collection[str]] = set,
        again: timedelta = SOON,
    ) -> Recovery:
        return Recovery(
            self.orphans(replica, timeout),
            self.store,
            storage,
            self.root / "spools",
            self.metrics,
            busy=busy,
            interval=SOON,
            again=again,
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
    running = site.left(mine, TaskState.PROCESSING)
    tasks.append(running)
    site.recovery(mine, Spooled(), busy=lambda: {running.task_id}).look()
    assert [site.store.get(task.task_id) for task in tasks] == tasks


def losing_the_answer(
    store: TaskStore, monkeypatch: pytest.MonkeyPatch, *, made: bool = True
) -> None:
    """Let the connection break at the next commit, which is `made` before that or not."""
    dialect = store.database._engine.dialect
    commit = dialect.do_commit

    def cut(connection: Any) -> None:
        monkeypatch.setattr(dialect, "do_commit", commit)
        if made:
            commit(connection)
        raise dialect.loaded_dbapi.OperationalError("the connection was cut")

    monkeypatch.setattr(dialect, "do_commit", cut)


def test_a_task_that_was_recorded_and_refused_does_not_hold_its_request_id_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = site.replica()
    manager = TaskManager(site.store, replica=mine, slots=1, queue_size=0, queue_timeout=LATE)
    template = site.left(mine, TaskState.COMPLETED)
    task = replace(template, task_id=new_task_id(), request_id="r", state=TaskState.QUEUED)
    losing_the_answer(site.store, monkeypatch)
    with pytest.raises(ServiceError, match="STORAGE_ERROR"):
        manager.open(task)
    assert site.state(task) is TaskState.PROCESSING
    recovery = site.recovery(
        mine, Spooled(), busy=lambda: {each.task.task_id for each in manager.running}
    )
    recovery.look()
    assert site.state(task) is TaskState.FAILED
    again = manager.open(replace(task, task_id=new_task_id()))
    recovery.look()
    assert site.state(again.task) is TaskState.PROCESSING


def uploading_here(site: Site, mine: Replica) -> tuple[TaskManager, Running]:
    """A task that runs, with its file sealed."""
    manager = TaskManager(site.store, replica=mine, slots=1, queue_size=0, queue_timeout=LATE)
    template = site.left(mine, TaskState.COMPLETED)
    running = manager.open(
        replace(template, task_id=new_task_id(), request_id="r", state=TaskState.QUEUED)
    )
    running.uploading(3, "f" * 64)
    return manager, running


def test_what_is_published_does_not_fail_where_it_could_not_be_recorded(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = site.replica()
    manager, running = uploading_here(site, mine)
    losing_the_answer(site.store, monkeypatch, made=False)
    with pytest.raises(ServiceError, match="STORAGE_ERROR"):
        running.complete()
    assert (running.fail(INTERRUPTED).error, manager.active) == (None, 0)
    with pytest.raises(ServiceError, match="INTERRUPTED: the export has been taken over"):
        running.checkpoint()
    recovery = site.recovery(
        mine,
        Spooled(running.task.task_id),
        busy=lambda: {each.task.task_id for each in manager.running},
    )
    recovery.look()
    recovery.work()
    assert site.state(running.task) is TaskState.COMPLETED


def test_what_is_recorded_as_completed_is_so_where_only_the_answer_got_lost(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, running = uploading_here(site, site.replica())
    losing_the_answer(site.store, monkeypatch)
    assert running.complete().state is TaskState.COMPLETED
    assert (running.fail(INTERRUPTED).error, manager.active) == (None, 0)
    assert site.state(running.task) is TaskState.COMPLETED


def test_a_task_that_was_taken_over_without_an_answer_is_published(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    recovery = site.recovery(site.replica(), Spooled(task.task_id))
    losing_the_answer(site.store, monkeypatch)
    with pytest.raises(ServiceError, match="STORAGE_ERROR"):
        recovery.look()
    recovery.look()
    recovery.work()
    assert site.state(task) is TaskState.COMPLETED


def test_a_task_that_was_handed_back_to_one_that_lives_and_let_go_of_it_is_published(
    site: Site,
) -> None:
    """It was taken for dead, and heard that its task was another one's before it had it back."""
    slow = site.replica("spools")
    task = site.left(slow, TaskState.UPLOADING)
    hasty = site.orphans(site.replica("elsewhere"))
    site.table.hand_over(task, "hasty")
    mine = replace(task, replica="hasty")
    hasty.hand_back(Inherited(mine, slow.id, last_chance=False, at=utc_now()))
    recovery = site.recovery(slow, Spooled(task.task_id))
    recovery.look()
    recovery.work()
    assert site.state(task) is TaskState.COMPLETED


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


def test_what_could_not_be_settled_is_not_tried_at_every_look(site: Site) -> None:
    mine = site.replica()
    uploading = site.left(site.dead(), TaskState.UPLOADING)
    cancelled = site.left(site.dead(), TaskState.CANCELLED)
    (site.root / "spools" / f"{cancelled.task_id}.spool").write_bytes(b"abc")
    storage = Spooled()
    storage.sulks = 1000
    looks: list[int] = []

    def busy() -> set[str]:
        looks.append(storage.sulks)
        return set()

    recovery = site.recovery(mine, storage, busy=busy, again=LATE)
    recovery.start(now=False)
    wait_for(lambda: storage.sulks == 998)
    seen = len(looks)
    wait_for(lambda: len(looks) > seen + 20)
    assert (storage.asked, storage.sulks) == ([uploading.task_id], 998)
    recovery.stop()


def test_a_file_that_the_store_refuses_for_too_long_has_failed_with_its_reason(site: Site) -> None:
    task = site.left(site.dead(), TaskState.UPLOADING)
    storage = Spooled(task.task_id)
    storage.sulks = 1
    recovery = site.recovery(site.replica(), storage, timedelta())
    recovery.look()
    recovery.work()
    stored = site.store.get(task.task_id)
    assert stored is not None
    assert stored.error is not None
    assert (stored.state, stored.error.code) == ("FAILED", "UPLOAD_ERROR")
    assert stored.can_be_retried
    assert storage.deleted == [], "the file is kept for a retry"


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


def seen(site: Site, name: str, **labels: str) -> float | None:
    return site.metrics.registry.get_sample_value(name, labels)


def test_what_becomes_of_orphans_is_counted_by_who_settles_them(site: Site) -> None:
    dead, elsewhere = site.dead(), site.dead("elsewhere")
    site.left(dead, TaskState.PROCESSING)
    here = site.left(dead, TaskState.UPLOADING)
    site.left(elsewhere, TaskState.UPLOADING)
    recovery = site.recovery(site.replica(), Spooled(here.task_id))
    site.replica("elsewhere")
    recovery.look()
    assert seen(site, "export_replicas_alive") == 2
    assert seen(site, "export_orphans_waiting") == 2
    recovery.work()
    recovery.look()
    assert seen(site, "export_orphans_total", outcome="completed") == 1
    assert seen(site, "export_orphans_total", outcome="interrupted") == 1
    assert seen(site, "export_orphans_waiting") == 1
    assert seen(site, "export_upload_bytes_total") == here.size_bytes
    assert seen(site, "export_uploads_in_flight") == 0


def test_a_file_that_is_gone_is_counted_as_interrupted(site: Site) -> None:
    site.left(site.dead(), TaskState.UPLOADING)
    recovery = site.recovery(site.replica(), Spooled())
    recovery.look()
    recovery.work()
    recovery.look()
    assert seen(site, "export_orphans_total", outcome="interrupted") == 1
    assert seen(site, "export_orphans_waiting") == 0

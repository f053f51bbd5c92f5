"""Replicas that share a state and take each other for dead, rightly or not.

Whoever is wrong about another one may cost an export, but never a file: what is COMPLETED has its
whole file, what is not has none, and nothing that was told once changes.
"""

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exporters import Workers
from flight_server.config.limits_section import LimitsSection
from flight_server.errors import ErrorCode, ServiceError
from flight_server.links import LinkSigner
from flight_server.logs import get_logger
from flight_server.metrics import Metrics
from flight_server.pipeline import Pipeline
from flight_server.recovery import Recovery
from flight_server.service import target_of
from flight_server.storage.local import LocalStorage, LocalUpload
from flight_server.tasks.heartbeat import Heartbeat
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.orphans import Orphans
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.running import Running
from flight_server.tasks.store import TaskStore
from tests.support.waiting import wait_for

CONTENT = b"id,name\n1,anna\n"
NEVER = timedelta(seconds=-1)
"""A lease that is always over: every replica takes every other one for dead."""

LONG = timedelta(days=1)
LOG = get_logger("test")
IN_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""Where fsync costs nothing: no power is cut here."""

PLACES = st.integers(0, 2)
NUMBERS = st.integers(0, 1000)
"""Pick one of what there is."""


@cache
def empty_state() -> Path:
    """A state database that has its tables: to make them takes long."""
    path = Path(tempfile.mkdtemp()) / "state.db"
    TaskStore(f"sqlite:///{path}").close()
    return path


def unexpected(error: Exception) -> None:
    raise error


class Hasty(Replica):
    """Takes all for dead whose leases are over, whatever became of its own."""

    def _is_steady(self) -> bool:
        return True


class Process:
    """One server without its doors and threads: each step is made by the test."""

    def __init__(self, root: Path, spools: Path, lease: timedelta, timeout: timedelta) -> None:
        self.spools = spools
        self.store = TaskStore(f"sqlite:///{root / 'state.db'}")
        table = ReplicaTable(self.store.database)
        self.replica = Hasty(table, spools, lease)
        self.replica.enter()
        self.manager = TaskManager(
            self.store, replica=self.replica, slots=2, queue_size=2, queue_timeout=timedelta(0)
        )
        self.storage = LocalStorage(
            root / "files",
            spools,
            retention=LONG,
            temp_retention=LONG,
            min_free_bytes=0,
            base_url="http://files.test",
            signer=LinkSigner(b"k" * 32),
        )
        self.pipeline = Pipeline(
            self.storage, Workers(1, 2**20), Metrics(["csv"]), b"", LimitsSection()
        )
        self.heartbeat = Heartbeat(
            self.replica, table, self.manager, timedelta(0), on_error=unexpected
        )
        self.recovery = Recovery(
            Orphans(self.store, table, self.replica, timeout),
            self.store,
            self.storage,
            spools,
            self.pipeline.metrics,
            busy=lambda: {running.task.task_id for running in self.manager.running},
            interval=LONG,
        )
        self.exports: dict[str, tuple[Running, LocalUpload]] = {}

    def kill(self) -> None:
        """End as SIGKILL does it: only the operating system cleans up."""
        descriptor = self.replica._lock._descriptor
        assert descriptor is not None
        self.replica._lock._descriptor = None
        os.close(descriptor)
        for _, upload in self.exports.values():
            upload._spool._file.close()
        self.pipeline.workers.close()
        self.store.close()


class Replicas(RuleBasedStateMachine):
    """Three processes over one state and one directory of files."""

    @initialize(
        shared=st.sampled_from([True, True, False]),
        lease=st.sampled_from([NEVER, NEVER, LONG]),
        timeout=st.sampled_from([LONG, timedelta(0)]),
    )
    def start(self, shared: bool, lease: timedelta, timeout: timedelta) -> None:
        self.root = Path(tempfile.mkdtemp(dir=IN_MEMORY))
        shutil.copy(empty_state(), self.root / "state.db")
        self.lease, self.timeout = lease, timeout
        places = [self.root / ("spools" if shared else f"spools-{n}") for n in range(3)]
        self.processes = [self.process(place) for place in places]
        self.seen: dict[str, TaskState] = {}

    def process(self, spools: Path) -> Process:
        return Process(self.root, spools, self.lease, self.timeout)

    def teardown(self) -> None:
        if not hasattr(self, "processes"):
            return
        try:
            self.settle()
        finally:
            for process in self.processes:
                process.kill()
            shutil.rmtree(self.root)

    def export(self, number: int, state: TaskState) -> tuple[Process, str] | None:
        """An export whose owner, as far as it knows, stands at `state`."""
        able = [
            (process, task_id)
            for process in self.processes
            for task_id, (running, _) in process.exports.items()
            if running.task.state is state
        ]
        return able[number % len(able)] if able else None

    # What owners do

    @rule(at=PLACES, request=st.sampled_from("abcdefgh"), sealed=st.sampled_from([True, False]))
    def open(self, at: int, request: str, sealed: bool) -> None:
        process = self.processes[at]
        task = Task(
            task_id=new_task_id(),
            request_id=request,
            client="c",
            fingerprint="0" * 64,
            format="csv",
            filename="f.csv",
            content_type="text/csv",
            created_at=utc_now(),
        )
        with suppress(ServiceError):  # RequestIdTaken and QUEUE_FULL among them
            running = process.manager.open(task)
            running.wait_for_slot()
            target = target_of(task)
            running.on_end(lambda: process.storage.delete(target))
            upload = process.storage.open_upload(target)
            process.exports[task.task_id] = running, upload
            if sealed:
                self.seal_that(process, task.task_id)

    @rule(number=NUMBERS)
    def seal(self, number: int) -> None:
        if (found := self.export(number, TaskState.PROCESSING)) is not None:
            self.seal_that(*found)

    @staticmethod
    def seal_that(process: Process, task_id: str) -> None:
        running, upload = process.exports[task_id]
        try:
            upload.write(CONTENT)
            digest = upload.seal()
            running.uploading(digest.size, digest.sha256)
        except ServiceError as error:
            upload.__exit__(type(error), error, None)
            running.fail(error.failure)
            del process.exports[task_id]

    @rule(number=NUMBERS, refused=st.booleans())
    def publish(self, number: int, refused: bool) -> None:
        if (found := self.export(number, TaskState.UPLOADING)) is None:
            return
        process, task_id = found
        running, upload = process.exports.pop(task_id)
        target = target_of(running.task)
        refusal = ServiceError(ErrorCode.UPLOAD_ERROR, "refused") if refused else None
        with suppress(ServiceError), upload:
            if refusal is not None:
                upload._refused = True
                process.pipeline._unpublished(running, upload, refusal)
            else:
                try:
                    process.pipeline._publish(running, upload, LOG)
                except ServiceError as error:
                    process.pipeline._unpublished(running, upload, error)
        if refusal is None:
            with suppress(ServiceError):
                process.pipeline.complete(running, target)

    # What others do

    @rule(at=PLACES, number=NUMBERS)
    def cancel(self, at: int, number: int) -> None:
        if self.seen:
            task_id = sorted(self.seen)[number % len(self.seen)]
            process = self.processes[at]
            elsewhere = not process.manager.runs(task_id)
            task = process.manager.cancel(task_id)
            assert task.state.finished or task.replica != process.replica.id
            if elsewhere and task.state is TaskState.CANCELLED:
                process.storage.delete(target_of(task))

    @rule(at=PLACES)
    def beat(self, at: int) -> None:
        self.processes[at].heartbeat.beat()
        wait_for(lambda: not any(t.name == "task-lost" for t in threading.enumerate()))

    @rule(at=PLACES)
    def recover(self, at: int) -> None:
        self.processes[at].recovery.look()
        self.processes[at].recovery.work()

    @rule(at=PLACES)
    def kill(self, at: int) -> None:
        self.processes[at].kill()
        self.processes[at] = self.process(self.processes[at].spools)

    # What is always true

    @invariant()
    def what_was_told_stays_true(self) -> None:
        for process in self.processes:
            for task in process.store.list(limit=1000):
                before = self.seen.get(task.task_id, task.state)
                assert before is task.state or not before.finished
                self.seen[task.task_id] = task.state
        known = {task.task_id for task in self.processes[0].store.list(limit=1000)}
        assert known == self.seen.keys()

    @invariant()
    def what_is_completed_has_its_whole_file(self) -> None:
        storage = self.processes[0].storage
        for task in self.processes[0].store.list(state=TaskState.COMPLETED, limit=1000):
            with storage.open_reader(target_of(task)) as file:
                assert file.read() == CONTENT

    @invariant()
    def a_request_has_one_live_task(self) -> None:
        live = [
            task.request_id
            for task in self.processes[0].store.list(limit=1000)
            if not task.state.broken_off
        ]
        assert len(live) == len(set(live))

    def settle(self) -> None:
        """Once every process has been started again, nothing is unfinished or left over."""
        for at in range(3):
            self.kill(at)
        for _ in range(3):
            for at in range(3):
                self.recover(at)
        self.what_was_told_stays_true()
        self.what_is_completed_has_its_whole_file()
        tasks = self.processes[0].store.list(limit=1000)
        assert all(task.state.finished for task in tasks)
        completed = {task.task_id for task in tasks if task.state is TaskState.COMPLETED}
        assert {each.parent.name for each in (self.root / "files").rglob("f.csv")} == completed
        kept = {task.task_id for task in tasks if task.can_be_retried}
        assert {each.stem for each in self.root.rglob("*.spool")} <= kept


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)

"""Any sequence of what owners, callers, the watchdog and restarts may do to tasks."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id
from flight_server.tasks.orphans import INTERRUPTED, Found, Orphans
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.running import Running
from flight_server.tasks.store import TaskStore
from flight_server.tasks.watchdog import Watchdog

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
IDLE = 60.0
BROKEN = Failure(ErrorCode.INVALID_DATA, "row 7 is broken")


NUMBERS = st.integers(0, 1000)
"""Pick one of what there is."""


def unrated(task: Task) -> Task:
    """The task without what depends on when its batches came, and on who waits before it."""
    return replace(task, rows_per_second=None, position=None)


class JournalStore(TaskStore):
    """A store in memory that keeps every state it was made to record, in order."""

    def __init__(self) -> None:
        super().__init__("sqlite://")
        self.journal: dict[str, list[TaskState]] = {}

    def create(self, task: Task) -> None:
        super().create(task)
        self.journal[task.task_id] = [task.state]

    def update(self, task: Task, *, expected: TaskState, owner: str | None = None) -> bool:
        done = super().update(task, expected=expected, owner=owner)
        if done:
            self.journal[task.task_id].append(task.state)
        return done


class TaskLifecycle(RuleBasedStateMachine):
    """Holds the manager against a model: a dict of tasks, a set of slots and a fair line.

    The queue timeout is zero, so that waiting for a slot never blocks: it is there or it is not.
    """

    @initialize(slots=st.integers(1, 3), queue_size=st.integers(0, 6))
    def start(self, slots: int, queue_size: int) -> None:
        self.seconds = 0.0
        self.slots, self.queue_size = slots, queue_size
        self.store = JournalStore()
        self.expected: dict[str, Task] = {}
        self.last_sign: dict[str, float] = {}
        self.ended_outside: set[str] = set()
        self.called_back: list[str] = []
        self.directory = Path(tempfile.mkdtemp())
        self.begin()

    def begin(self) -> None:
        """A new process on the store."""
        self.owners: dict[str, Running] = {}
        self.holders: set[str] = set()
        self.line: list[str] = []  # in the order of arrival
        self.turns: list[str] = []  # clients in line, in the order of their turns
        self.draining = False
        table = ReplicaTable(self.store.database)
        self.replica = Replica(table, self.directory, timedelta(days=1))
        self.replica.enter()
        self.orphans = Orphans(self.store, table, self.replica, timedelta(days=1), self.now)
        self.manager = TaskManager(
            self.store,
            replica=self.replica,
            slots=self.slots,
            queue_size=self.queue_size,
            queue_timeout=timedelta(0),
            clock=self.now,
            monotonic=lambda: self.seconds,
        )
        forever = timedelta(days=10_000)
        self.watchdog = Watchdog(self.manager, timedelta(seconds=IDLE), forever, forever)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.replica.leave()
            self.store.close()
            shutil.rmtree(self.directory)

    # What the model knows

    def arrive(self, task_id: str) -> None:
        self.line.append(task_id)
        if (client := self.expected[task_id].client) not in self.turns:
            self.turns.append(client)

    def leave(self, task_id: str) -> None:
        if task_id in self.line:
            self.line.remove(task_id)
            self.keep_turns()
        elif task_id in self.holders:
            self.holders.remove(task_id)
            if self.line:
                self.holders.add(self.take_turn())

    def take_turn(self) -> str:
        client = self.turns.pop(0)
        task_id = self.of_client(client)[0]
        self.line.remove(task_id)
        self.turns.append(client)
        self.keep_turns()
        return task_id

    def keep_turns(self) -> None:
        self.turns = [client for client in self.turns if self.of_client(client)]

    def of_client(self, client: str) -> list[str]:
        return [each for each in self.line if self.expected[each].client == client]

    def place(self, task_id: str) -> int | None:
        """1 and how many go before it: of its own client those that came earlier, of each other
        as many, and one more of those whose turn is earlier.
        """
        if task_id not in self.line:
            return None
        client = self.expected[task_id].client
        own = self.of_client(client).index(task_id)
        before = self.turns.index(client)
        others = (
            min(len(self.of_client(other)), own + (turn < before))
            for turn, other in enumerate(self.turns)
            if other != client
        )
        return 1 + own + sum(others)

    def end_in_model(self, task_id: str, state: TaskState, error: Failure | None) -> None:
        task = self.expected[task_id]
        self.expected[task_id] = replace(task, state=state, error=error, completed_at=self.now())
        self.leave(task_id)

    def refusal(self, task_id: str) -> ErrorCode | None:
        """What the owner must be told now, if the task has ended."""
        task = self.expected[task_id]
        if task.state is TaskState.CANCELLED:
            return ErrorCode.CANCELLED
        return task.error.code if task.error else None

    def pick(self, number: int, *states: TaskState) -> str | None:
        """A task whose owner, keeping to the order of things, would make the step now."""
        able = [
            task_id
            for task_id in self.owners
            if self.refusal(task_id) or self.expected[task_id].state in states
        ]
        return able[number % len(able)] if able else None

    # Owners

    @rule(request=st.sampled_from("abcdefgh"), client=st.sampled_from("xyz"))
    def open(self, request: str, client: str) -> None:
        task = Task(
            task_id=new_task_id(self.now() + timedelta(milliseconds=len(self.expected))),
            request_id=request,
            client=client,
            fingerprint="0" * 64,
            format="csv",
            filename="f.csv",
            content_type="text/csv",
            created_at=self.now(),
        )
        refusal = self.refusal_of(client, request)
        opened: list[Running] = []
        assert self.attempt(lambda: opened.append(self.manager.open(task))) == refusal
        if refusal is not None:
            return
        opened[0].on_end(lambda: self.called_back.append(task.task_id))
        self.owners[task.task_id] = opened[0]
        self.last_sign[task.task_id] = self.seconds
        task = replace(task, replica=self.replica.id)
        if len(self.holders) < self.slots:
            self.holders.add(task.task_id)
            task = replace(task, state=TaskState.PROCESSING, started_at=self.now())
        self.expected[task.task_id] = task
        if task.state is TaskState.QUEUED:
            self.arrive(task.task_id)

    def refusal_of(self, client: str, request: str) -> ErrorCode | None:
        if self.draining:
            return ErrorCode.SHUTTING_DOWN
        if len(self.holders) == self.slots and len(self.line) == self.queue_size:
            return ErrorCode.QUEUE_FULL
        over = (TaskState.FAILED, TaskState.CANCELLED)
        taken = {
            (task.client, task.request_id)
            for task in self.expected.values()
            if task.state not in over
        }
        return ErrorCode.ALREADY_EXISTS if (client, request) in taken else None

    @rule(number=NUMBERS)
    def wait(self, number: int) -> None:
        task_id = self.pick(number, TaskState.QUEUED, TaskState.PROCESSING)
        if task_id is None:
            return
        running = self.owners[task_id]
        places: list[int] = []
        told = self.refusal(task_id)
        if told is None and task_id in self.line:
            told = ErrorCode.QUEUE_TIMEOUT
        place = self.place(task_id)
        error = self.attempt(lambda: running.wait_for_slot(places.append))
        assert error == told
        assert places == ([] if place is None else [place])
        task = self.expected[task_id]
        if told is ErrorCode.QUEUE_TIMEOUT and task.state is TaskState.QUEUED:
            self.end_in_model(task_id, TaskState.FAILED, running.task.error)
        elif told is None and task.state is TaskState.QUEUED:
            self.expected[task_id] = replace(
                task, state=TaskState.PROCESSING, started_at=self.now()
            )
            self.last_sign[task_id] = self.seconds

    @rule(number=NUMBERS, rows=st.integers(0, 10**12), size=st.integers(0, 10**12))
    def advance(self, number: int, rows: int, size: int) -> None:
        task_id = self.pick(number, TaskState.PROCESSING)
        if task_id is None:
            return
        running = self.owners[task_id]
        told = self.refusal(task_id)
        assert self.attempt(lambda: running.advance(rows=rows, bytes=size)) == told
        if told is None:
            self.expected[task_id] = replace(self.expected[task_id], rows=rows, bytes=size)
            self.last_sign[task_id] = self.seconds

    @rule(number=NUMBERS, size=st.integers(0, 10**12))
    def upload(self, number: int, size: int) -> None:
        task_id = self.pick(number, TaskState.PROCESSING)
        if task_id is None:
            return
        running = self.owners[task_id]
        told = self.refusal(task_id)
        assert self.attempt(lambda: running.uploading(size, "f" * 64, 1, ())) == told
        if told is None:
            self.expected[task_id] = replace(
                self.expected[task_id],
                state=TaskState.UPLOADING,
                bytes=size,
                size_bytes=size,
                sha256="f" * 64,
                sheets=1,
            )

    @rule(number=NUMBERS)
    def complete(self, number: int) -> None:
        task_id = self.pick(number, TaskState.UPLOADING)
        if task_id is None:
            return
        running = self.owners[task_id]
        told = self.refusal(task_id)
        assert self.attempt(running.complete) == told
        if told is None:
            self.end_in_model(task_id, TaskState.COMPLETED, None)

    @rule(number=NUMBERS)
    def fail(self, number: int) -> None:
        task_id = self.pick(number, *TaskState)
        if task_id is None:
            return
        running = self.owners.pop(task_id)
        if not self.expected[task_id].state.finished:
            self.end_in_model(task_id, TaskState.FAILED, BROKEN)
        assert running.fail(BROKEN) == self.expected[task_id]

    @staticmethod
    def attempt(step: Callable[[], object]) -> ErrorCode | None:
        try:
            step()
        except ServiceError as error:
            return error.code
        return None

    # Everybody else

    @rule(number=NUMBERS, cancelled=st.booleans())
    def end_from_outside(self, number: int, cancelled: bool) -> None:
        if not self.expected:
            return
        task_id = list(self.expected)[number % len(self.expected)]
        if not self.expected[task_id].state.finished:
            state = TaskState.CANCELLED if cancelled else TaskState.FAILED
            self.end_in_model(task_id, state, None if cancelled else BROKEN)
            self.ended_outside.add(task_id)
        ending = self.manager.cancel if cancelled else lambda id_: self.manager.end(id_, BROKEN)
        assert ending(task_id) == self.expected[task_id]

    @rule(seconds=st.floats(0.001, 45))
    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds

    @rule()
    def watch(self) -> None:
        self.watchdog.check()
        for task_id, task in list(self.expected.items()):
            idle = self.seconds - self.last_sign[task_id]
            if task.state is TaskState.PROCESSING and idle >= IDLE:
                stored = self.store.get(task_id)
                assert stored is not None
                assert stored.error is not None
                assert stored.error.code is ErrorCode.STREAM_STALLED
                self.end_in_model(task_id, TaskState.FAILED, stored.error)
                self.ended_outside.add(task_id)

    @rule()
    def drain(self) -> None:
        self.manager.drain()
        self.draining = True

    @rule(published=st.booleans())
    def restart(self, published: bool) -> None:
        """The process is killed: the figures of its batches are lost, its transitions are not."""
        self.replica.leave()
        self.begin()
        found = self.orphans.look(set)
        for inherited in found.inherited:
            assert inherited.last_chance
            assert (self.orphans.complete if published else self.orphans.fail)(inherited.task)
        unfinished = [task for task in self.expected.values() if not task.state.finished]
        uploading = {task.task_id for task in unfinished if task.state is TaskState.UPLOADING}
        assert {inherited.task.task_id for inherited in found.inherited} == uploading
        for task in unfinished:
            stored = self.store.get(task.task_id)
            assert stored is not None
            done = published and task.state is TaskState.UPLOADING
            assert stored.state is (TaskState.COMPLETED if done else TaskState.FAILED)
            assert done or stored.error == INTERRUPTED
            self.expected[task.task_id] = stored
        assert self.orphans.look(set) == Found()

    # What is always true

    @invariant()
    def everybody_sees_the_same(self) -> None:
        for task_id, task in self.expected.items():
            seen = self.manager.get(task_id)
            assert seen is not None
            assert seen.rows_per_second is None or task.state is TaskState.PROCESSING
            assert unrated(seen) == task
            assert seen.position == self.place(task_id)
        newest_first = [self.expected[task_id] for task_id in sorted(self.expected, reverse=True)]
        listed = self.manager.list(limit=len(newest_first) + 1)
        assert [unrated(task) for task in listed] == newest_first

    @invariant()
    def the_store_knows_every_transition(self) -> None:
        for task_id, task in self.expected.items():
            stored = self.store.get(task_id)
            assert stored is not None
            assert stored.state is task.state
            assert (stored == task) or not task.state.finished

    @invariant()
    def only_legal_moves_were_recorded(self) -> None:
        for states in self.store.journal.values():
            assert states[0] in (TaskState.QUEUED, TaskState.PROCESSING)
            assert all(old.can_become(new) for old, new in pairwise(states))

    @invariant()
    def slots_and_line_are_those_of_the_model(self) -> None:
        assert self.manager.active == len(self.holders) <= self.slots
        assert self.manager.queued == len(self.line) <= self.queue_size
        running = {running.task.task_id for running in self.manager.running}
        assert running == self.holders | set(self.line)

    @invariant()
    def everybody_in_line_has_a_place_of_their_own(self) -> None:
        places = [task.position for task in map(self.manager.get, self.line) if task]
        assert sorted(place or 0 for place in places) == list(range(1, len(self.line) + 1))

    @invariant()
    def callbacks_ran_once_for_those_ended_from_outside(self) -> None:
        assert sorted(self.called_back) == sorted(self.ended_outside)


TestTaskLifecycle = TaskLifecycle.TestCase
TestTaskLifecycle.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

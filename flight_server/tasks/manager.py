"""The tasks of this process: letting them in, finding them, ending them, and a clean stop."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.model import Task, TaskState, utc_now
from flight_server.tasks.running import Running
from flight_server.tasks.slots import SlotPool
from flight_server.tasks.store import TaskStore

Tasks = list[Task]  # the name `list` is a method's, inside the class


class Owner(Protocol):
    """The replica that tasks belong to; see `Replica`."""

    @property
    def id(self) -> str:
        """Of this process."""
        ...

    @property
    def alone(self) -> bool:
        """Whether nobody else can end its tasks, as far as is known."""
        ...

    def hold(self) -> None:
        """Make sure that the others take this replica for alive. Raises `ServiceError`."""
        ...


class _Alone:
    """The only process that uses a store."""

    id: Final = ""
    alone: Final = True

    def hold(self) -> None:
        """Nobody could take it for dead."""


_ALONE: Final = _Alone()


class TaskManager:
    """Gives tasks their slots and records what becomes of them; for use from many threads.

    `slots` tasks run at once, `queue_size` more wait, each `queue_timeout` at the most. `clock`
    gives the times that are recorded, `monotonic` the seconds that idleness is measured in: a
    correction of the system's time stalls nobody. Several managers may use a store, each as its own
    `replica`.
    """

    def __init__(
        self,
        store: TaskStore,
        *,
        slots: int,
        queue_size: int,
        queue_timeout: timedelta,
        replica: Owner = _ALONE,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.monotonic = monotonic
        self._replica = replica
        self._store = store
        self._slots = SlotPool(slots, queue_size, monotonic)
        self._queue_timeout = queue_timeout
        self._clock = clock
        self._running: dict[str, Running] = {}  # one operation on a dict is atomic

    @property
    def active(self) -> int:
        """Tasks that hold a slot."""
        return self._slots.held

    @property
    def queued(self) -> int:
        """Tasks that wait for a slot."""
        return self._slots.waiting

    @property
    def running(self) -> tuple[Running, ...]:
        """The unfinished tasks of this process, oldest first."""
        return tuple(self._running.values())

    def open(self, task: Task) -> Running:
        """Let a new QUEUED `task` in: recorded PROCESSING if a slot is free, else QUEUED.

        It is this replica's then.

        Raises ServiceError with QUEUE_FULL or SHUTTING_DOWN, and RequestIdTaken as
        `TaskStore.create` does; what is refused is not recorded.
        """
        lease = self._slots.enter(task.client)
        try:
            self._replica.hold()
            task = replace(task, replica=self._replica.id)
            if lease.held:
                task = task.moved(TaskState.PROCESSING, at=self._clock())
            running = Running(
                task,
                store=self._store,
                lease=lease,
                queue_timeout=self._queue_timeout,
                clock=self._clock,
                monotonic=self.monotonic,
                on_finish=self._forget,
            )
            self._record(running)
        except BaseException:
            lease.release(used=False)
            raise
        return running

    def get(self, task_id: str) -> Task | None:
        """The task as it is recorded, with live figures if it runs here.

        Another replica may have ended it, and told somebody so, before that is noticed here: the
        record is asked, unless there is no other.
        """
        running = self._running.get(task_id)
        if running is not None and self._replica.alone:
            return running.task
        before = dict(self._running)
        stored = self._store.get(task_id)
        return None if stored is None else self._live(stored, before)

    def runs(self, task_id: str) -> bool:
        """Whether the task is unfinished and this process has it."""
        return task_id in self._running

    def list(
        self,
        *,
        client: str | None = None,
        state: TaskState | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Tasks:
        """A page as `TaskStore.list` gives it, with the live figures of what runs here."""
        before = dict(self._running)  # also of those that end while the page is read
        page = self._store.list(client=client, state=state, limit=limit, after=after)
        return [self._live(task, before) for task in page]

    def cancel(self, task_id: str) -> Task:
        """End the task CANCELLED and return it; a finished one is returned unchanged.

        The slot is free at once, and the owner notices at its next `advance` or transition; the
        call that ends the task runs its `on_end` callbacks before it returns. Raises ServiceError
        with TASK_NOT_FOUND.
        """
        running = self._running.get(task_id)
        if running is not None:
            return running.cancel()
        return self._end_stored(task_id, TaskState.CANCELLED, None)

    def end(self, task_id: str, failure: Failure) -> Task:
        """End the task FAILED, otherwise as `cancel`."""
        running = self._running.get(task_id)
        if running is not None:
            return running.end(failure)
        return self._end_stored(task_id, TaskState.FAILED, failure)

    def drain(self) -> None:
        """Refuse new tasks with SHUTTING_DOWN from now on; those let in go on."""
        self._slots.close()

    def wait_idle(self, timeout: timedelta) -> bool:
        """Block until no task holds or awaits a slot; False after `timeout`."""
        return self._slots.wait_empty(timeout.total_seconds())

    def _record(self, running: Running) -> None:
        """Make the task known here and to the store, with no `cancel` in between."""
        task = running.task
        with running.transition:
            if self._running.setdefault(task.task_id, running) is not running:
                raise ValueError(f"task {task.task_id} runs already")
            try:
                self._store.create(task)
            except BaseException:
                self._forget(task.task_id)
                raise

    def _forget(self, task_id: str) -> None:
        self._running.pop(task_id, None)

    def _live(self, stored: Task, before: Mapping[str, Running]) -> Task:
        """The task as the page has it, with figures no lower than those that were shown before.

        Another state than the page's would contradict the filter it was chosen by.
        """
        running = before.get(stored.task_id) or self._running.get(stored.task_id)
        if running is None:
            return stored
        live = running.task
        if live.state is stored.state:
            return live
        with running.transition:
            pass  # whoever asks for the task next must not hear of the state before
        if stored.state.finished:
            return stored
        return replace(
            stored, rows=max(stored.rows, live.rows), bytes=max(stored.bytes, live.bytes)
        )

    def _end_stored(self, task_id: str, state: TaskState, failure: Failure | None) -> Task:
        """End a task that does not run here: another replica's, an orphan, or a finished one."""
        while True:
            task = self._store.get(task_id)
            if task is None:
                message = f"there is no task {task_id!r}"
                raise ServiceError(ErrorCode.TASK_NOT_FOUND, message)
            if task.state.finished:
                return task
            ended = task.moved(state, at=self._clock(), error=failure)
            if self._store.update(ended, expected=task.state, owner=task.replica):
                return ended

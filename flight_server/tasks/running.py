"""A task while it runs in this process: its slot, its live figures, its transitions."""

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.model import IllegalTransition, Task, TaskState, TaskWarning
from flight_server.tasks.slots import Lease
from flight_server.tasks.store import TaskStore


class Running:
    """What the owner of a task holds, from `TaskManager.open` to the task's end.

    The owner's thread calls `wait_for_slot`, `advance`, `received`, `checkpoint`, `uploading`,
    `complete` and `fail`. Any other may call `cancel`, `end` and the properties.

    A transition is in the store before the method that makes it returns, and the store decides
    between two at once: its compare-and-set lets one through. Whoever comes second finds the task
    ended. The slot is given back when the task ends, whoever ends it and whether or not the
    owner's thread ever returns.
    """

    def __init__(
        self,
        task: Task,
        *,
        store: TaskStore,
        lease: Lease,
        queue_timeout: timedelta,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        on_finish: Callable[[str], None],
    ) -> None:
        self.opened_at = monotonic()
        """Seconds of the manager's `monotonic`."""
        self.transition = threading.Lock()
        """Held while a transition is written, so that one follows the other."""
        self._task = task
        self._store = store
        self._lease = lease
        self._queue_timeout = queue_timeout
        self._clock = clock
        self._monotonic = monotonic
        self._on_finish = on_finish
        self._idle_since = self.opened_at
        self._unsaved: Failure | None = None
        self._ended_outside = False
        self._moving = False  # a transition is being recorded with the figures that are shown
        self._callbacks = ExitStack()
        self._lock = threading.Lock()  # of the fields that change; never held over I/O

    @property
    def task(self) -> Task:
        """The task as it is now, live figures included."""
        return self._task

    @property
    def idle_since(self) -> float:
        """Since when the client is awaited, in seconds of the manager's `monotonic`."""
        return self._idle_since

    @property
    def unsaved(self) -> Failure | None:
        """The failure that `fail` could not record because the store was out of order."""
        return self._unsaved

    def wait_for_slot(self, on_wait: Callable[[int], None] | None = None) -> None:
        """Block until the task has a slot and is PROCESSING; at once if it has one already.

        `on_wait` is told the place in line (1 = next) on entry and whenever it changes, in this
        thread. If it raises, the task is still QUEUED: fail it.

        Raises ServiceError with QUEUE_TIMEOUT when no slot came free in time, the task then being
        FAILED, or with what the task was ended with meanwhile.
        """
        timeout = self._queue_timeout.total_seconds()
        if self._lease.wait(timeout, on_wait):
            if self._task.state is TaskState.QUEUED:
                self._become(TaskState.PROCESSING)
            self.checkpoint()
            return
        message = f"no slot came free within {timeout:g} s; retry later"
        raise _ending(self.fail(Failure(ErrorCode.QUEUE_TIMEOUT, message)))

    def advance(self, *, rows: int, bytes: int) -> None:  # noqa: A002 - the protocol's name
        """Show how far the task is: rows taken and bytes of the file written so far, in all.

        Made for every batch: it takes a lock and writes nothing. Raises as `checkpoint`.
        """
        with self._lock:
            self._raise_if_finished()
            self._idle_since = self._monotonic()
            if not self._moving:
                self._task = replace(self._task, rows=rows, bytes=bytes)

    def received(self) -> None:
        """Say that nothing is awaited from the client until the next `advance`.

        However long a large batch, a busy server or a slow disk takes, silence is not the client's
        fault and the watchdog does not judge the task idle. Raises as `checkpoint`.
        """
        with self._lock:
            self._raise_if_finished()
            self._idle_since = math.inf

    def checkpoint(self) -> None:
        """Return if the task goes on; raise ServiceError with what it was ended with if not.

        CANCELLED, or the code and message that `end` or `fail` were given.
        """
        self._raise_if_finished()

    def uploading(
        self,
        size_bytes: int,
        sha256: str,
        sheets: int | None = None,
        warnings: Sequence[TaskWarning] = (),
    ) -> Task:
        """Record that the whole file is durable; raises as `checkpoint`."""
        return self._become(
            TaskState.UPLOADING,
            bytes=size_bytes,
            size_bytes=size_bytes,
            sha256=sha256,
            sheets=sheets,
            warnings=tuple(warnings),
        )

    def complete(self) -> Task:
        """Record that the file can be downloaded; raises as `checkpoint`."""
        return self._become(TaskState.COMPLETED)

    def fail(self, failure: Failure) -> Task:
        """End the task FAILED, and return it; a task that is finished stays as it is.

        The slot is free afterwards even if the store is out of order and this raises its
        ServiceError. The watchdog then records the failure as soon as the store is back.
        """
        try:
            self._finish(TaskState.FAILED, failure)
        except BaseException:
            with self._lock:
                self._unsaved = failure
                self._callbacks = ExitStack()  # the owner is alive and frees what it holds
            self._lease.release()
            raise
        return self._task

    def cancel(self) -> Task:
        """End the task CANCELLED from any thread; a task that is finished stays as it is."""
        return self._end_outside(TaskState.CANCELLED, None)

    def end(self, failure: Failure, *, unless: TaskState | None = None) -> Task:
        """End the task FAILED from any thread; a task that is finished stays as it is.

        As one does that is in the state `unless`.
        """
        return self._end_outside(TaskState.FAILED, failure, unless)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Have `callback` run once, when the task is ended by `cancel` or `end`.

        It lets the owner free what it holds when its own thread is stuck and may never return.
        It runs in the thread that ended the task, with the end recorded, the slot free and no
        lock held; in the caller's own, now, if that has happened already. The owner's thread
        may be running at the same time. Of several callbacks the last one runs first, and all
        run even if one raises; the error then reaches the caller of `cancel` or `end`. None runs
        when the owner itself ends the task.
        """
        with self._lock:
            if not self._ended_outside:
                self._callbacks.callback(callback)
                return
        callback()

    def _become(self, state: TaskState, **changes: Any) -> Task:
        """Make the owner's transition, or raise what the task was ended with."""
        with self.transition:
            self._raise_if_finished()
            if self._move(state, **changes).state is not state:
                self._raise_if_finished()
            return self._task

    def _finish(
        self, state: TaskState, error: Failure | None, unless: TaskState | None = None
    ) -> bool:
        """End the task; False if it had ended before, or is in the state `unless`."""
        with self.transition:
            if self._task.state.finished or self._task.state is unless:
                return False
            self._move(state, error=error)
            return True

    def _end_outside(
        self, state: TaskState, error: Failure | None, unless: TaskState | None = None
    ) -> Task:
        if self._finish(state, error, unless):
            with self._lock:
                self._ended_outside = True
                callbacks = self._callbacks.pop_all()
            callbacks.close()
        return self._task

    def _move(self, state: TaskState, **changes: Any) -> Task:
        """Record a transition and return the task, which another process may have ended first."""
        with self._lock:
            self._moving = True
        try:
            after = self._recorded(state, **changes)
            with self._lock:
                self._task = after
                self._idle_since = self._monotonic()
        finally:
            self._moving = False
        if after.state.finished:
            self._on_finish(after.task_id)
            self._lease.release()
        return after

    def _recorded(self, state: TaskState, **changes: Any) -> Task:
        """What the store has now: the task in its new state, or as another process ended it."""
        before = self._task
        after = before.moved(state, at=self._clock(), **changes)
        while not self._store.update(after, expected=before.state):
            before = self._as_stored()
            if before.state.finished:
                return before
            after = before.moved(state, at=self._clock(), **changes)
        return after

    def _as_stored(self) -> Task:
        """What the store has where it is not what was recorded last.

        Ended by another process; or moved by us, in a write whose answer got lost.
        """
        stored = self._store.get(self._task.task_id)
        if stored is None:
            gone = Failure(ErrorCode.INTERRUPTED, "the record of the export was removed; retry")
            return self._task.moved(TaskState.FAILED, at=self._clock(), error=gone)
        if stored.state.finished:
            return stored
        return replace(stored, rows=self._task.rows, bytes=self._task.bytes)

    def _raise_if_finished(self) -> None:
        task = self._task
        if task.state.finished:
            raise _ending(task)


def _ending(task: Task) -> Exception:
    """What the owner of a finished task is told when it goes on."""
    if task.state is TaskState.CANCELLED:
        return ServiceError(ErrorCode.CANCELLED, "the export was cancelled", task_id=task.task_id)
    if task.error is not None:
        return ServiceError(task.error.code, task.error.message, task_id=task.task_id)
    return IllegalTransition(f"task {task.task_id} is {task.state} already")

"""A task while it runs in this process: its slot, its live figures, its transitions."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.callbacks import EndCallbacks
from flight_server.tasks.endings import ending
from flight_server.tasks.model import Task, TaskState, TaskWarning
from flight_server.tasks.rate import RecentRate
from flight_server.tasks.record import TaskRecord
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

    Another replica may take this one for dead, after a pause or without the state database: then
    it ends the task, or takes it over if the file is durable. See `lost`.
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
        self._replica = task.replica
        self._record = TaskRecord(store, clock)
        self._lease = lease
        self._queue_timeout = queue_timeout
        self._monotonic = monotonic
        self._on_finish = on_finish
        self._idle_since = self.opened_at
        self._rate = RecentRate()
        self._rate_from(task)
        self._unsaved: Failure | None = None
        self._moving = False  # a transition is being recorded with the figures that are shown
        self._callbacks = EndCallbacks()
        self._lock = threading.Lock()  # of the fields that change; never held over I/O

    @property
    def task(self) -> Task:
        """The task as it is now, live figures included."""
        with self._lock:
            task = self._task
            if task.state is TaskState.QUEUED:
                return replace(task, position=self._lease.place or None)
            if task.state is not TaskState.PROCESSING:
                return task
            rate = self._rate.at(self._monotonic())
        return task if rate is None else replace(task, rows_per_second=rate)

    @property
    def idle_since(self) -> float:
        """Since when the client is awaited, in seconds of the manager's `monotonic`."""
        return self._idle_since

    @property
    def unsaved(self) -> Failure | None:
        """The failure that `fail` could not record because the store was out of order."""
        return self._unsaved

    def wait_for_slot(
        self, on_wait: Callable[[int], None] | None = None, every: float = math.inf
    ) -> None:
        """Block until the task has a slot and is PROCESSING; at once if it has one already.

        `on_wait` is told the place in line (1 = next) on entry, whenever it changes and after
        `every` seconds without a change, in this thread. If it raises, the task is still QUEUED:
        fail it.

        Raises ServiceError with QUEUE_TIMEOUT when no slot came free in time, the task then being
        FAILED, or with what the task was ended with meanwhile.
        """
        timeout = self._queue_timeout.total_seconds()
        if self._lease.wait(timeout, on_wait, every):
            if self._task.state is TaskState.QUEUED:
                self._become(TaskState.PROCESSING)
            self.checkpoint()
            return
        message = f"no slot came free within {timeout:g} s; retry later"
        raise ending(self.fail(Failure(ErrorCode.QUEUE_TIMEOUT, message)))

    def advance(self, *, rows: int, bytes: int) -> None:  # noqa: A002 - the protocol's name
        """Show how far the task is: rows taken and bytes of the file written so far, in all.

        Made for every batch: it takes a lock and writes nothing. Raises as `checkpoint`.
        """
        with self._lock:
            self._raise_if_over()
            self._idle_since = self._monotonic()
            if not self._moving:
                self._task = replace(self._task, rows=rows, bytes=bytes)
                self._rate.reach(self._idle_since, rows)

    def received(self) -> None:
        """Say that nothing is awaited from the client until the next `advance`.

        However long a large batch, a busy server or a slow disk takes, silence is not the client's
        fault and the watchdog does not judge the task idle. Raises as `checkpoint`.
        """
        with self._lock:
            self._raise_if_over()
            self._idle_since = math.inf

    def checkpoint(self) -> None:
        """Return if the task goes on; raise ServiceError with what it was ended with if not.

        CANCELLED, or the code and message that `end` or `fail` were given.
        """
        self._raise_if_over()

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
        """Record that the file can be downloaded; raises as `checkpoint`.

        Also where another replica has taken the task over: the file is there, whoever sent it.

        Where the store does not say that it is recorded, this raises its ServiceError and the task
        is over for its owner: `fail` would lie of a file that is published. It is UPLOADING then,
        and found by `Orphans`, which see that the file is there.
        """
        with self.transition:
            if not self._task.state.finished:
                try:
                    self._move(TaskState.COMPLETED)
                except ServiceError as error:
                    self._take(self._record.completed_or_nobodys(self._task))
                    self._callbacks.forget()
                    if self._task.state is not TaskState.COMPLETED:
                        raise error from None
            if self._task.state is not TaskState.COMPLETED:
                self._raise_if_over()
            return self._task

    def fail(self, failure: Failure) -> Task:
        """End the task FAILED, and return it; a task that is over for this process stays as it is.

        The slot is free afterwards even if the store is out of order and this raises its
        ServiceError. The watchdog then records the failure as soon as the store is back.
        """
        try:
            with self.transition:
                if not self._is_over(self._task):
                    self._move(TaskState.FAILED, error=failure)
        except BaseException:
            self._unsaved = failure
            self._callbacks.forget()  # the owner is alive and frees what it holds
            self._lease.release()
            raise
        return self._task

    def leave(self) -> None:
        """Have nothing to do any more with a task that is UPLOADING: `Orphans` find it."""
        with self.transition:
            if not self._is_over(self._task):
                self._take(self._record.nobodys(self._task))
        self._unsaved = None
        self._callbacks.forget()

    def cancel(self) -> Task:
        """End the task CANCELLED from any thread; a task that is finished stays as it is."""
        return self._end_outside(TaskState.CANCELLED, None)

    def end(self, failure: Failure, *, unless: TaskState | None = None) -> Task:
        """End the task FAILED from any thread, unless it is finished or in the state `unless`."""
        return self._end_outside(TaskState.FAILED, failure, unless)

    def lost(self, stored: Task) -> None:
        """Take note of what another replica has made of the task; from any thread.

        One that it has ended as FAILED or CANCELLED is ended here as by `end`, which runs the
        callbacks. One that it has taken over, or completed since, is left to it: nothing is freed
        but the slot, and the owner may still `complete` it.
        """
        with self.transition:
            if self._is_over(self._task):
                return
            self._take(stored)
        self._call_back()

    def on_end(self, callback: Callable[[], None]) -> None:
        """Have `callback` run once, when the task is ended by `cancel` or `end`.

        It lets the owner free what it holds when its own thread is stuck and may never return.
        It runs in the thread that ended the task, with the end recorded, the slot free and no
        lock held; in the caller's own, now, if that has happened already. The owner's thread
        may be running at the same time. Of several callbacks the last one runs first, and all
        run even if one raises; the error then reaches the caller of `cancel` or `end`. None runs
        when the owner itself ends the task.
        """
        self._callbacks.add(callback)

    def _become(self, state: TaskState, **changes: Any) -> Task:
        """Make the owner's transition, or raise what the task was ended with."""
        with self.transition:
            self._raise_if_over()
            if self._move(state, **changes).state is not state:
                self._raise_if_over()
            return self._task

    def _end_outside(
        self, state: TaskState, error: Failure | None, unless: TaskState | None = None
    ) -> Task:
        with self.transition:
            if self._is_over(self._task) or self._task.state is unless:
                return self._task
            self._move(state, error=error)
        self._call_back()
        return self._task

    def _call_back(self) -> None:
        """Run the callbacks of a task that is broken off; forget those of any other."""
        if self._task.state.broken_off:
            self._callbacks.run()
        else:
            self._callbacks.forget()

    def _move(self, state: TaskState, **changes: Any) -> Task:
        """Record a transition and return the task, which another process may have ended first."""
        with self._lock:
            self._moving = True
        try:
            self._take(self._record.move(self._task, state, **changes))
        finally:
            self._moving = False
        return self._task

    def _take(self, task: Task) -> None:
        """Have `task` as what is true now."""
        with self._lock:
            self._task = task
            self._idle_since = self._monotonic()
            self._rate_from(task)
        if self._is_over(task):
            self._on_finish(task.task_id)
            self._lease.release()

    def _rate_from(self, task: Task) -> None:
        """Begin to measure the rate of a task that has its slot now."""
        if task.state is TaskState.PROCESSING:
            self._rate.reach(self._idle_since, task.rows)

    def _is_over(self, task: Task) -> bool:
        """Whether this process has no part in the task any more."""
        return task.state.finished or task.replica != self._replica

    def _raise_if_over(self) -> None:
        task = self._task
        if self._is_over(task):
            raise ending(task)

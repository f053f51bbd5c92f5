"""The transitions of a task in the store, where other processes may have made theirs first."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks.model import Task, TaskState
from flight_server.tasks.store import TaskStore

_NOBODY: Final = "nobody"
"""Has a task whose end is not known here: no replica has such an id."""


class TaskRecord:
    """What its owner writes of a task. Methods raise `ServiceError` as the store does."""

    def __init__(self, store: TaskStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def move(self, task: Task, state: TaskState, **changes: Any) -> Task:
        """Record a move of the owner's `task`; what the store has then.

        That is another state, or another replica's task, where somebody else was first.
        """
        before = task
        after = before.moved(state, at=self._clock(), **changes)
        owner = task.replica if state.is_the_owners else None
        while not self._store.update(after, expected=before.state, owner=owner):
            before = self._as_stored(task)
            if before.state.finished or before.replica != task.replica:
                return before
            after = before.moved(state, at=self._clock(), **changes)
        return after

    def completed_or_nobodys(self, task: Task) -> Task:
        """The task as COMPLETED if only the answer to that got lost; else one for `Orphans`."""
        with suppress(ServiceError):
            stored = self._store.get(task.task_id)
            if stored is not None and stored.state is TaskState.COMPLETED:
                return stored
        return self.nobodys(task)

    @staticmethod
    def nobodys(task: Task) -> Task:
        """The task as one that no process has."""
        return replace(task, replica=_NOBODY)

    def _as_stored(self, task: Task) -> Task:
        """What the store has where it is not what was recorded last.

        Ended or taken over by another process; or moved by us, in a write whose answer got lost.
        """
        stored = self._store.get(task.task_id)
        if stored is None:
            gone = Failure(ErrorCode.INTERRUPTED, "the record of the export was removed; retry")
            return task.moved(TaskState.FAILED, at=self._clock(), error=gone)
        if stored.state.finished or stored.replica != task.replica:
            return stored
        return replace(stored, rows=task.rows, bytes=task.bytes)

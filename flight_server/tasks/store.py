"""The record of every task: what was announced is here, and outlives the process.

ServiceError
└── RequestIdTaken          ALREADY_EXISTS, with the task that has it
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from flight_server.errors import ErrorCode, ServiceError
from flight_server.tasks.database import Database
from flight_server.tasks.model import Task, TaskState
from flight_server.tasks.store_engine import StateError
from flight_server.tasks.store_schema import (
    LIVE_STATES,
    UNFINISHED_STATES,
    row_of,
    secrets,
    task_of,
    tasks,
)

__all__ = ["RequestIdTaken", "StateError", "TaskStore"]

Tasks = list[Task]  # the name `list` is a method's, inside the class

# Made once: it is what clients ask for, and to make it takes longer than to ask (measured).
_BY_ID: Final = select(tasks).where(tasks.c.task_id == bindparam("its_id"))

_FINISHED: Final = tuple(state for state in TaskState if state.finished)


class RequestIdTaken(ServiceError):
    """ALREADY_EXISTS: the client's request id belongs to a task that is unfinished or COMPLETED."""

    def __init__(self, existing: Task) -> None:
        self.existing = existing
        message = (
            f"request_id {existing.request_id!r} belongs to task {existing.task_id}, "
            f"which is {existing.state}"
        )
        super().__init__(ErrorCode.ALREADY_EXISTS, message, task_id=existing.task_id)


class TaskStore:
    """Tasks in SQLite or PostgreSQL; every method may be called from any thread.

    When a method returns, what it wrote survives a killed process and a power cut. Each method
    raises `ServiceError` (STORAGE_ERROR, STORAGE_FULL) when the database fails.
    """

    def __init__(self, url: str) -> None:
        """Open the database; see `Database`. Raises StateError."""
        self.database = Database(url)

    def create(self, task: Task) -> None:
        """Record a new task.

        Raises RequestIdTaken when the client's request id belongs to a task that is unfinished
        or COMPLETED; of several calls at once, in any processes, one succeeds. Raises ValueError
        when the task id is recorded already.
        """
        while True:
            try:
                with self.database.writing() as connection:
                    connection.execute(insert(tasks).values(row_of(task)))
            except IntegrityError as error:
                existing = self._first(*_request(task), tasks.c.state.in_(LIVE_STATES))
                if existing is not None:
                    raise RequestIdTaken(existing) from None
                if self.get(task.task_id) is not None:
                    raise ValueError(f"task {task.task_id} is recorded already") from error
                # It failed or was cancelled in between: its request id is free again.
            else:
                return

    def get(self, task_id: str) -> Task | None:
        """The task as last recorded."""
        with self.database.reading() as connection:
            row = connection.execute(_BY_ID, {"its_id": task_id}).mappings().first()
        return None if row is None else task_of(row)

    def find(self, client: str, request_id: str) -> Task | None:
        """The newest task of a client's request id."""
        return self._first(tasks.c.client == client, tasks.c.request_id == request_id)

    def list(
        self,
        *,
        client: str | None = None,
        state: TaskState | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Tasks:
        """At most `limit` tasks, newest first; `after` is the last id of the page before.

        Pages neither repeat nor miss a task while others come and go, and the task that `after`
        names need not exist any more: ids are ordered by time.
        """
        query = select(tasks).order_by(tasks.c.task_id.desc()).limit(limit)
        if client is not None:
            query = query.where(tasks.c.client == client)
        if state is not None:
            query = query.where(tasks.c.state == state)
        if after is not None:
            query = query.where(tasks.c.task_id < after)
        with self.database.reading() as connection:
            return [task_of(row) for row in connection.execute(query).mappings()]

    def update(self, task: Task, *, expected: TaskState, owner: str | None = None) -> bool:
        """Record `task` if the recorded state is `expected`; False when it is another, or none.

        With an `owner` also if the task is no longer that replica's. Of several calls at once with
        the same `expected`, in any processes, one returns True provided that each moves the state.

        Raises RequestIdTaken when a finished task would be live again and another one has its
        request id.
        """
        statement = (
            update(tasks)
            .where(tasks.c.task_id == task.task_id, tasks.c.state == expected)
            .values(row_of(task))
        )
        if owner is not None:
            statement = statement.where(tasks.c.replica == owner)
        try:
            with self.database.writing() as connection:
                return connection.execute(statement).rowcount == 1
        except IntegrityError as error:
            existing = self._first(*_request(task), tasks.c.state.in_(LIVE_STATES))
            if existing is None:  # it ended in between
                return self.update(task, expected=expected, owner=owner)
            raise RequestIdTaken(existing) from error

    def unfinished(self) -> Tasks:
        """Every task that is not finished, oldest first."""
        query = select(tasks).where(tasks.c.state.in_(UNFINISHED_STATES)).order_by(tasks.c.task_id)
        with self.database.reading() as connection:
            return [task_of(row) for row in connection.execute(query).mappings()]

    def delete_finished(self, before: datetime) -> int:
        """Forget the tasks that finished before that time; returns how many."""
        statement = delete(tasks).where(tasks.c.state.in_(_FINISHED), tasks.c.completed_at < before)
        with self.database.writing() as connection:
            return connection.execute(statement).rowcount

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret of that name; the first call ever makes it, all get the same."""
        while (kept := self._secret(name)) is None:
            try:
                with self.database.writing() as connection:
                    connection.execute(insert(secrets).values(name=name, value=make()))
            except IntegrityError:
                continue  # another process was first: read its secret
        return kept

    def ping(self) -> None:
        """Do nothing if the database answers; raise `ServiceError` if it does not."""
        self.database.ping()

    def close(self) -> None:
        """Give the connections back; call when no other thread uses the store."""
        self.database.close()

    def _first(self, *conditions: ColumnElement[bool]) -> Task | None:
        query = select(tasks).where(*conditions).order_by(tasks.c.task_id.desc()).limit(1)
        with self.database.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else task_of(row)

    def _secret(self, name: str) -> bytes | None:
        with self.database.reading() as connection:
            value = connection.scalar(select(secrets.c.value).where(secrets.c.name == name))
        return None if value is None else bytes(value)


def _request(task: Task) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return tasks.c.client == task.client, tasks.c.request_id == task.request_id

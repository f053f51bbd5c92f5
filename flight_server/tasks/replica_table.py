"""The replicas that share the state: who lives, who has which task, and who takes over.

A replica has a lease, which it renews. All times are those of the database's clock, so that the
clocks of the replicas need not agree.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    bindparam,
    delete,
    exists,
    insert,
    select,
    update,
)

from flight_server.tasks.database import Database
from flight_server.tasks.database_clock import now
from flight_server.tasks.model import Task, TaskState, utc_now
from flight_server.tasks.store_schema import UNFINISHED_STATES, replicas, task_of, tasks

_MICROSECOND: Final = timedelta(microseconds=1)

FORGOTTEN_AFTER: Final = timedelta(days=1)
"""Replicas are listed so long after their end, if they have no unfinished task."""


@dataclass(frozen=True, slots=True)
class ReplicaRecord:
    """One replica as the database knows it, at the time of the question."""

    replica_id: str
    host: str
    """Name and process, for people."""
    spools: str
    """Which directory its spools are in; empty: unknown, it is of version 1."""
    started_at: datetime
    gone: bool
    """It has stopped, or somebody has seen that its process is no more."""
    left: timedelta
    """What is left of its lease; negative: how long it has been over."""


class ReplicaTable:
    """The replicas and their tasks. Thread safe; raises `ServiceError` as `Database` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def renew(self, replica_id: str, lease: timedelta, *, host: str, spools: str) -> None:
        """Begin or renew the lease of a replica."""
        until = {"lease_until": now() + _micros(lease), "gone": False}
        renewal = update(replicas).where(replicas.c.replica_id == replica_id).values(**until)
        with self._database.writing() as connection:
            if connection.execute(renewal).rowcount == 0:
                made = {"replica_id": replica_id, "host": host, "spools": spools}
                connection.execute(insert(replicas).values(started_at=utc_now(), **made, **until))

    def end(self, replica_id: str) -> None:
        """Record that a replica is gone: by itself, or by who has seen that its process is."""
        ended = {"lease_until": now(), "gone": True}
        known = replicas.c.replica_id == replica_id
        with self._database.writing() as connection:
            connection.execute(update(replicas).where(known, ~replicas.c.gone).values(**ended))

    def all(self) -> list[ReplicaRecord]:
        """Every replica that is known, oldest first."""
        left = (replicas.c.lease_until - now()).cast(BigInteger)
        names = ("replica_id", "host", "spools", "started_at", "gone")
        columns = (replicas.c[name] for name in names)
        query = select(*columns, left.label("left")).order_by(replicas.c.started_at)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [ReplicaRecord(**{**row, "left": row["left"] * _MICROSECOND}) for row in rows]

    def orphans(self, living: Collection[str]) -> list[Task]:
        """The unfinished tasks that none of the `living` has, oldest first."""
        query = (
            select(tasks)
            .where(tasks.c.state.in_(UNFINISHED_STATES), tasks.c.replica.not_in(living))
            .order_by(tasks.c.task_id)
        )
        with self._database.reading() as connection:
            return [task_of(row) for row in connection.execute(query).mappings()]

    def hand_over(self, task: Task, replica_id: str) -> bool:
        """Give an UPLOADING task to another replica; False if it has changed meanwhile.

        Of several at once one gets it.
        """
        statement = (
            update(tasks)
            .where(_is(task), tasks.c.state == TaskState.UPLOADING)
            .values(replica=replica_id)
        )
        with self._database.writing() as connection:
            return connection.execute(statement).rowcount == 1

    def show(self, running: Iterable[Task]) -> None:
        """Let other replicas see how far these tasks of one's own are.

        A task that has moved on meanwhile keeps the figures of its transition.
        """
        figures = [
            {
                f"its_{name}": getattr(task, name)
                for name in ("task_id", "replica", "state", *_FIGURES)
            }
            for task in running
        ]
        if figures:
            with self._database.writing() as connection:
                connection.execute(_SHOW, figures)

    def lost(self, replica_id: str, task_ids: Collection[str]) -> list[Task]:
        """Which of the tasks that a replica runs have been ended or taken over by others."""
        theirs = tasks.c.state.not_in(UNFINISHED_STATES) | (tasks.c.replica != replica_id)
        query = select(tasks).where(tasks.c.task_id.in_(task_ids), theirs)
        with self._database.reading() as connection:
            return [task_of(row) for row in connection.execute(query).mappings()]

    def forget(self) -> None:
        """Remove the replicas that ended long ago and have no unfinished task."""
        busy = exists().where(
            tasks.c.replica == replicas.c.replica_id, tasks.c.state.in_(UNFINISHED_STATES)
        )
        long_ago = replicas.c.lease_until < now() - _micros(FORGOTTEN_AFTER)
        with self._database.writing() as connection:
            connection.execute(delete(replicas).where(long_ago, ~busy))


_WHICH: Final = ("task_id", "replica", "state")
_FIGURES: Final = ("rows", "bytes", "rows_per_second", "position")
"""What changes while a task keeps its state."""

_SHOW: Final = (
    update(tasks)
    .where(
        tasks.c.task_id == bindparam("its_task_id"),
        tasks.c.replica == bindparam("its_replica"),
        tasks.c.state == bindparam("its_state", type_=tasks.c.state.type),
    )
    .values({name: bindparam(f"its_{name}") for name in _FIGURES})
)


def _micros(duration: timedelta) -> int:
    return duration // _MICROSECOND


def _is(task: Task) -> ColumnElement[bool]:
    """The task, while it is whose it was."""
    return (tasks.c.task_id == task.task_id) & (tasks.c.replica == task.replica)

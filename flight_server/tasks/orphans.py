"""What dead replicas have left unfinished: who goes on with it, and what cannot go on.

A task before UPLOADING needed its client's connection to the process that is no more: it FAILED.
One that is UPLOADING is durable in a spool of the dead replica, and goes on where that can be
read: by the same server, started again, or by another one that shares its directory. Everybody
may try whether its file was published already. What nobody could within `timeout`, for want of
the file or because the store refused it, FAILED.

A living replica can have orphans too, and finds them itself: a transaction whose answer got lost
has recorded a task that was refused, or handed one over that nobody went on with.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from flight_server.errors import ErrorCode, Failure
from flight_server.tasks.model import Task, TaskState, utc_now
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaRecord, ReplicaTable
from flight_server.tasks.store import TaskStore

INTERRUPTED: Final = Failure(
    ErrorCode.INTERRUPTED, "the server stopped before the export was finished; send it again"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the orphans in one look at them."""

    failed: list[Task] = field(default_factory=list)
    """They have ended: what is kept of them can go."""
    inherited: list["Inherited"] = field(default_factory=list)
    """They are this replica's now, to be published."""
    waiting: list[Task] = field(default_factory=list)
    """Those that another replica may be able to publish, or that wait for theirs to come back."""
    alive: int = 1
    """Replicas that may live, this one among them."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """A task that was taken over UPLOADING."""

    task: Task
    former: str
    """The replica that had it."""
    last_chance: bool
    """If its file is not here, it is nowhere, or has been waited for long enough."""
    at: datetime
    """When it was taken over."""


class Orphans:
    """The unfinished tasks of dead replicas, as this one finds them. For one thread at a time.

    Methods raise `ServiceError` when the state database fails; what is not done then is found
    again.
    """

    def __init__(
        self,
        store: TaskStore,
        table: ReplicaTable,
        replica: Replica,
        timeout: timedelta,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._table = table
        self._replica = replica
        self._timeout = timeout
        self._clock = clock
        self._tried: set[str] = set()

    def look(self, busy: Callable[[], Collection[str]]) -> Found:
        """Fail what cannot go on, and take over what this replica may be able to publish.

        `busy` tells what this replica itself works at: a task is among it before it is recorded
        as this replica's, and until its end is.
        """
        living, dead = self._replica.others()
        owners = {each.replica_id: each for each in dead}
        orphans = self._table.orphans([each.replica_id for each in living])
        self._tried.intersection_update(task.task_id for task in orphans)
        here = busy()  # asked last: what has begun meanwhile is not in `orphans`
        found = Found(alive=len(living) + 1)
        for task in orphans:
            if task.replica == self._replica.id and task.task_id in here:
                continue
            if task.state is not TaskState.UPLOADING:
                if (failed := self.fail(task)) is not None:
                    found.failed.append(failed)
            elif (mine := self._inherit(task, owners.get(task.replica))) is not None:
                found.inherited.append(mine)
            else:
                found.waiting.append(task)
        self._table.forget()
        return found

    def complete(self, task: Task) -> bool:
        """Record that the file is published; False if the task has ended otherwise meanwhile."""
        return self._store.update(
            task.moved(TaskState.COMPLETED, at=self._clock()), expected=task.state
        )

    def is_late(self, inherited: Inherited) -> bool:
        """Whether it was tried for long enough to publish the file."""
        return self._clock() - inherited.at >= self._timeout

    def fail(self, task: Task, failure: Failure = INTERRUPTED) -> Task | None:
        """End the task FAILED; None if it has changed meanwhile."""
        failed = task.moved(TaskState.FAILED, at=self._clock(), error=failure)
        done = self._store.update(failed, expected=task.state, owner=task.replica)
        return failed if done else None

    def hand_back(self, inherited: Inherited) -> None:
        """Leave the task to whoever has its file; this replica tries it again at the very end."""
        self._tried.add(inherited.task.task_id)
        self._table.hand_over(inherited.task, inherited.former)

    def _inherit(self, task: Task, owner: ReplicaRecord | None) -> Inherited | None:
        nearby = owner is None or owner.spools in {"", self._replica.spools}
        late = owner is None or -owner.left >= self._timeout
        if not (nearby or late or task.task_id not in self._tried):
            return None
        if not self._table.hand_over(task, self._replica.id):
            return None
        mine = replace(task, replica=self._replica.id)
        return Inherited(mine, task.replica, last_chance=nearby or late, at=self._clock())

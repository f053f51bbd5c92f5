"""An export's record: its states, the moves between them, and what is known at each moment.

QUEUED ──▶ PROCESSING ──▶ UPLOADING ──▶ COMPLETED
   └────────────┴─────────────┴───────▶ FAILED | CANCELLED

An operator may have a file sent again that was whole when its task FAILED: `Task.retried`.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from flight_server.errors import Failure

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class IllegalTransition(RuntimeError):
    """A move that the states do not allow: a mistake in the program, never of a caller."""


class TaskState(StrEnum):
    """Where an export stands; the last three are final."""

    QUEUED = "QUEUED"  # accepted, waiting for a slot
    PROCESSING = "PROCESSING"  # holds a slot and takes batches
    UPLOADING = "UPLOADING"  # durable on disk: needs its client no more
    COMPLETED = "COMPLETED"  # can be downloaded
    FAILED = "FAILED"  # `Task.error` says why
    CANCELLED = "CANCELLED"  # by a caller

    @property
    def finished(self) -> bool:
        """Whether nothing can change any more."""
        return not _MOVES[self]

    @property
    def broken_off(self) -> bool:
        """Whether it ended without a file."""
        return self in _BROKEN_OFF

    @property
    def is_the_owners(self) -> bool:
        """Whether only the replica that has the task may move it there.

        CANCELLED is everybody's, and COMPLETED is true of a published file, whoever has the task.
        """
        return self in _BY_THE_OWNER

    def can_become(self, new: "TaskState") -> bool:
        """Whether `new` may follow at once."""
        return new in _MOVES[self]


_BROKEN_OFF: Final = frozenset({TaskState.FAILED, TaskState.CANCELLED})
_BY_THE_OWNER: Final = frozenset({TaskState.PROCESSING, TaskState.UPLOADING, TaskState.FAILED})
_MOVES: Final[dict[TaskState, frozenset[TaskState]]] = {
    TaskState.QUEUED: _BROKEN_OFF | {TaskState.PROCESSING},
    TaskState.PROCESSING: _BROKEN_OFF | {TaskState.UPLOADING},
    TaskState.UPLOADING: _BROKEN_OFF | {TaskState.COMPLETED},
    TaskState.COMPLETED: frozenset(),
    TaskState.FAILED: frozenset(),
    TaskState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class TaskWarning:
    """Something the caller should know of a file that was made all the same."""

    code: str
    message: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One export at one moment; a change makes a new value. Times are aware and UTC."""

    task_id: str
    request_id: str
    client: str
    fingerprint: str
    """SHA-256, hex, of the canonical descriptor: tells a repeated request from another one."""
    state: TaskState = TaskState.QUEUED
    format: str
    filename: str
    content_type: str
    rows_expected: int | None = None
    rows: int = 0
    bytes: int = 0
    """Of the file, written so far."""
    rows_per_second: float | None = None
    """Over the last seconds; None where that is not known, and unless rows are being taken."""
    position: int | None = None
    """In line for a slot (1 = next); None unless it is QUEUED."""
    size_bytes: int | None = None
    """Of the whole file; known from UPLOADING on, as are `sha256` and `sheets`."""
    sha256: str | None = None
    sheets: int | None = None
    warnings: tuple[TaskWarning, ...] = ()
    error: Failure | None = None
    replica: str = ""
    """Which of the servers that share the state has it, or had it last."""
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def progress(self) -> float | None:
        """Percent, 0-100: of the rows expected; None where their number is unknown."""
        if self.state is TaskState.COMPLETED:
            return 100.0
        if self.rows_expected is None:
            return None
        # No rows expected: there is nothing to be a part of, and the file is not there yet.
        return min(100.0, 100.0 * self.rows / self.rows_expected) if self.rows_expected else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the last expected row, at the rate of the last seconds.

        None unless rows are being taken, their number was announced and some came lately.
        """
        if self.rows_expected is None or not self.rows_per_second:
            return None
        return max(0, self.rows_expected - self.rows) / self.rows_per_second

    @property
    def can_be_retried(self) -> bool:
        """Whether it failed with its whole file on the disk; that may have been removed since."""
        return self.state is TaskState.FAILED and self.size_bytes is not None

    def retried(self, replica: str) -> "Task":
        """The task as it was before it failed: UPLOADING, by `replica`.

        Raises IllegalTransition unless it `can_be_retried`.
        """
        if not self.can_be_retried:
            raise IllegalTransition(f"task {self.task_id} has no whole file that could be sent")
        return replace(
            self, state=TaskState.UPLOADING, replica=replica, error=None, completed_at=None
        )

    def moved(self, state: TaskState, *, at: datetime, **changes: Any) -> "Task":
        """The task in its next state, with the time of the move and any other `changes`.

        It has no rate and no position: those were of the state that it leaves. Raises
        IllegalTransition when `state` cannot follow the present one.
        """
        if not self.state.can_become(state):
            raise IllegalTransition(f"task {self.task_id} cannot go from {self.state} to {state}")
        changes |= {"rows_per_second": None, "position": None}
        if state is TaskState.PROCESSING:
            changes["started_at"] = at
        if state.finished:
            changes["completed_at"] = at
        return replace(self, state=state, **changes)


def utc_now() -> datetime:
    """The time of day, aware."""
    return datetime.now(UTC)


def microseconds(moment: datetime) -> int:
    """The number of them since 1970, exactly. Raises TypeError for a time without a zone."""
    return (moment - EPOCH) // _MICROSECOND


def new_task_id(now: datetime | None = None) -> str:
    """A UUIDv7 as 32 lower-case hex digits: safe in URLs and names, ordered by time.

    RFC 9562, 5.7, with the twelve bits after the version holding the fraction of the
    millisecond (6.2, method 3): ids made a microsecond apart sort by age as text. The other
    62 bits come from the system's random source, so that ids cannot be guessed.
    """
    millis, fraction = divmod(microseconds(now or utc_now()), 1000)
    version_and_fraction = 7 << 12 | fraction * 4096 // 1000
    variant_and_random = 0b10 << 62 | secrets.randbits(62)
    return f"{millis << 80 | version_and_fraction << 64 | variant_and_random:032x}"

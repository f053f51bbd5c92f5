"""The values that the server answers with, as frozen dataclasses.

Fields that a newer server adds are ignored; those that an older one leaves out have a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, TypeAlias

from export_client.errors import ExportError, of_code

FINISHED_STATES: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class TaskWarning:
    """Something that the export did to the data, and how often."""

    code: str
    message: str
    count: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Of one entry of a task's `warnings`."""
        return cls(value["code"], value.get("message", ""), value.get("count", 1))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an export failed."""

    code: str
    message: str
    retryable: bool

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Of a task's `error`."""
        return cls(value["code"], value.get("message", ""), value.get("retryable", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An export as the server sees it.

    `state` is QUEUED, PROCESSING, UPLOADING, COMPLETED, FAILED or CANCELLED. `position` is the
    place in line of a QUEUED one (1 = next). `progress` is 0-100, or None when the number of rows
    was not declared. `rows_per_second` is that of the last seconds, and `eta_seconds` follows from
    it; both are None where they are not known. `bytes` and `size_bytes` count the file, not the
    data sent. All times are aware, in UTC.
    """

    task_id: str
    state: str
    request_id: str | None = None
    client: str | None = None
    format: str | None = None
    filename: str | None = None
    rows: int = 0
    bytes: int = 0
    progress: float | None = None
    position: int | None = None
    rows_per_second: float | None = None
    eta_seconds: float | None = None
    url: str | None = None
    url_expires_at: datetime | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    sheets: int | None = None
    warnings: tuple[TaskWarning, ...] = ()
    error: Failure | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether the state is final."""
        return self.state in FINISHED_STATES

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Of the protocol's task object."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        for name in _TIMES & known.keys():
            known[name] = parse_time(known[name])
        known["warnings"] = tuple(map(TaskWarning.from_json, value.get("warnings") or ()))
        known["error"] = Failure.from_json(value["error"]) if value.get("error") else None
        return cls(**known)

    def raise_for_failure(self) -> Self:
        """The task itself, unless it is FAILED or CANCELLED.

        Raises:
            ExportError: the task's error, of the class that its code has.

        """
        if self.state not in {"FAILED", "CANCELLED"}:
            return self
        raise self._as_error()

    def _as_error(self) -> ExportError:
        if self.error is not None:
            code, message, retryable = self.error.code, self.error.message, self.error.retryable
            return of_code(code, message, retryable=retryable, task_id=self.task_id)
        code = "CANCELLED" if self.state == "CANCELLED" else "INTERNAL"
        return of_code(code, f"the export is {self.state}", task_id=self.task_id)


ExportResult: TypeAlias = Task
"""What `export` returns: the task, COMPLETED, or UPLOADING with `wait=False`."""

_TIMES: Final = {"url_expires_at", "created_at", "started_at", "completed_at"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running export is: rows read and bytes of the file written by the server.

    `position` is its place in line while it waits for its turn (1 = next). `rows_per_second` is
    that of the last seconds, and `eta_seconds` follows from it if the rows were declared.
    """

    task_id: str
    state: str
    rows: int = 0
    bytes: int = 0
    position: int | None = None
    rows_per_second: float | None = None
    eta_seconds: float | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Of an `accepted` or `progress` answer."""
        return cls(
            str(value.get("task_id")),
            value.get("state", "PROCESSING"),
            value.get("rows", 0),
            value.get("bytes", 0),
            value.get("position"),
            value.get("rows_per_second"),
            value.get("eta_seconds"),
        )


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A link to the finished file, and when it ends."""

    url: str
    expires_at: datetime | None


def parse_time(value: str | None) -> datetime | None:
    """The time of an RFC 3339 text."""
    return None if value is None else datetime.fromisoformat(value)

"""A task as everyone outside sees it: the one JSON object of the protocol."""

from datetime import UTC, datetime
from typing import Any

from flight_server.tasks.model import Task


def task_view(
    task: Task, *, url: str | None = None, expires: datetime | None = None
) -> dict[str, Any]:
    """The task object; `url` is signed anew by the caller for each view."""
    return {
        "task_id": task.task_id,
        "request_id": task.request_id,
        "client": task.client,
        "state": task.state.value,
        "format": task.format,
        "filename": task.filename,
        "rows": task.rows,
        "bytes": task.bytes,
        "progress": tenths(task.progress),
        "position": task.position,
        "rows_per_second": tenths(task.rows_per_second),
        "eta_seconds": tenths(task.eta_seconds),
        "url": url,
        "url_expires_at": timestamp(expires),
        "size_bytes": task.size_bytes,
        "sha256": task.sha256,
        "sheets": task.sheets,
        "warnings": [
            {"code": each.code, "message": each.message, "count": each.count}
            for each in task.warnings
        ],
        "error": None
        if task.error is None
        else {
            "code": task.error.code.value,
            "message": task.error.message,
            "retryable": task.error.retryable,
        },
        "created_at": timestamp(task.created_at),
        "started_at": timestamp(task.started_at),
        "completed_at": timestamp(task.completed_at),
    }


def tenths(number: float | None) -> float | None:
    """`number` as it is shown: no digits that mean nothing."""
    return None if number is None else round(number, 1)


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

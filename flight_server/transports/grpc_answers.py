"""A task as the contract's two answers tell it.

Times are whole Unix seconds, and 0 where there is none yet; progress is 0 while the rows to come
are unknown, which they are in this contract until the file can be downloaded.
"""

from datetime import datetime
from typing import Any, Final

from flight_server.tasks.model import Task, TaskState
from flight_server.transports.export_pb2 import (
    ExportFormat,
    ExportResponse,
    TaskStatus,
    TaskStatusResponse,
)
from flight_server.transports.grpc_request import FORMATS

_STATUSES: Final = {
    TaskState.QUEUED: TaskStatus.TASK_STATUS_QUEUED,
    TaskState.PROCESSING: TaskStatus.TASK_STATUS_PROCESSING,
    TaskState.UPLOADING: TaskStatus.TASK_STATUS_UPLOADING,
    TaskState.COMPLETED: TaskStatus.TASK_STATUS_COMPLETED,
    TaskState.FAILED: TaskStatus.TASK_STATUS_FAILED,
    TaskState.CANCELLED: TaskStatus.TASK_STATUS_FAILED,  # the contract has no other end
}

_NUMBERS: Final = {name: number for number, name in FORMATS.items()}

_CANCELLED: Final = ("CANCELLED", "the export was cancelled")


def export_response(task: Task, url: str | None) -> bytes:
    """The answer to a whole stream, encoded; `url` is the link to a COMPLETED file."""
    return _encoded(
        ExportResponse(
            **_common(task, url),
            record_count=task.rows,
            checksum_sha256=task.sha256 or "",
        )
    )


def status_response(task: Task, url: str | None) -> bytes:
    """The answer to a question for a task, encoded; a format of another door is unspecified."""
    return _encoded(
        TaskStatusResponse(
            **_common(task, url),
            format=_NUMBERS.get(task.format, ExportFormat.FORMAT_UNSPECIFIED),
            filename=task.filename,
            records_processed=task.rows,
            estimated_time_remaining=round(task.eta_seconds or 0),
        )
    )


def _common(task: Task, url: str | None) -> dict[str, Any]:
    code, message = _error(task)
    return {
        "task_id": task.task_id,
        "status": _STATUSES[task.state],
        "oss_url": url or "",
        "file_size_bytes": task.size_bytes or 0,
        "progress_percent": task.progress or 0.0,
        "error_message": message,
        "error_code": code,
        "start_time": _seconds(task.started_at),
        "completion_time": _seconds(task.completed_at),
    }


def _error(task: Task) -> tuple[str, str]:
    if task.error is not None:
        return task.error.code.value, task.error.message
    return _CANCELLED if task.state is TaskState.CANCELLED else ("", "")


def _seconds(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())


def _encoded(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded

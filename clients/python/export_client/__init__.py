"""A light client of Export Middleware: Arrow data in, a finished Excel or CSV file out.

    from export_client import ExportClient

    with ExportClient("grpc://127.0.0.1:8815") as client:
        task = client.export(frame, "orders.xlsx", freeze_header=True)
        print(task.url)

Errors are one tree, see `export_client.errors`; results are frozen dataclasses.
"""

from export_client.client import ExportClient
from export_client.errors import (
    AlreadyExists,
    Cancelled,
    ConnectionFailed,
    DownloadFailed,
    ExportError,
    IncompleteExport,
    InvalidRequest,
    TaskNotFound,
    TimedOut,
    Unauthorized,
    Unavailable,
)
from export_client.models import ExportResult, Failure, Progress, SignedUrl, Task, TaskWarning

__all__ = [
    "AlreadyExists",
    "Cancelled",
    "ConnectionFailed",
    "DownloadFailed",
    "ExportClient",
    "ExportError",
    "ExportResult",
    "Failure",
    "IncompleteExport",
    "InvalidRequest",
    "Progress",
    "SignedUrl",
    "Task",
    "TaskNotFound",
    "TaskWarning",
    "TimedOut",
    "Unauthorized",
    "Unavailable",
]

__version__ = "0.1.0"

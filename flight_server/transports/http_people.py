"""The service as the HTTP door for people needs it.

Without authentication that door shows every client's tasks; it is bound to loopback then.
"""

from collections.abc import Sequence

from flight_server.errors import ErrorCode, ServiceError
from flight_server.service import ExportService, target_of
from flight_server.storage.base import LocalPath, Storage
from flight_server.tasks.model import TaskState
from flight_server.transports.http import TaskObject
from flight_server.transports.http_files import ServedFile


class PeopleApi:
    """Fulfils `TaskApi` and `FileLookup`."""

    def __init__(self, service: ExportService, storage: Storage) -> None:
        self._service = service
        self._storage = storage

    def list(self, state: str | None, limit: int, after: str | None) -> Sequence[TaskObject]:
        """See `TaskApi.list`."""
        tasks = self._service.list(None, state=state, limit=limit, after=after)
        return [self._service.view(task) for task in tasks]

    def get(self, task_id: str) -> TaskObject:
        """See `TaskApi.get`."""
        return self._service.view(self._service.status(None, task_id=task_id))

    def cancel(self, task_id: str) -> TaskObject:
        """See `TaskApi.cancel`."""
        return self._service.view(self._service.cancel(None, task_id))

    def find_file(self, task_id: str, filename: str) -> ServedFile | None:
        """See `FileLookup.find_file`."""
        try:
            task = self._service.status(None, task_id=task_id)
        except ServiceError as error:
            if error.code is ErrorCode.TASK_NOT_FOUND:
                return None
            raise
        if task.state is not TaskState.COMPLETED or task.filename != filename:
            return None
        if not isinstance(self._storage, LocalPath) or task.size_bytes is None:
            return None
        path = self._storage.path(target_of(task))
        return ServedFile(path, filename, task.content_type, task.size_bytes, task.sha256 or "")

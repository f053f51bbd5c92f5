"""Sending a file again that was whole when its export failed, without the client."""

from collections.abc import Callable
from datetime import datetime

from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import Event, get_logger
from flight_server.service import target_of
from flight_server.storage.base import Storage
from flight_server.tasks.model import Task, TaskState, utc_now
from flight_server.tasks.store import TaskStore

_log = get_logger("retry")


class Retrying:
    """Publishes what failed tasks have left in their spools.

    It may run beside a server over the same state and directories: who moves a task first is
    decided by the store. If it is killed, a server goes on with the task, as with any other that
    was UPLOADING.
    """

    def __init__(
        self,
        store: TaskStore,
        storage: Storage,
        replica_id: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._replica_id = replica_id
        self._storage = storage
        self._clock = clock

    def retry(self, task_id: str) -> Task:
        """Publish the file of a FAILED task; it is COMPLETED then. One that is so is returned.

        Raises ServiceError: TASK_NOT_FOUND; ALREADY_EXISTS while the task is under way, or when
        its request has been made again; INTERRUPTED where the file is not there any more, or never
        was whole. Whatever the storage raises leaves the task FAILED with that, to be tried again.
        """
        task = self._store.get(task_id)
        if task is None:
            raise ServiceError(ErrorCode.TASK_NOT_FOUND, f"there is no task {task_id[:64]!r}")
        if task.state is TaskState.COMPLETED:
            return task
        if not task.can_be_retried:
            raise _cannot(task)
        uploading = task.retried(self._replica_id)
        if not self._store.update(uploading, expected=TaskState.FAILED):
            return self.retry(task_id)  # somebody else was faster
        _log.bind(task_id=task_id).info(Event.OSSUploadStarted, "the file is sent again")
        try:
            self._publish(uploading)
        except ServiceError as error:
            self._failed(uploading, error)
            raise
        except BaseException:  # Ctrl-C among them
            self._failed(uploading, _interrupted(uploading))
            raise
        return self._end(uploading.moved(TaskState.COMPLETED, at=self._clock()))

    def _publish(self, task: Task) -> None:
        if not self._storage.resume(target_of(task), task.size_bytes or 0):
            raise ServiceError(
                ErrorCode.INTERRUPTED,
                f"the file of task {task.task_id} is not there any more: it is kept for "
                "storage.temp_retention; export it again",
            )

    def _failed(self, task: Task, error: ServiceError) -> None:
        """Record it before anything is taken back: a server may have taken the task over."""
        log = _log.bind(task_id=task.task_id)
        log.error(Event.OSSUploadFailed, "the file could not be published", error=error)
        failed = task.moved(TaskState.FAILED, at=self._clock(), error=error.failure)
        try:
            if self._store.update(failed, expected=task.state, owner=task.replica):
                self._storage.withdraw(target_of(task))
            else:
                self._clear_away(task)
        except ServiceError as left:
            log.error(Event.UploadError, "what was sent cannot be removed now", error=left)

    def _clear_away(self, task: Task) -> None:
        """Leave nothing of a task that was ended otherwise meanwhile, unless it has its file."""
        stored = self._store.get(task.task_id)
        if stored is None or stored.state.broken_off:
            self._storage.delete(target_of(task))

    def _end(self, task: Task) -> Task:
        """Record that it is COMPLETED; if somebody has ended it otherwise, that stands."""
        if self._store.update(task, expected=TaskState.UPLOADING):
            return task
        stored = self._store.get(task.task_id)
        if stored is not None and stored.state is TaskState.COMPLETED:
            return stored
        self._clear_away(task)
        message = f"task {task.task_id} was ended while its file was sent"
        raise ServiceError(ErrorCode.CANCELLED, message, task_id=task.task_id)


def _interrupted(task: Task) -> ServiceError:
    message = f"sending the file of task {task.task_id} again was interrupted; retry"
    return ServiceError(ErrorCode.INTERRUPTED, message, task_id=task.task_id)


def _cannot(task: Task) -> ServiceError:
    if task.state is TaskState.FAILED:
        code, reason = ErrorCode.INTERRUPTED, "failed before its file was whole; export it again"
    elif task.state is TaskState.CANCELLED:
        code, reason = ErrorCode.CANCELLED, "was cancelled, and its file removed; export it again"
    else:
        code, reason = ErrorCode.ALREADY_EXISTS, f"is {task.state}; nothing has failed"
    return ServiceError(code, f"task {task.task_id} {reason}", task_id=task.task_id)

"""Settling what an earlier server left unfinished."""

import threading
from datetime import timedelta
from typing import Final

from flight_server.errors import ServiceError
from flight_server.logs import Event, get_logger
from flight_server.service import target_of
from flight_server.storage.base import Storage
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState
from flight_server.tasks.store import TaskStore

INTERVAL: Final = timedelta(minutes=1)

_log = get_logger("recovery")


class Recovery:
    """Ends what cannot go on, and publishes what is durable.

    The first is done before any door opens. Publishing may mean to send gigabytes: where it does,
    it has a thread of its own, and is tried again until it is done.
    """

    def __init__(
        self,
        manager: TaskManager,
        store: TaskStore,
        storage: Storage,
        interval: timedelta = INTERVAL,
    ) -> None:
        self._manager = manager
        self._store = store
        self._storage = storage
        self._interval = interval.total_seconds()
        self._stopping = threading.Event()
        self._left: dict[str, Task] = {}

    def settle(self, *, now: bool) -> None:
        """Settle every task that was left; those that are UPLOADING `now`, or in a thread."""
        self._left = {task.task_id: task for task in self._store.unfinished()}
        self._manager.recover(self._resume if now else _later)
        self._clear_away()
        if not now and self._left:
            threading.Thread(target=self._run, name="recovery", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more; what is being sent goes on at the next start."""
        self._stopping.set()

    def _run(self) -> None:
        while self._left and not self._stopping.is_set():
            try:
                self._manager.recover(self._resume_left)
                self._clear_away()
            except Exception as error:  # noqa: BLE001 - tried again
                _log.error(Event.SystemError, "a task could not be settled", error=error)
            self._stopping.wait(self._interval if self._left else 0)

    def _resume_left(self, task: Task) -> bool | None:
        """Publish a task of an earlier server; one of this one is none of our business."""
        if task.task_id not in self._left or self._stopping.is_set():
            return None
        return self._resume(task)

    def _resume(self, task: Task) -> bool | None:
        try:
            return self._storage.resume(target_of(task), task.size_bytes or 0)
        except ServiceError as error:
            message = "the file cannot be published now"
            _log.bind(task_id=task.task_id).error(Event.UploadError, message, error=error)
            return None

    def _clear_away(self) -> None:
        """Forget what is settled, and remove the files of what cannot go on."""
        for task in list(self._left.values()):
            settled = self._manager.get(task.task_id)
            if settled is not None and not settled.state.finished:
                continue
            del self._left[task.task_id]
            if settled is None or settled.state is TaskState.COMPLETED:
                continue
            log = _log.bind(task_id=task.task_id)
            message = "an earlier server left the export unfinished"
            log.warning(Event.TaskFailed, message, error=settled.error)
            try:
                self._storage.delete(target_of(task))
            except ServiceError as error:
                log.error(Event.SystemError, "its files cannot be removed now", error=error)


def _later(_task: Task) -> bool | None:
    return None

"""Removes what outlived its retention: spools, files, and the records of files that are gone."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from flight_server.logs import Event, get_logger
from flight_server.storage.base import Storage
from flight_server.tasks.store import TaskStore

INTERVAL: Final = timedelta(minutes=1)

STOP_TIMEOUT: Final = 1.0
"""Seconds; a file system that hangs must not keep the server from stopping."""

_log = get_logger("housekeeping")


class Housekeeper:
    """A thread that sweeps at the start and every `interval`. A failed sweep is tried again."""

    def __init__(
        self,
        storage: Storage,
        store: TaskStore,
        *,
        retention: timedelta,
        clock: Callable[[], datetime],
        interval: timedelta = INTERVAL,
    ) -> None:
        self._storage = storage
        self._store = store
        self._retention = retention
        self._clock = clock
        self._interval = interval.total_seconds()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for the sweep it is in."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT)

    def sweep(self) -> None:
        """Do one sweep now. Raises `ServiceError` for what could not be removed."""
        now = self._clock()
        keep = {task.task_id for task in self._store.unfinished()}
        # Records first: an id whose file is gone must not be answered with a dead link.
        self._store.delete_finished(now - self._retention)
        removed = self._storage.sweep(now, keep)
        if removed:
            _log.info(Event.TempFileDeleted, "old files were deleted", files=removed)

    def _run(self) -> None:
        while True:
            try:
                self.sweep()
            except Exception as error:  # noqa: BLE001 - a failed sweep must not be the last one
                _log.error(Event.SystemError, "the sweep failed; it will be repeated", error=error)
            if self._stopping.wait(self._interval):
                return

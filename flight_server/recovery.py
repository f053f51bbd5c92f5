"""Settling what dead servers have left, this one's forerunner among them."""

import threading
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from flight_server.errors import ServiceError
from flight_server.logs import Event, get_logger
from flight_server.metrics import Metrics
from flight_server.service import target_of
from flight_server.storage.base import Storage
from flight_server.storage.spool import spooled
from flight_server.tasks.model import Task, TaskState
from flight_server.tasks.orphans import Inherited, Orphans
from flight_server.tasks.store import TaskStore

AGAIN: Final = timedelta(minutes=1)
"""Until what failed is tried again."""

_STOP_TIMEOUT: Final = 10.0  # seconds; a store that hangs must not keep the server from stopping

_log = get_logger("recovery")


class Recovery:
    """Ends what cannot go on, publishes what is durable, and removes what is left of the ended.

    Two threads: one looks every `interval` and only writes to the state, so that it is never late;
    the other does what may mean to send gigabytes, or to wait for a store that is gone.

    `directory` is the one for spools, `busy` tells which tasks run in this process.
    """

    def __init__(
        self,
        orphans: Orphans,
        store: TaskStore,
        storage: Storage,
        directory: Path,
        metrics: Metrics,
        *,
        busy: Callable[[], Collection[str]],
        interval: timedelta,
        again: timedelta = AGAIN,
    ) -> None:
        self._orphans = orphans
        self._store = store
        self._storage = storage
        self._directory = directory
        self._metrics = metrics
        self._busy = busy
        self._interval = interval.total_seconds()
        self._again = again.total_seconds()
        self._inherited: dict[str, Inherited] = {}
        self._ended: dict[str, Task] = {}
        self._looked_at: set[str] = set()
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("recovery", self._run), ("recovery-work", self._work))
        ]

    def start(self, *, now: bool) -> None:
        """Settle what is left and start the threads; once.

        With `now` also what takes long is done before this returns. Raises ServiceError when the
        state database fails.
        """
        self.look()
        if now:
            self.work()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is being sent goes on at the next start, or elsewhere."""
        self._stopping.set()
        self._news.set()
        if self._threads[0].is_alive():
            self._threads[0].join(_STOP_TIMEOUT)

    def look(self) -> None:
        """Look once for tasks of dead replicas, and for spools of tasks that have ended.

        Raises ServiceError when the state database fails.
        """
        found = self._orphans.look(lambda: {*self._busy(), *self._inherited})
        for task in found.failed:
            message = "a server stopped and left the export unfinished"
            self._interrupted(task, message)
        inherited = {each.task.task_id: each for each in found.inherited}
        ended = {task.task_id: task for task in (*found.failed, *self._leftovers())}
        # What is known already was tried, and is tried `again` in its time.
        news = bool(inherited) or not ended.keys() <= self._ended.keys()
        self._inherited |= inherited
        self._ended |= ended
        self._metrics.replicas.seen(found.alive, len(found.waiting) + len(self._inherited))
        if news:
            self._news.set()

    def work(self) -> None:
        """Try once to publish and to remove what has been found."""
        for inherited in list(self._inherited.values()):
            self._try(inherited.task, partial(self._publish, inherited))
        for task in list(self._ended.values()):
            self._try(task, partial(self._clear_away, task))

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a failed look must not be the last one
                _log.error(Event.SystemError, "orphans cannot be looked for now", error=error)

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            self.work()
            self._news.wait(self._again if self._inherited or self._ended else None)

    def _try(self, task: Task, step: Callable[[], None]) -> None:
        if self._stopping.is_set():
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - it must not keep the others; tried again
            message = "what a dead server left cannot be settled now"
            _log.bind(task_id=task.task_id).error(Event.UploadError, message, error=error)

    def _publish(self, inherited: Inherited) -> None:
        task = inherited.task
        try:
            published = self._resume(task)
        except ServiceError as error:
            if not self._orphans.is_late(inherited):
                raise
            self._refused(inherited, error)
            return
        if published:
            if self._orphans.complete(task):
                self._metrics.replicas.completed()
                message = "the export of a dead server is COMPLETED"
                _log.bind(task_id=task.task_id).info(Event.TaskCompleted, message)
        elif not inherited.last_chance:
            self._orphans.hand_back(inherited)
        elif (failed := self._orphans.fail(task)) is not None:
            self._interrupted(failed, "the file of a dead server is gone")
        self._follow(task)
        del self._inherited[task.task_id]

    def _refused(self, inherited: Inherited, error: ServiceError) -> None:
        """End a task whose file the store has refused for too long; it is kept to be retried."""
        if (failed := self._orphans.fail(inherited.task, error.failure)) is not None:
            self._interrupted(failed, "the file of a dead server cannot be published")
            self._storage.withdraw(target_of(failed))
        else:
            self._follow(inherited.task)
        del self._inherited[inherited.task.task_id]

    def _resume(self, task: Task) -> bool:
        """Publish a file if it is here; whether it is published."""
        size, began = task.size_bytes or 0, time.monotonic()
        with self._metrics.uploads.in_flight():
            published = self._storage.resume(target_of(task), size)
        if published:
            self._metrics.uploads.published(size, time.monotonic() - began)
        return published

    def _interrupted(self, task: Task, message: str) -> None:
        """Tell of a task that has failed because its server is dead."""
        self._metrics.replicas.interrupted()
        _log.bind(task_id=task.task_id).warning(Event.TaskFailed, message, error=task.error)

    def _follow(self, task: Task) -> None:
        """Have what is kept of a task removed if it was ended while its file was published."""
        stored = self._store.get(task.task_id)
        if stored is not None and stored.state.broken_off:
            self._ended[task.task_id] = stored

    def _clear_away(self, task: Task) -> None:
        if task.state is TaskState.COMPLETED:
            # A spool that was not removed any more when the file was there.
            self._storage.resume(target_of(task), task.size_bytes or 0)
        else:
            self._storage.delete(target_of(task))
        del self._ended[task.task_id]

    def _leftovers(self) -> list[Task]:
        """Ended tasks whose spool is here: they were ended elsewhere, or in the last moment.

        A whole file is kept for a retry by hand, until its retention is over.
        """
        here = set(spooled(self._directory)).difference(self._busy())
        self._looked_at &= here
        leftovers = []
        for task_id in here.difference(self._looked_at, tuple(self._inherited)):
            task = self._store.get(task_id)
            if task is None or task.can_be_retried:
                self._looked_at.add(task_id)
            elif task.state.finished:
                leftovers.append(task)
        return leftovers

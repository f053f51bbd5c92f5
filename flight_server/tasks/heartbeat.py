"""The signs of life of a replica, and its eyes: what others have made of its tasks."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.running import Running

LOOK_INTERVAL: Final = 0.25
"""Seconds between two looks at the tasks that run here: what another replica has made of one, such
as a cancel that was asked of it, is noticed within that."""

SHOW_INTERVAL: Final = 1.0
"""Seconds between two writes of the figures that other replicas see."""

_STOP_TIMEOUT: Final = 10.0  # seconds; a store that hangs must not keep the server from stopping


class Heartbeat:
    """A daemon thread that renews the lease every `interval` and looks after the running tasks.

    `on_error` is told of the store's ServiceError, and of what a callback of `Running.on_end` has
    raised. The thread goes on. Without a `manager` no tasks run here.
    """

    def __init__(
        self,
        replica: Replica,
        table: ReplicaTable,
        manager: TaskManager | None,
        interval: timedelta,
        *,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._replica = replica
        self._table = table
        self._manager = manager
        self._interval = interval.total_seconds()
        self._on_error = on_error
        self._next_renewal = time.monotonic() + self._interval
        self._next_show = 0.0
        self._shown: dict[str, Task] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for the round it is in."""
        self._stopping.set()
        self._thread.join(_STOP_TIMEOUT)

    def beat(self) -> None:
        """Do one round now. Raises ServiceError when the state database fails."""
        if time.monotonic() >= self._next_renewal:
            self._replica.renew()
            self._next_renewal = time.monotonic() + self._interval
        manager = self._manager
        running = {each.task.task_id: each for each in (manager.running if manager else ())}
        if running:
            self._replica.look_around()
            self._show(running)
            for task in self._table.lost(self._replica.id, running):
                self._lose(running[task.task_id], task)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_INTERVAL):
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001 - a failed round must not be the last one
                self._on_error(error)
                self._stopping.wait(self._interval)

    def _show(self, running: dict[str, Running]) -> None:
        if time.monotonic() < self._next_show:
            return
        self._next_show = time.monotonic() + SHOW_INTERVAL
        now = {task_id: each.task for task_id, each in running.items()}
        self._table.show(task for task_id, task in now.items() if self._shown.get(task_id) != task)
        self._shown = now

    def _lose(self, running: Running, stored: Task) -> None:
        """Let go of a task, in a thread of its own: to remove a file may take long."""

        def lose() -> None:
            try:
                running.lost(stored)
            except Exception as error:  # noqa: BLE001 - told to who can do something about it
                self._on_error(error)

        threading.Thread(target=lose, name="task-lost", daemon=True).start()

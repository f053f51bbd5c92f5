"""Ends the tasks that nobody else will end.

Flight cannot cancel a call: a client that stops sending holds its handler's thread for good, and
only another thread can end that task and free its slot.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from flight_server.errors import ErrorCode, Failure
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import TaskState
from flight_server.tasks.running import Running
from flight_server.together import together

PATIENCE: Final = 1.0
"""Seconds that a round waits for the tasks that it ends."""

STOP_TIMEOUT: Final = 1.5
"""Seconds for the round that is under way."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a task is to be ended, and the state in which it is spared."""

    failure: Failure
    unless: TaskState | None = None


class Watchdog:
    """A daemon thread that looks at the running tasks every `interval` and ends what is stuck.

    Each is ended in a thread of its own: a database that hangs, or a store that does while what it
    has of a task is removed, holds up no other task, nor the end of the server.

    It ends as FAILED with STREAM_STALLED a PROCESSING task that gave no sign of life for
    `idle_timeout`, and any task that is unfinished after `max_duration`; and with its own failure
    a task that failed while the store was out of order.

    `on_error` is told what went wrong while a task was being ended, in that thread: the store's
    ServiceError, after which the task is ended in a later round, or what an `on_end` callback
    raised. `on_ended` is told why the watchdog has ended a task.
    """

    def __init__(
        self,
        manager: TaskManager,
        idle_timeout: timedelta,
        max_duration: timedelta,
        interval: timedelta,
        *,
        on_error: Callable[[Exception], None] | None = None,
        on_ended: Callable[[Failure], None] | None = None,
    ) -> None:
        self._manager = manager
        self._idle_timeout = idle_timeout.total_seconds()
        self._max_duration = max_duration.total_seconds()
        self._interval = interval.total_seconds()
        self._on_error = on_error
        self._ending: set[str] = set()  # tasks whose end takes more than a round
        self._on_ended = on_ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="task-watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for the round it is in."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT)

    def check(self) -> None:
        """Do one round now; what it ends has ended when this returns, unless something hangs."""
        verdicts = [(each, self._verdict(each)) for each in self._manager.running]
        works = [
            partial(self._end, running, verdict)
            for running, verdict in verdicts
            if verdict is not None and running.task.task_id not in self._ending
        ]
        if works:
            together(works, PATIENCE)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.check()

    def _end(self, running: Running, verdict: Verdict) -> None:
        task_id = running.task.task_id
        self._ending.add(task_id)
        try:
            running.end(verdict.failure, unless=verdict.unless)
        except Exception as error:  # noqa: BLE001 - one task's trouble must not shield the others
            if self._on_error is not None:
                self._on_error(error)
        finally:
            self._ending.discard(task_id)
        if self._on_ended is not None and running.task.error == verdict.failure:
            self._on_ended(verdict.failure)

    def _verdict(self, running: Running) -> Verdict | None:
        if running.unsaved is not None:
            return Verdict(running.unsaved)
        now = self._manager.monotonic()
        if now - running.opened_at >= self._max_duration:
            message = f"the export was not finished within {self._max_duration:g} s"
            return Verdict(Failure(ErrorCode.STREAM_STALLED, message))
        if running.task.state is not TaskState.PROCESSING:
            return None
        if now - running.idle_since >= self._idle_timeout:
            message = f"no batch arrived for {self._idle_timeout:g} s; send the export again"
            # It may be durable by the time it is ended: then nothing was missing.
            return Verdict(Failure(ErrorCode.STREAM_STALLED, message), unless=TaskState.UPLOADING)
        return None

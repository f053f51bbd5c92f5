"""PutResults: what a client hears while it sends, within what it may leave unread.

A client need not read PutResults, and a stream with about 4 MB of unread ones stops dead
(measured). So progress comes at most twice a second, ever more rarely on a long export, and never
takes more than its share of 512 KB.
"""

import json
import time
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
from pyarrow import flight

from flight_server.logs import Event, Logger
from flight_server.tasks.model import Task, TaskState
from flight_server.view import tenths

PROGRESS_BUDGET: Final = 448 * 1024
"""Bytes for progress on one stream; the rest of 512 KB is for the result and its framing."""

FIRST_INTERVAL: Final = 0.5
"""Seconds between two progress messages at the start."""

MESSAGES_AN_INTERVAL: Final = 256
"""Messages after which the interval doubles: six hours take some 1,900 messages."""


class PutResults:
    """Writes to the client of one `do_put`. A client that has gone is written to no more."""

    def __init__(
        self,
        writer: flight.FlightMetadataWriter,
        log: Logger,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._log = log
        self._monotonic = monotonic
        self._open = True
        self._budget = PROGRESS_BUDGET
        self._sent = 0
        self._next_progress = monotonic() + FIRST_INTERVAL
        self._place: int | None = None  # in line, as the client was told last

    def accepted(self, task: Task) -> None:
        """The first message: the export exists; and its place in line, where it has to wait."""
        message: dict[str, Any] = {"type": "accepted", "task_id": task.task_id}
        if task.state is TaskState.QUEUED:
            self._write({**message, "state": TaskState.QUEUED, "position": task.position})
            self._place = task.position
        else:
            self._write({**message, "state": TaskState.PROCESSING})

    def waiting(self, task: Task, place: int) -> None:
        """The place in line, if the client knows another one and it is time to say so.

        Made again and again, it tells the last place, however soon that came after another.
        """
        if place != self._place and self._is_time():
            self._place = place
            # Twice as long as between others, so that the end of the wait can be told at once.
            self._tell(task, 2 * FIRST_INTERVAL, state=TaskState.QUEUED, position=place)

    def progress(self, task: Task) -> None:
        """How far the export is: if it is time to say so again, and at once after a wait."""
        waited, self._place = self._place is not None, None
        if waited or self._is_time():
            self._tell(
                task,
                2 * FIRST_INTERVAL if waited else FIRST_INTERVAL,
                state=task.state,
                rows_per_second=tenths(task.rows_per_second),
                eta_seconds=tenths(task.eta_seconds),
            )

    def result(self, view: dict[str, Any]) -> None:
        """The last message: the task object."""
        self._write({"type": "result", **view})

    def _is_time(self) -> bool:
        return self._budget > 0 and self._monotonic() >= self._next_progress

    def _tell(self, task: Task, interval: float, **figures: Any) -> None:
        """Write a progress message, and let none follow for `interval` seconds or more."""
        self._sent += 1
        interval *= 2 ** (self._sent // MESSAGES_AN_INTERVAL)
        self._next_progress = self._monotonic() + interval
        self._budget -= self._write(
            {
                "type": "progress",
                "task_id": task.task_id,
                "rows": task.rows,
                "bytes": task.bytes,
                **figures,
            }
        )

    def _write(self, message: dict[str, Any]) -> int:
        """Bytes written. The export does not depend on its client reading, or being there."""
        data = json.dumps(message).encode()
        if self._open:
            try:
                self._writer.write(pa.py_buffer(data))
            except (pa.ArrowException, OSError) as error:
                self._open = False
                self._log.info(Event.StreamError, "the client has gone", reason=str(error)[:200])
        return len(data)

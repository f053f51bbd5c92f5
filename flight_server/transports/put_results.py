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

PROGRESS_BUDGET: Final = 448 * 1024
"""Bytes for progress on one stream; the rest of 512 KB is for the result and its framing."""

FIRST_INTERVAL: Final = 0.5
"""Seconds between two progress messages at the start."""

MESSAGES_AN_INTERVAL: Final = 512
"""Messages after which the interval doubles: six hours take some 3,000 messages."""


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

    def accepted(self, task: Task) -> None:
        """The first message: the export exists."""
        state = TaskState.QUEUED if task.state is TaskState.QUEUED else TaskState.PROCESSING
        self._write({"type": "accepted", "task_id": task.task_id, "state": state})

    def progress(self, task: Task) -> None:
        """How far the export is, if it is time to say so again."""
        now = self._monotonic()
        if now < self._next_progress or self._budget <= 0:
            return
        self._sent += 1
        self._next_progress = now + FIRST_INTERVAL * 2 ** (self._sent // MESSAGES_AN_INTERVAL)
        self._budget -= self._write(
            {
                "type": "progress",
                "task_id": task.task_id,
                "state": task.state,
                "rows": task.rows,
                "bytes": task.bytes,
            }
        )

    def result(self, view: dict[str, Any]) -> None:
        """The last message: the task object."""
        self._write({"type": "result", **view})

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

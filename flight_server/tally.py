"""What one export has taken and written so far, told to everyone who keeps count."""

import time
from collections.abc import Callable

from flight_server.logs import Event, Logger
from flight_server.metrics.tasks import TaskMetrics
from flight_server.tasks.running import Running


class Tally:
    """Tells the task, the metrics and, where it debugs, the log. For the thread of the export.

    Made for every batch: it takes a few locks and writes nothing. Raises as `Running.checkpoint`.
    """

    def __init__(
        self,
        running: Running,
        metrics: TaskMetrics,
        log: Logger,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = running
        self._client = running.task.client
        self._metrics = metrics
        self._log = log
        self._monotonic = monotonic
        self._size = 0
        self._began = 0.0

    def received(self, rows: int) -> None:
        """A batch of so many rows is here."""
        self._running.received()
        self._log.debug(Event.BatchReceived, "a batch was received", rows=rows)
        self._began = self._monotonic()

    def processed(self, rows: int, rows_written: int, size: int) -> None:
        """That batch has been taken: `rows_written` in all, in a file of `size` bytes so far."""
        took = self._monotonic() - self._began
        self._metrics.rows(self._client, rows)
        self.wrote(size)
        self._running.advance(rows=rows_written, bytes=size)
        self._log.debug(
            Event.BatchProcessed, "the batch was taken", duration_ms=took * 1000, rows=rows
        )
        self._log.debug(Event.RecordsWritten, "so far", rows=rows_written, bytes=size)

    def wrote(self, size: int) -> None:
        """The file has `size` bytes now."""
        self._metrics.bytes(self._client, size - self._size)
        self._size = size

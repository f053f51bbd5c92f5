"""Metrics of exports: how many, how long, how much, and what became of them."""

from collections.abc import Callable, Collection
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from flight_server.errors import ErrorCode, Failure
from flight_server.metrics.clients import ClientMetrics
from flight_server.metrics.codes import with_every_code
from flight_server.metrics.names import OTHER

DURATIONS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600)
"""Bucket bounds in seconds: a small CSV takes tens of milliseconds, the longest export six hours.
"""

WAITS: Final = (0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
"""Bucket bounds in seconds: as a rule nobody waits, and `queue_timeout` is five minutes."""


class TaskMetrics:
    """What the service counts of its exports. Thread safe."""

    def __init__(
        self, formats: Collection[str], clients: ClientMetrics, registry: CollectorRegistry
    ) -> None:
        self._formats = frozenset(formats)
        self._clients = clients
        self._started = Counter(
            "export_tasks_started", "Exports that began to run", registry=registry
        )
        self._wait = Histogram(
            "export_queue_wait_seconds",
            "From the acceptance of an export to its slot",
            buckets=WAITS,
            registry=registry,
        )
        self._duration = Histogram(
            "export_duration_seconds",
            "From the acceptance of an export to its end",
            ["format", "state"],
            buckets=DURATIONS,
            registry=registry,
        )
        self._errors = _counter("export_errors", "Exports that failed", registry)
        self._refused = _counter(
            "export_refused", "Exports that were refused before they were accepted", registry
        )
        self._watchdog = _counter(
            "export_watchdog_ended", "Exports that the watchdog had to end", registry
        )
        self._rows = Counter("export_records_processed", "Rows received", registry=registry)
        self._bytes = Counter(
            "export_bytes_written", "Bytes written to files in the making", registry=registry
        )
        self._queries = Counter(
            "export_status_queries", "Questions for a task's status", registry=registry
        )
        self._active = Gauge("export_active_tasks", "Exports that hold a slot", registry=registry)
        self._queued = Gauge("export_queued_tasks", "Exports that wait", registry=registry)
        self._slots = Gauge(
            "export_task_slots", "Exports that may run at the same time", registry=registry
        )
        self._places = Gauge("export_queue_places", "Exports that may wait", registry=registry)
        self._silence = Gauge(
            "export_stream_silence_seconds",
            "The longest time for which a running export has heard nothing of its client",
            registry=registry,
        )

    def started(self, waited: float) -> None:
        """An export got its slot, `waited` seconds after it was accepted."""
        self._started.inc()
        self._wait.observe(waited)

    def finished(
        self,
        client: str,
        state: str,
        code: ErrorCode | None,
        format: str,  # noqa: A002 - the field's name everywhere
        seconds: float,
    ) -> None:
        """An export ended in `state` after `seconds`; `code` says why when it failed."""
        known = format if format in self._formats else OTHER
        self._duration.labels(known, state).observe(seconds)
        self._clients.finished(client, state)
        if code is not None:
            self._errors.labels(code).inc()

    def refused(self, client: str, code: ErrorCode) -> None:
        """An export was refused: there is no task of it."""
        self._refused.labels(code).inc()
        self._clients.refused(client)

    def watchdog_ended(self, failure: Failure) -> None:
        """The watchdog has ended an export that nobody else would have ended."""
        self._watchdog.labels(failure.code).inc()

    def rows(self, client: str, count: int) -> None:
        """`count` more rows were received."""
        self._rows.inc(count)
        self._clients.rows(client, count)

    def bytes(self, client: str, count: int) -> None:
        """`count` more bytes of a file were written."""
        self._bytes.inc(count)
        self._clients.bytes(client, count)

    def status_query(self) -> None:
        """Somebody asked for the status of a task, over any door."""
        self._queries.inc()

    def bounds(self, slots: int, places: int) -> None:
        """So many exports may run, and so many more may wait."""
        self._slots.set(slots)
        self._places.set(places)

    def watch(
        self, active: Callable[[], int], queued: Callable[[], int], silence: Callable[[], float]
    ) -> None:
        """Ask these at every scrape: running and waiting exports, and the longest silence."""
        self._active.set_function(active)
        self._queued.set_function(queued)
        self._silence.set_function(silence)


def _counter(name: str, meaning: str, registry: CollectorRegistry) -> Counter:
    return with_every_code(Counter(name, meaning, ["code"], registry=registry))

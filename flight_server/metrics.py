"""What the service counts and measures: the original's metrics, names kept, and a few more.

Labels take few values: formats are those registered at the start, codes and states are enums.
Gauges are read when somebody scrapes, never in between.
"""

import os
import resource
import shutil
import sys
from collections.abc import Callable, Collection
from math import nan
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from flight_server.errors import ErrorCode

OTHER: Final = "other"
"""The label of a value that is not among the known ones."""

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600)
"""Bucket bounds: a small CSV takes tens of milliseconds, the longest export six hours."""


class Metrics:
    """The metrics of one service, in a registry of their own. Thread safe."""

    def __init__(self, formats: Collection[str]) -> None:
        self.registry = registry = CollectorRegistry()
        self._formats = frozenset(formats)
        self._started = Counter(
            "export_tasks_started", "Exports that began to run", registry=registry
        )
        self._duration = Histogram(
            "export_duration_seconds",
            "From the start of an export to its end",
            ["format", "state"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._upload_duration = Histogram(
            "export_upload_duration_seconds",
            "From the sealed spool to the published file",
            buckets=_SECONDS,
            registry=registry,
        )
        self._errors = Counter("export_errors", "Exports that failed", ["code"], registry=registry)
        self._upload_errors = Counter(
            "export_upload_errors", "Uploads that failed", ["code"], registry=registry
        )
        self._rows = Counter("export_records_processed", "Rows received", registry=registry)
        self._queries = Counter(
            "export_status_queries", "Questions for a task's status", registry=registry
        )
        self._active = Gauge("export_active_tasks", "Exports that hold a slot", registry=registry)
        self._queued = Gauge("export_queued_tasks", "Exports that wait", registry=registry)
        self._disk_used = _disk_gauge("used", registry)
        self._disk_free = _disk_gauge("free", registry)
        memory = Gauge(
            "export_memory_usage_bytes", "Resident memory of the process", registry=registry
        )
        memory.set_function(resident_bytes)
        ProcessCollector(registry=registry)

    def task_started(self) -> None:
        """An export got its slot."""
        self._started.inc()

    def task_finished(
        self,
        state: str,
        code: ErrorCode | None,
        format: str,  # noqa: A002 - the field's name everywhere
        seconds: float,
    ) -> None:
        """An export ended in `state` after `seconds`; `code` says why when it failed."""
        known = format if format in self._formats else OTHER
        self._duration.labels(known, state).observe(seconds)
        if code is not None:
            self._errors.labels(code).inc()

    def upload_seconds(self, seconds: float) -> None:
        """A file was published within `seconds` of being sealed."""
        self._upload_duration.observe(seconds)

    def upload_failed(self, code: ErrorCode) -> None:
        """A sealed file could not be published."""
        self._upload_errors.labels(code).inc()

    def rows(self, count: int) -> None:
        """`count` more rows were received."""
        self._rows.inc(count)

    def status_query(self) -> None:
        """Somebody asked for the status of a task, over any door."""
        self._queries.inc()

    def watch_tasks(self, active: Callable[[], int], queued: Callable[[], int]) -> None:
        """Ask these for the number of running and of waiting exports at every scrape."""
        self._active.set_function(active)
        self._queued.set_function(queued)

    def watch_disk(self, name: str, directory: Path) -> None:
        """Show the file system of `directory` under the label `name`, which is no path."""
        self._disk_used.labels(name).set_function(lambda: _disk(directory, "used"))
        self._disk_free.labels(name).set_function(lambda: _disk(directory, "free"))

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Every metric in the best format for an Accept header, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


def _disk_gauge(what: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(
        f"export_disk_{what}_bytes",
        f"Bytes {what} on the file system of a directory",
        ["directory"],
        registry=registry,
    )


def _disk(directory: Path, what: str) -> float:
    """Bytes, or NaN while the directory cannot be read: one lost disk must not end the scrape."""
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return nan
    return usage.used if what == "used" else usage.free


def resident_bytes() -> int:
    """The resident memory of this process; where /proc is missing, its highest value so far."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except FileNotFoundError:
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest if sys.platform == "darwin" else highest * 1024
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

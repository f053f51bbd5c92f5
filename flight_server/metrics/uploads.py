"""Metrics of finished files on their way to where they are kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from flight_server.errors import ErrorCode
from flight_server.metrics.asked import AskedCounter
from flight_server.metrics.codes import with_every_code
from flight_server.metrics.tasks import DURATIONS


class UploadMetrics:
    """What the service counts of publishing files. Thread safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._duration = Histogram(
            "export_upload_duration_seconds",
            "From the sealed spool to the published file",
            buckets=DURATIONS,
            registry=registry,
        )
        self._errors = with_every_code(
            Counter("export_upload_errors", "Uploads that failed", ["code"], registry=registry)
        )
        self._bytes = Counter("export_upload_bytes", "Bytes of published files", registry=registry)
        self._in_flight = Gauge(
            "export_uploads_in_flight", "Files that are being published", registry=registry
        )
        self._parts = AskedCounter(
            "export_upload_parts", "Parts of files that a store has taken", registry
        )

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """A file is being published."""
        with self._in_flight.track_inprogress():
            yield

    def published(self, size: int, seconds: float) -> None:
        """A file of `size` bytes was published within `seconds` of being sealed."""
        self._duration.observe(seconds)
        self._bytes.inc(size)

    def failed(self, code: ErrorCode) -> None:
        """A sealed file could not be published."""
        self._errors.labels(code).inc()

    def watch_parts(self, sent: Callable[[], int]) -> None:
        """Ask at every scrape how many parts the store has taken."""
        self._parts.ask = sent

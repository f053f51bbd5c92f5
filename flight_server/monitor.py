"""Looking at the health of the service again and again, whether or not anybody asks."""

import threading
from datetime import timedelta
from typing import Final, Self

from flight_server.health import Health, HealthReport, Status
from flight_server.logs import Event, get_logger

_STOP_TIMEOUT: Final = 2.0  # seconds; a report takes one at the most

_log = get_logger("health")


class Monitor:
    """Entered, a daemon thread looks every `interval`: metrics and log tell of what it found.

    Whoever finds that the service has become ready, or is so no more, has it logged. Left, the
    service is no longer ready.
    """

    def __init__(self, health: Health, interval: timedelta) -> None:
        self._health = health
        self._interval = interval.total_seconds()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health-monitor", daemon=True)

    def __enter__(self) -> Self:
        self._health.listen(_changed)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """No check begins any more: what it would look at is about to be closed."""
        self._health.draining()
        self._stopping.set()
        self._thread.join(_STOP_TIMEOUT)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self._health.report()


def _changed(report: HealthReport) -> None:
    if report.status is Status.UNHEALTHY:
        message = "the service is not ready: new exports should go elsewhere"
        _log.warning(Event.ReadinessChanged, message, reasons=report.reasons)
    elif report.status is Status.READY:
        _log.info(Event.ReadinessChanged, "the service is ready")

"""How long a server may take from SIGTERM to its end, at the most."""

from datetime import timedelta
from typing import Final

from flight_server import app, housekeeping, recovery
from flight_server.config import Config
from flight_server.tasks import heartbeat, watchdog
from flight_server.transports import http_server

_DOORS: Final = 4 * app.DOOR_TIMEOUT + 2 * http_server._STOP_MARGIN
"""Flight, gRPC, and two of HTTP, closed one after another."""

_THREADS: Final = sum(each._STOP_TIMEOUT for each in (housekeeping, recovery, heartbeat, watchdog))
"""Those that may be in the middle of something when the database or the store hangs."""

AFTER_GRACE: Final = timedelta(seconds=75)
"""What files and documents add to `server.shutdown_grace`: all of these, and a little more."""


def longest(config: Config) -> timedelta:
    """From SIGTERM to the end of the process."""
    assert timedelta(seconds=_DOORS + _THREADS) <= AFTER_GRACE
    return config.server.shutdown_grace + AFTER_GRACE

"""How long a server may take from SIGTERM to its end, at the most."""

from datetime import timedelta
from typing import Final

from flight_server.config import Config
from flight_server.signals import STOP_SECONDS

AFTER_GRACE: Final = timedelta(seconds=STOP_SECONDS)
"""What files and documents add to `server.shutdown_grace`."""


def longest(config: Config) -> timedelta:
    """From SIGTERM to the end of the process."""
    return config.server.shutdown_grace + AFTER_GRACE

"""What sweeping a bucket is, whichever store has it."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flight_server.errors import ServiceError, translate
from flight_server.storage.faults import Fault
from flight_server.storage.spool import SUFFIX as SPOOL_SUFFIX
from flight_server.storage.sweeping import Sweep

LISTING_INTERVAL: Final = timedelta(hours=1)
"""The bucket is listed no more often: that costs requests."""

STRANGERS: Final = timedelta(days=1)
"""An upload of a task that we do not know may be another server's: it is left so long."""


class Cleaning(ABC):
    """Sweeps one directory of spools and one prefix of a bucket. Used by one thread at a time.

    A store implements the three names below `sweep`; what they meet may be a `Fault`.
    """

    def __init__(
        self, directory: Path, *, retention: timedelta | None, temp_retention: timedelta
    ) -> None:
        self._directory = directory
        self._retention = retention
        self._temp_retention = temp_retention
        self._listed_at: datetime | None = None

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove what is old; how many files. Raises ServiceError for what could not be."""
        failures: list[ServiceError] = []
        removed = 0
        for step in (self._spools, self._recorded, self._bucket):
            try:
                removed += step(now, keep)
            except Fault as fault:
                failures.append(fault.service_error())
            except (OSError, ServiceError) as error:
                failures.append(translate(error))
        if failures:
            raise failures[0]
        return removed

    @abstractmethod
    def _recorded(self, now: datetime, keep: Collection[str]) -> int:
        """Take back what a record on this disk speaks of; 0, as those are no files."""

    @abstractmethod
    def _strangers(self, old: float, keep: Collection[str]) -> None:
        """Abort uploads under our prefix that were begun before `old` (Unix seconds)."""

    @abstractmethod
    def _objects(self, old: float) -> int:
        """Delete finished files that were stored before `old` (Unix seconds); how many."""

    def _spools(self, now: datetime, keep: Collection[str]) -> int:
        sweep = Sweep()
        old = (now - self._temp_retention).timestamp()
        sweep.unfinished(self._directory, SPOOL_SUFFIX, old, keep)
        return sweep.result()

    def _bucket(self, now: datetime, keep: Collection[str]) -> int:
        if self._listed_at is not None and now - self._listed_at < LISTING_INTERVAL:
            return 0
        self._listed_at = now
        self._strangers((now - max(self._temp_retention, STRANGERS)).timestamp(), keep)
        if self._retention is None:
            return 0
        return self._objects((now - self._retention).timestamp())

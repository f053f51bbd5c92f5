"""Removing what outlived its retention, or its task."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flight_server.errors import ServiceError, translate
from flight_server.storage.faults import Fault
from flight_server.storage.names import KeyTemplate
from flight_server.storage.object_store.delivery import Uplink
from flight_server.storage.spool import SUFFIX as SPOOL_SUFFIX
from flight_server.storage.sweeping import Sweep

LISTING_INTERVAL: Final = timedelta(hours=1)
"""The bucket is listed no more often: that costs requests."""

STRANGERS: Final = timedelta(days=1)
"""An upload of a task that we do not know may be another server's: it is left so long."""


class Cleaning:
    """Sweeps one directory of spools and one prefix of a bucket. Used by one thread at a time."""

    def __init__(
        self, uplink: Uplink, keys: KeyTemplate, directory: Path, *, temp_retention: timedelta
    ) -> None:
        self._uplink = uplink
        self._keys = keys
        self._directory = directory
        self._temp_retention = temp_retention
        self._listed_at: datetime | None = None

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove what is old; how many files. Raises ServiceError for what could not be."""
        failures: list[ServiceError] = []
        removed = 0
        for step in (self._spools, self._marked, self._bucket):
            try:
                removed += step(now, keep)
            except Fault as fault:
                failures.append(fault.service_error())
            except (OSError, ServiceError) as error:
                failures.append(translate(error))
        if failures:
            raise failures[0]
        return removed

    def _spools(self, now: datetime, keep: Collection[str]) -> int:
        sweep = Sweep()
        old = (now - self._temp_retention).timestamp()
        sweep.unfinished(self._directory, SPOOL_SUFFIX, old, keep)
        return sweep.result()

    def _marked(self, now: datetime, keep: Collection[str]) -> int:  # noqa: ARG002 - a step
        """Take back what could not be taken back before."""
        for task_id in self._uplink.marks.tasks():
            if task_id not in keep:
                self._uplink.erase_marked(task_id)
        return 0

    def _bucket(self, now: datetime, keep: Collection[str]) -> int:
        if self._listed_at is not None and now - self._listed_at < LISTING_INTERVAL:
            return 0
        self._listed_at = now
        self._strangers(now, keep)
        retention = self._uplink.settings.retention
        return self._objects((now - retention).timestamp()) if retention is not None else 0

    def _strangers(self, now: datetime, keep: Collection[str]) -> None:
        """Abort uploads under our prefix that nobody has ended for long."""
        unfinished = self._uplink.unfinished
        if unfinished is None:
            return
        old = (now - max(self._temp_retention, STRANGERS)).timestamp()
        for each in unfinished.under(self._keys.prefix):
            task_id = self._keys.task_id(each.key)
            if task_id is not None and task_id not in keep and each.initiated_at < old:
                unfinished.abort_one(each)

    def _objects(self, old: float) -> int:
        """Delete finished files that are past their retention."""
        bucket = self._uplink.bucket
        keys = [
            key
            for key, stored_at in bucket.objects(self._keys.directory)
            if stored_at < old and self._keys.task_id(key) is not None
        ]
        for key in keys:
            bucket.delete(key)
        return len(keys)

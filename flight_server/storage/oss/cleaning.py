"""Removing what outlived its retention, or its task."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flight_server.errors import ServiceError, translate
from flight_server.storage.faults import Fault
from flight_server.storage.names import KeyTemplate
from flight_server.storage.oss.delivery import erase
from flight_server.storage.oss.record import records_in
from flight_server.storage.oss.transfer import Uplink
from flight_server.storage.spool import SUFFIX as SPOOL_SUFFIX
from flight_server.storage.sweeping import Sweep

LISTING_INTERVAL: Final = timedelta(hours=1)
"""The bucket is listed no more often: that costs requests."""

STRANGERS: Final = timedelta(days=1)
"""An upload that no record here speaks of may be another server's: it is left so long."""


class Cleaning:
    """Sweeps one directory of spools and one prefix of a bucket. Used by one thread at a time."""

    def __init__(
        self,
        uplink: Uplink,
        keys: KeyTemplate,
        directory: Path,
        *,
        retention: timedelta | None,
        temp_retention: timedelta,
    ) -> None:
        self._uplink = uplink
        self._keys = keys
        self._directory = directory
        self._retention = retention
        self._temp_retention = temp_retention
        self._listed_at: datetime | None = None

    def sweep(self, now: datetime, keep: Collection[str]) -> int:
        """Remove what is old; how many files. Raises ServiceError for what could not be."""
        failures: list[ServiceError] = []
        removed = 0
        for step in (self._spools, self._uploads, self._bucket):
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

    def _uploads(self, now: datetime, keep: Collection[str]) -> int:
        """Abort the uploads on record that are condemned, or whose task is no more."""
        old = (now - self._temp_retention).timestamp()
        for task_id, file, written_at in records_in(self._directory):
            record = file.read()
            if task_id in keep:
                continue
            if record is not None and (record.condemned or written_at < old):
                # Of a task that is no more there may be a good object.
                erase(self._uplink, record.key, record.upload_id, object_too=record.condemned)
                file.remove()
            elif record is None and written_at < old:
                file.remove()
        return 0

    def _bucket(self, now: datetime, keep: Collection[str]) -> int:
        if self._listed_at is not None and now - self._listed_at < LISTING_INTERVAL:
            return 0
        self._listed_at = now
        self._strangers(now, keep)
        return self._objects(now) if self._retention is not None else 0

    def _strangers(self, now: datetime, keep: Collection[str]) -> None:
        """Abort uploads under our prefix that nobody has ended for long."""
        client, insist = self._uplink.client, self._uplink.patience.insist
        old = (now - max(self._temp_retention, STRANGERS)).timestamp()
        for each in insist(lambda: client.open_uploads(self._keys.prefix)):
            task_id = self._keys.task_id(each.key)
            if task_id is not None and task_id not in keep and each.initiated_at < old:
                erase(self._uplink, each.key, each.upload_id, object_too=False)

    def _objects(self, now: datetime) -> int:
        """Delete finished files that are past their retention."""
        client, insist = self._uplink.client, self._uplink.patience.insist
        old = (now - (self._retention or timedelta())).timestamp()
        removed = 0
        for key, stored_at in insist(lambda: list(client.objects(self._keys.prefix))):
            if self._keys.task_id(key) is not None and stored_at < old:
                insist(_deleting(client.delete, key))
                removed += 1
        return removed


def _deleting(delete: Callable[[str], None], key: str) -> Callable[[], None]:
    return lambda: delete(key)

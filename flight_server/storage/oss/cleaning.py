"""Removing what outlived its retention, or its task."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

from flight_server.storage.cleaning import Cleaning
from flight_server.storage.names import KeyTemplate
from flight_server.storage.oss.delivery import erase
from flight_server.storage.oss.record import records_in
from flight_server.storage.oss.transfer import Uplink


class OssCleaning(Cleaning):
    """Aborts the uploads on record that are condemned, or whose task is no more."""

    def __init__(
        self,
        uplink: Uplink,
        keys: KeyTemplate,
        directory: Path,
        *,
        retention: timedelta | None,
        temp_retention: timedelta,
    ) -> None:
        super().__init__(directory, retention=retention, temp_retention=temp_retention)
        self._uplink = uplink
        self._keys = keys

    def _recorded(self, now: datetime, keep: Collection[str]) -> int:
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

    def _strangers(self, old: float, keep: Collection[str]) -> None:
        client, insist = self._uplink.client, self._uplink.patience.insist
        for each in insist(lambda: client.open_uploads(self._keys.prefix)):
            task_id = self._keys.task_id(each.key)
            if task_id is not None and task_id not in keep and each.initiated_at < old:
                erase(self._uplink, each.key, each.upload_id, object_too=False)

    def _objects(self, old: float) -> int:
        client, insist = self._uplink.client, self._uplink.patience.insist
        removed = 0
        for key, stored_at in insist(lambda: list(client.objects(self._keys.prefix))):
            if self._keys.task_id(key) is not None and stored_at < old:
                insist(_deleting(client.delete, key))
                removed += 1
        return removed


def _deleting(delete: Callable[[str], None], key: str) -> Callable[[], None]:
    return lambda: delete(key)

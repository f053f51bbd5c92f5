"""Removing what outlived its retention, or its task."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from flight_server.storage.cleaning import Cleaning
from flight_server.storage.names import KeyTemplate
from flight_server.storage.object_store.delivery import Uplink


class ObjectCleaning(Cleaning):
    """Takes back what is marked, and what S3 has of uploads that nobody ended."""

    def __init__(
        self, uplink: Uplink, keys: KeyTemplate, directory: Path, *, temp_retention: timedelta
    ) -> None:
        retention = uplink.settings.retention
        super().__init__(directory, retention=retention, temp_retention=temp_retention)
        self._uplink = uplink
        self._keys = keys

    def _recorded(self, now: datetime, keep: Collection[str]) -> int:  # noqa: ARG002 - a step
        for task_id in self._uplink.marks.tasks():
            if task_id not in keep:
                self._uplink.erase_marked(task_id)
        return 0

    def _strangers(self, old: float, keep: Collection[str]) -> None:
        unfinished = self._uplink.unfinished
        if unfinished is None:
            return
        for each in unfinished.under(self._keys.prefix):
            task_id = self._keys.task_id(each.key)
            if task_id is not None and task_id not in keep and each.initiated_at < old:
                unfinished.abort_one(each)

    def _objects(self, old: float) -> int:
        bucket = self._uplink.bucket
        keys = [
            key
            for key, stored_at in bucket.objects(self._keys.directory)
            if stored_at < old and self._keys.task_id(key) is not None
        ]
        for key in keys:
            bucket.delete(key)
        return len(keys)

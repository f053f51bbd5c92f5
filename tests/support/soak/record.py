"""The state database, read from outside."""

import json
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.support.soak.journal import UNFINISHED

TASKS = text(
    "SELECT task_id, request_id, state, error, sha256, size_bytes, replica FROM export_tasks"
)
REPLICAS = text("SELECT replica_id, host FROM export_replicas")


@dataclass(frozen=True)
class Record:
    """What was committed at one moment."""

    rows: list[dict[str, Any]]
    """Every task, as a task object."""
    pids: dict[str, int]
    """The process that each replica was, or is."""

    def orphans(self, others: Collection[int]) -> dict[str, str]:
        """The unfinished tasks that none of the `others` has or had, and their states."""
        return {
            row["task_id"]: row["state"]
            for row in self.rows
            if row["state"] in UNFINISHED and self.pids.get(row["replica"]) not in others
        }


def read_record(url: URL) -> Record:
    """The record as it is.

    Of a SQLite database a copy is read, with what a killed server left in the write-ahead log:
    who opens the files themselves would clear up before the next server does.
    """
    if url.get_backend_name() != "sqlite":
        return _query(url)
    assert url.database is not None
    source = Path(url.database)
    with tempfile.TemporaryDirectory() as copies:
        for suffix in ("", "-wal"):
            file = source.with_name(source.name + suffix)
            if file.exists():
                shutil.copy(file, copies)
        return _query(url.set(database=str(Path(copies) / source.name)))


def _query(url: URL) -> Record:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(TASKS).mappings()]
            hosts = connection.execute(REPLICAS).all()
    finally:
        engine.dispose()
    for row in rows:
        row["error"] = json.loads(row["error"]) if row["error"] else None
    return Record(rows, {name: int(host.rpartition(":")[2]) for name, host in hosts})

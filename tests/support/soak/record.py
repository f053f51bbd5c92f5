"""The rows of the state database, read from outside."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

QUERY = text("SELECT task_id, request_id, state, error, sha256, size_bytes FROM export_tasks")


def rows_of(url: URL) -> list[dict[str, Any]]:
    """Every task as it was last committed, as a task object.

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


def _query(url: URL) -> list[dict[str, Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = [dict(row) for row in connection.execute(QUERY).mappings()]
    finally:
        engine.dispose()
    for row in found:
        row["error"] = json.loads(row["error"]) if row["error"] else None
    return found

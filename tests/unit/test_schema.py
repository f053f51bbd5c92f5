"""The state database is migrated at the start, whatever version it has."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select

from flight_server.tasks import migrations, store_schema
from flight_server.tasks.model import TaskState
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.schema_version import SCHEMA_VERSION
from flight_server.tasks.store import TaskStore
from tests.support.postgres import Postgres

VERSION_1 = """
CREATE TABLE export_tasks (
    task_id TEXT NOT NULL, request_id TEXT NOT NULL, client TEXT NOT NULL,
    fingerprint TEXT NOT NULL, state VARCHAR(16) NOT NULL, format TEXT NOT NULL,
    filename TEXT NOT NULL, content_type TEXT NOT NULL, rows_expected BIGINT,
    rows BIGINT NOT NULL, bytes BIGINT NOT NULL, size_bytes BIGINT, sha256 TEXT, sheets INTEGER,
    warnings TEXT NOT NULL, error TEXT, created_at BIGINT NOT NULL, started_at BIGINT,
    completed_at BIGINT, PRIMARY KEY (task_id)
);
CREATE UNIQUE INDEX export_tasks_one_live ON export_tasks (client, request_id)
    WHERE state IN ('QUEUED', 'PROCESSING', 'UPLOADING', 'COMPLETED');
CREATE INDEX export_tasks_by_request ON export_tasks (client, request_id, task_id);
CREATE INDEX export_tasks_by_client ON export_tasks (client, task_id);
CREATE INDEX export_tasks_by_state ON export_tasks (state, task_id);
CREATE TABLE export_secrets (name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (name));
CREATE TABLE export_schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
INSERT INTO export_schema_version VALUES (1);
INSERT INTO export_secrets VALUES ('links', X'0102');
INSERT INTO export_tasks VALUES ('a1', 'r1', 'c', 'f', 'COMPLETED', 'csv', 'f.csv', 'text/csv',
    NULL, 3, 45, 45, 'ab', NULL, '[]', NULL, 1000000, 2000000, 3000000);
INSERT INTO export_tasks VALUES ('a2', 'r2', 'c', 'f', 'UPLOADING', 'csv', 'f.csv', 'text/csv',
    NULL, 3, 45, 45, 'ab', NULL, '[]', NULL, 1000000, 2000000, NULL);
"""
"""The whole database as version 1 made it, with a task that is finished and one that is not."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def differences(url: str) -> list[object]:
    """What the program's tables have that the migrated database has not, or the reverse."""
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _parents: name != "export_schema",
                "compare_type": True,
            },
        )
        found = list(compare_metadata(context, store_schema.metadata))
    engine.dispose()
    return found


def test_the_migrations_make_the_tables_that_the_program_has_in_sqlite(path: Path) -> None:
    TaskStore(f"sqlite:///{path}").close()
    assert differences(f"sqlite:///{path}") == []


def test_the_migrations_make_the_tables_that_the_program_has_in_postgresql(
    postgres_server: Postgres,
) -> None:
    url = postgres_server.database()
    TaskStore(url).close()
    assert differences(url) == []


def test_the_newest_migration_is_the_version_that_the_program_knows() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_heads() == [SCHEMA_VERSION]


def test_a_database_of_version_1_keeps_its_tasks_and_its_keys(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
    connection.close()
    store = TaskStore(f"sqlite:///{path}")
    finished, left = store.get("a1"), store.get("a2")
    assert finished is not None
    assert finished.sha256 == "ab"
    assert store.secret("links", lambda: b"another") == b"\x01\x02"
    [earlier] = ReplicaTable(store.database).all()
    assert earlier.gone
    assert left is not None
    assert (left.state, left.replica) == (TaskState.UPLOADING, earlier.replica_id)
    assert ReplicaTable(store.database).orphans([]) == [left]
    store.close()
    assert differences(f"sqlite:///{path}") == []


def test_a_database_that_is_as_it_should_be_is_not_migrated_again(path: Path) -> None:
    TaskStore(f"sqlite:///{path}").close()
    before = path.read_bytes()
    TaskStore(f"sqlite:///{path}").close()
    assert path.read_bytes() == before


def test_of_many_replicas_that_start_at_once_one_migrates(postgres_server: Postgres) -> None:
    url = postgres_server.database()
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(TaskStore, [url] * 6))
    for store in stores:
        with store.database.reading() as connection:
            assert connection.execute(select(store_schema.tasks)).all() == []
        store.close()

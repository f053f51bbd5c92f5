import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.tasks import store_engine, store_schema
from flight_server.tasks.model import Task, TaskState, TaskWarning, new_task_id
from flight_server.tasks.schema_version import SCHEMA_VERSION
from flight_server.tasks.store import RequestIdTaken, StateError, TaskStore
from flight_server.tasks.store_engine import _reason
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
DONE = {"started_at": NOON, "completed_at": NOON}


def make_task(number: int = 0, **changes: Any) -> Task:
    """A task made `number` milliseconds after noon."""
    made = NOON + timedelta(milliseconds=number)
    task = Task(
        task_id=new_task_id(made),
        request_id=f"r{number}",
        client="c",
        fingerprint="0" * 64,
        format="csv",
        filename="f.csv",
        content_type="text/csv",
        created_at=made,
    )
    return replace(task, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "state.db"


@pytest.fixture
def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, sqlite_url: str) -> str:
    """Both databases hold to the same contract."""
    if request.param == "sqlite":
        return sqlite_url
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.database()


@pytest.fixture
def store(url: str) -> Iterator[TaskStore]:
    store = TaskStore(url)
    yield store
    store.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[TaskStore]:
    store = TaskStore(sqlite_url)
    yield store
    store.close()


def test_the_columns_are_the_fields_of_a_task() -> None:
    assert [column.name for column in store_schema.tasks.columns] == [
        field.name for field in fields(Task)
    ]


def test_a_task_comes_back_exactly_as_it_was_recorded(store: TaskStore) -> None:
    task = make_task(
        state=TaskState.UPLOADING,
        filename="客户 'a' \"b\".csv",
        rows_expected=2**40,
        rows=2**40,
        bytes=2**41,
        size_bytes=2**41,
        sha256="f" * 64,
        sheets=3,
        warnings=(TaskWarning("NAN", "1 NaN ▶ empty", 1), TaskWarning("X", "y", 2)),
        error=Failure(ErrorCode.UPLOAD_ERROR, "the bucket is gone"),
        created_at=datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        started_at=datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        completed_at=datetime(2262, 4, 11, tzinfo=UTC),
    )
    store.create(task)
    assert store.get(task.task_id) == task


def test_an_unknown_task_is_none(store: TaskStore) -> None:
    assert store.get("nobody") is None
    assert store.find("c", "nothing") is None


@pytest.mark.parametrize("state", ["QUEUED", "PROCESSING", "UPLOADING", "COMPLETED"])
def test_a_request_id_is_taken_by_an_unfinished_or_completed_task(
    store: TaskStore, state: str
) -> None:
    first = make_task(state=TaskState(state))
    store.create(first)
    second = make_task(1, request_id=first.request_id)
    with pytest.raises(RequestIdTaken, match=f"{first.task_id}, which is {state}") as caught:
        store.create(second)
    assert caught.value.existing == first
    assert caught.value.code is ErrorCode.ALREADY_EXISTS
    assert caught.value.task_id == first.task_id
    assert store.get(second.task_id) is None


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_request_id_is_free_again_after_a_failed_or_cancelled_task(
    store: TaskStore, state: str
) -> None:
    first, second = make_task(0, state=TaskState(state)), make_task(1, request_id="r0")
    store.create(first)
    store.create(second)
    assert store.find("c", "r0") == second
    assert store.get(first.task_id) == first


def test_a_request_id_that_comes_free_in_the_meantime_is_given(url: str) -> None:
    first = make_task(0)

    class StoreOfAnEndingTask(TaskStore):
        """Cancels the first task between the refused insert and the look at who has the id."""

        def _first(self, *conditions: Any) -> Task | None:
            cancelled = first.moved(TaskState.CANCELLED, at=NOON)
            self.update(cancelled, expected=TaskState.QUEUED)
            return super()._first(*conditions)

    store = StoreOfAnEndingTask(url)
    try:
        store.create(first)
        store.create(second := make_task(1, request_id=first.request_id))
        assert store.find("c", first.request_id) == second
    finally:
        store.close()


def test_clients_do_not_share_request_ids(store: TaskStore) -> None:
    store.create(make_task(0, request_id="same"))
    store.create(make_task(1, request_id="same", client="other"))


def test_a_task_id_cannot_be_recorded_twice(store: TaskStore) -> None:
    task = make_task()
    store.create(task)
    with pytest.raises(ValueError, match=task.task_id):
        store.create(replace(task, request_id="another"))


def test_of_many_creations_of_one_request_one_succeeds(store: TaskStore) -> None:
    def attempt(number: int) -> str:
        task = make_task(number, request_id="same")
        try:
            store.create(task)
        except RequestIdTaken as error:
            return error.existing.task_id
        return task.task_id

    with ThreadPoolExecutor(16) as pool:
        winners = set(pool.map(attempt, range(64)))
    assert len(winners) == 1
    assert [task.task_id for task in store.list()] == list(winners)


def test_an_update_needs_the_expected_state(store: TaskStore) -> None:
    queued = make_task()
    store.create(queued)
    processing = queued.moved(TaskState.PROCESSING, at=NOON)
    assert store.update(processing, expected=TaskState.QUEUED)
    cancelled = queued.moved(TaskState.CANCELLED, at=NOON)
    assert not store.update(cancelled, expected=TaskState.QUEUED)
    assert store.get(queued.task_id) == processing


def test_an_update_of_an_unknown_task_changes_nothing(store: TaskStore) -> None:
    assert not store.update(make_task(), expected=TaskState.QUEUED)
    assert store.list() == []


def test_of_many_updates_from_one_state_one_succeeds(store: TaskStore) -> None:
    task = make_task(state=TaskState.UPLOADING)
    store.create(task)
    ends = [
        task.moved(state, at=NOON)
        for state in (TaskState.COMPLETED, TaskState.CANCELLED, TaskState.FAILED)
    ] * 16

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda end: store.update(end, expected=TaskState.UPLOADING), ends))
    assert won.count(True) == 1
    assert store.get(task.task_id) == ends[won.index(True)]


def test_tasks_are_listed_newest_first_in_pages_that_neither_repeat_nor_miss(
    store: TaskStore,
) -> None:
    recorded = [make_task(number) for number in range(5)]
    for task in recorded:
        store.create(task)
    first = store.list(limit=2)
    store.create(make_task(9))  # newer: belongs on no later page
    second = store.list(limit=2, after=first[-1].task_id)
    third = store.list(limit=2, after=second[-1].task_id)
    assert first + second + third == recorded[::-1]
    assert store.list(after=third[-1].task_id) == []


def test_a_page_goes_on_after_a_task_that_was_deleted(store: TaskStore) -> None:
    kept = make_task(0)
    gone = make_task(1, state=TaskState.FAILED, **DONE)
    store.create(kept)
    store.create(gone)
    store.delete_finished(NOON + timedelta(days=1))
    assert store.list(after=gone.task_id) == [kept]


def test_a_list_is_filtered_by_client_and_by_state(store: TaskStore) -> None:
    mine = make_task(0)
    mine_done = make_task(1, state=TaskState.COMPLETED)
    theirs = make_task(2, client="other")
    for task in (mine, mine_done, theirs):
        store.create(task)
    assert store.list(client="c") == [mine_done, mine]
    assert store.list(state=TaskState.QUEUED) == [theirs, mine]
    assert store.list(client="c", state=TaskState.QUEUED) == [mine]


def test_unfinished_tasks_come_oldest_first(store: TaskStore) -> None:
    tasks = [make_task(number, state=state) for number, state in enumerate(TaskState)]
    for task in reversed(tasks):
        store.create(task)
    assert store.unfinished() == tasks[:3]


def test_only_tasks_that_finished_before_the_time_are_deleted(store: TaskStore) -> None:
    old = make_task(0, state=TaskState.COMPLETED, completed_at=NOON)
    young = make_task(1, state=TaskState.FAILED, completed_at=NOON + timedelta(microseconds=1))
    running = make_task(2, state=TaskState.UPLOADING)
    for task in (old, young, running):
        store.create(task)
    assert store.delete_finished(NOON + timedelta(microseconds=1)) == 1
    assert store.list() == [running, young]


def test_a_secret_is_made_once_and_kept_over_a_restart(store: TaskStore, url: str) -> None:
    made = store.secret("links", lambda: b"\x00\xff first")
    again = TaskStore(url)
    try:
        assert again.secret("links", lambda: b"second") == made == b"\x00\xff first"
        assert again.secret("other", lambda: b"third") == b"third"
    finally:
        again.close()


def test_many_threads_get_the_same_secret(store: TaskStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        secrets = set(
            pool.map(lambda number: store.secret("links", lambda: bytes([number])), range(32))
        )
    assert len(secrets) == 1


def test_two_stores_on_one_file_see_each_other(store: TaskStore, url: str) -> None:
    other = TaskStore(url)
    try:
        task = make_task()
        store.create(task)
        assert other.get(task.task_id) == task
        moved = task.moved(TaskState.PROCESSING, at=NOON)
        assert other.update(moved, expected=TaskState.QUEUED)
        assert not store.update(moved, expected=TaskState.QUEUED)
    finally:
        other.close()


def test_what_was_recorded_survives_a_killed_process(path: Path, sqlite_url: str) -> None:
    program = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from flight_server.tasks.model import Task\n"
        "from flight_server.tasks.store import TaskStore\n"
        "store = TaskStore(sys.argv[1])\n"
        "store.create(Task(task_id='t', request_id='r', client='c', fingerprint='', format='csv',"
        " filename='f', content_type='', created_at=datetime.now(UTC)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(Path(__file__).parents[2])
    killed = subprocess.run([sys.executable, "-c", program, sqlite_url], cwd=root, check=False)
    assert killed.returncode == -9
    store = TaskStore(sqlite_url)
    try:
        assert [task.task_id for task in store.unfinished()] == ["t"]
    finally:
        store.close()


def test_many_stores_can_open_a_new_database_at_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(TaskStore, [url] * 8))
    for store in stores:
        store.ping()
        store.close()


def test_a_store_in_memory_serves_many_threads() -> None:
    store = TaskStore("sqlite://")
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: store.create(make_task(number)), range(50)))
        assert len(store.list()) == 50
    finally:
        store.close()


def test_only_the_owner_can_read_the_database(sqlite_store: TaskStore, path: Path) -> None:
    sqlite_store.create(make_task())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_a_database_that_others_could_read_is_closed_to_them(path: Path, sqlite_url: str) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    TaskStore(sqlite_url).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_working_database_answers_a_ping(store: TaskStore) -> None:
    store.ping()


def test_a_broken_database_is_a_storage_error_without_sql_or_path(
    sqlite_store: TaskStore, path: Path
) -> None:
    store = sqlite_store
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE export_tasks")
        connection.execute("DROP TABLE export_replicas")
    connection.close()
    calls = (
        store.ping,
        store.list,
        lambda: store.create(make_task()),
        lambda: store.update(make_task(), expected=TaskState.QUEUED),
    )
    for call in calls:
        with pytest.raises(ServiceError) as caught:
            call()
        assert caught.value.code is ErrorCode.STORAGE_ERROR
        assert caught.value.message == (
            "the state database cannot be used at the moment; retry later"
        )


def test_a_full_disk_says_so(sqlite_store: TaskStore) -> None:
    store = sqlite_store
    with store.database._engine.connect() as connection:  # the pool has this one connection
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(ServiceError) as caught:
        store.create(make_task(filename="x" * 1_000_000))
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert caught.value.__cause__ is not None


def open_error(url: str) -> str:
    with pytest.raises(StateError) as caught:
        TaskStore(url)
    return str(caught.value)


@pytest.mark.parametrize("url", ["", "state.db", "sqlite:/state", "postgresql://u:pass@h:port/d"])
def test_what_is_no_url_is_answered_with_examples_and_not_quoted(url: str) -> None:
    assert open_error(url) == (
        "state.url is not a database URL; "
        "give sqlite:///./data/state.db or postgresql://user:password@host/database"
    )


def test_an_unknown_database_names_the_known_ones() -> None:
    assert open_error("mysql://u:hunter2@h/d") == (
        "state.url names the database 'mysql'; available: postgresql, sqlite"
    )


def test_a_missing_driver_is_named_and_the_password_is_not() -> None:
    message = open_error("postgresql+pg8000://u:hunter2@h/d?password=hunter3")
    assert "needs a driver that is not installed" in message
    assert "pg8000" in message
    assert "hunter" not in message


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h/d", "postgresql://h/d?password=hunter2"])
def test_what_a_driver_says_is_told_without_the_password(url: str) -> None:
    said = sqlite3.OperationalError("FATAL: hunter2 is\n wrong")
    error = OperationalError("SELECT 1", None, said)
    assert _reason(error, make_url(url)) == "FATAL: *** is wrong"


def test_a_directory_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = open_error(f"sqlite:///{tmp_path}/file/state.db")
    assert message.endswith("give a file in a directory that the server may write")


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database " * 1000)
    assert "file is not a database" in open_error(f"sqlite:///{tmp_path}/state.db")


def test_a_file_given_by_uri_is_refused() -> None:
    assert "names a file by URI" in open_error("sqlite:///file:state.db?uri=true")


def test_a_database_of_a_newer_version_is_left_alone(path: Path, sqlite_url: str) -> None:
    TaskStore(sqlite_url).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE export_schema SET version_num = '0007'")
        connection.execute("DROP TABLE export_secrets")
    message = open_error(sqlite_url)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert f"has schema version 0007, and this server knows version {SCHEMA_VERSION}" in message
    assert "export_secrets" not in names


def test_in_postgresql_too_only_live_tasks_hold_their_request_id() -> None:
    (index,) = (index for index in store_schema.tasks.indexes if index.unique)
    ddl = str(CreateIndex(index).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert ddl.endswith("WHERE state IN ('QUEUED', 'PROCESSING', 'UPLOADING', 'COMPLETED')")


def test_of_two_transitions_the_second_finds_itself_second_whatever_postgresql_defaults_to(
    postgres_server: Postgres,
) -> None:
    url = postgres_server.database()
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        default = "default_transaction_isolation = 'serializable'"
        connection.execute(text(f"ALTER DATABASE {make_url(url).database} SET {default}"))
        store = TaskStore(url)
        task = make_task()
        store.create(task)
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        with ThreadPoolExecutor(1) as pool:
            with store.database.writing() as first:
                first.execute(update(store_schema.tasks).values(state=TaskState.CANCELLED))
                started = task.moved(TaskState.PROCESSING, at=NOON)
                second = pool.submit(store.update, started, expected=TaskState.QUEUED)
                wait_for(lambda: connection.scalar(waiting))
            assert second.result() is False
        store.close()
    engine.dispose()


def test_a_database_that_is_gone_without_a_word_is_noticed(postgres_server: Postgres) -> None:
    store = TaskStore(f"{postgres_server.database()}&connect_timeout=3")
    with store.database.reading() as connection:
        dbapi: Any = connection.connection.dbapi_connection
        asked = dbapi.info.get_parameters()
    store.close()
    assert (asked["connect_timeout"], asked["tcp_user_timeout"]) == ("3", "25000")
    assert {"keepalives_idle", "keepalives_interval", "keepalives_count"} <= asked.keys()


class Cursor:
    """Answers `execute` with these errors in turn, and then well."""

    def __init__(self, *codes: int) -> None:
        self.left = [*codes]

    def execute(self, _statement: str) -> None:
        if self.left:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.left.pop(0)
            raise error


def test_a_database_that_another_changes_to_its_log_is_waited_for() -> None:
    cursor = Cursor(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY)
    store_engine._use_write_ahead_log(cursor)
    assert cursor.left == []


def test_any_other_error_of_a_new_database_is_not_waited_for() -> None:
    with pytest.raises(sqlite3.OperationalError):
        store_engine._use_write_ahead_log(Cursor(sqlite3.SQLITE_CANTOPEN))


def test_a_database_that_stays_locked_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_engine, "_BUSY_TIMEOUT", -1.0)
    with pytest.raises(sqlite3.OperationalError):
        store_engine._use_write_ahead_log(Cursor(sqlite3.SQLITE_BUSY))

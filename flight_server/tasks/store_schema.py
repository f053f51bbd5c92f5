"""The tables of the state database: the one place that knows their columns.

The columns of `tasks` bear the names of `Task`'s fields, so that a row is a task and the reverse.
"""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Enum,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

from flight_server.errors import ErrorCode, Failure
from flight_server.tasks.model import EPOCH, Task, TaskState, TaskWarning, microseconds

LIVE_STATES: Final = tuple(
    state for state in TaskState if state not in {TaskState.FAILED, TaskState.CANCELLED}
)
"""States in which a request id is taken: unfinished, or there to be downloaded."""

UNFINISHED_STATES: Final = tuple(state for state in TaskState if not state.finished)


class UtcMicroseconds(TypeDecorator[datetime]):
    """An aware time as whole microseconds since 1970.

    Exact both ways, ordered, and the same in every database; SQLite has no type for times.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


class WarningsText(TypeDecorator[tuple[TaskWarning, ...]]):
    """Warnings as a JSON list; read and written whole, never searched."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[TaskWarning, ...] | None, _dialect: Dialect) -> str:
        return json.dumps([asdict(warning) for warning in value or ()])

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[TaskWarning, ...]:
        return tuple(TaskWarning(**warning) for warning in json.loads(value or "[]"))


class FailureText(TypeDecorator[Failure]):
    """A failure as a JSON object, or null."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Failure | None, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(asdict(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Failure | None:
        if value is None:
            return None
        failure = json.loads(value)
        known = failure["code"] in ErrorCode.__members__  # a later version may have others
        code = ErrorCode(failure["code"]) if known else ErrorCode.INTERNAL
        return Failure(code, failure["message"])


metadata = MetaData()

# Prefixed: a PostgreSQL database may be shared with the application's own tables.
tasks = Table(
    "export_tasks",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("state", Enum(TaskState, native_enum=False, length=16), nullable=False),
    Column("format", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("rows_expected", BigInteger),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows_per_second", Float),
    Column("position", Integer),
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    Column("sheets", Integer),
    Column("warnings", WarningsText, nullable=False),
    Column("error", FailureText),
    Column("replica", Text, nullable=False),
    Column("created_at", UtcMicroseconds, nullable=False),
    Column("started_at", UtcMicroseconds),
    Column("completed_at", UtcMicroseconds),
)
secrets = Table(
    "export_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
replicas = Table(
    "export_replicas",
    metadata,
    Column("replica_id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("spools", Text, nullable=False),
    Column("started_at", UtcMicroseconds, nullable=False),
    Column("lease_until", UtcMicroseconds, nullable=False),
    Column("gone", Boolean, nullable=False),
)

# What makes `TaskStore.create` free of races: the database itself refuses the second one.
_live = tasks.c.state.in_(LIVE_STATES)
Index(
    "export_tasks_one_live",
    tasks.c.client,
    tasks.c.request_id,
    unique=True,
    sqlite_where=_live,
    postgresql_where=_live,
)
Index("export_tasks_by_request", tasks.c.client, tasks.c.request_id, tasks.c.task_id)
# Pages are cut by task_id, which is ordered by time: by client, by state, or by the primary key.
Index("export_tasks_by_client", tasks.c.client, tasks.c.task_id)
Index("export_tasks_by_state", tasks.c.state, tasks.c.task_id)
Index("export_tasks_by_replica", tasks.c.replica, tasks.c.state)


def row_of(task: Task) -> dict[str, Any]:
    """The values of `task` by column."""
    return {column.name: getattr(task, column.name) for column in tasks.columns}


def task_of(row: RowMapping) -> Task:
    """The task that a row of `tasks` holds."""
    return Task(**row)

"""Opening the state database: what can be wrong with `state.url` is said here, once, at start."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from flight_server.tasks.schema_version import SCHEMA_VERSION, ensure

_DATABASES: Final = ("postgresql", "sqlite")
_EXAMPLES: Final = "sqlite:///./data/state.db or postgresql://user:password@host/database"
_BUSY_TIMEOUT: Final = 30.0  # seconds to wait for another process's write; ours last milliseconds
_BUSY_PAUSE: Final = 0.01
_LIBPQ: Final = frozenset({"psycopg", "psycopg2"})
_SIGNS_OF_LIFE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds; the others are seconds, and a number
}
"""For PostgreSQL. A machine that is gone without a word is one that answers slowly, to who waits:
by the system's defaults for two hours, in which the heartbeat would renew no lease while other
connections work. What `state.url` gives itself stands."""

_MEMORY: Final = frozenset({None, "", ":memory:"})


class StateError(Exception):
    """The state database cannot be used as configured; the message says what would be right."""


def open_engine(url_text: str) -> Engine:
    """An engine whose database answers and has this program's schema.

    Raises StateError when `url_text` is not usable; the message never holds its password.
    """
    url = _parsed(url_text)
    if url.get_backend_name() == "sqlite":
        _prepare_file(url)
    engine = _create(url)
    try:
        with engine.begin() as connection:
            _check_version(url, ensure(connection))
    except SQLAlchemyError as error:
        engine.dispose()
        raise StateError(f"state.url {_shown(url)} cannot be opened: {_reason(error, url)}") from (
            error
        )
    except BaseException:
        engine.dispose()
        raise
    return engine


def _parsed(url_text: str) -> URL:
    try:
        url = make_url(url_text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        # Not chained and not quoted: what cannot be parsed cannot have its password hidden.
        raise StateError(f"state.url is not a database URL; give {_EXAMPLES}") from None
    if url.get_backend_name() not in _DATABASES:
        raise StateError(
            f"state.url names the database {url.get_backend_name()!r}; "
            f"available: {', '.join(_DATABASES)}"
        )
    return url


def _create(url: URL) -> Engine:
    # The parameters of a statement can be a secret: keep them out of every message.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        options |= {"poolclass": QueuePool, "connect_args": _sqlite_arguments()}
    else:
        # Of two transitions at once the second is to find that it came second, whatever the
        # database's default: above this level it fails as if the database were out of order.
        options |= {
            "pool_pre_ping": True,
            "isolation_level": "READ COMMITTED",
            "connect_args": _libpq_arguments(url),
        }
    if _in_memory(url):
        # One connection is one database, which lives as long as the connection.
        options |= {"pool_size": 1, "max_overflow": 0}
    try:
        engine = create_engine(url, **options)
    except (ImportError, NoSuchModuleError) as error:
        raise StateError(
            f"state.url {_shown(url)} needs a driver that is not installed: {error}"
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _libpq_arguments(url: URL) -> dict[str, Any]:
    if url.get_driver_name() not in _LIBPQ:
        return {}
    return {name: value for name, value in _SIGNS_OF_LIFE.items() if name not in url.query}


def _sqlite_arguments() -> dict[str, Any]:
    # The pool hands a connection to one thread at a time, which is what SQLite asks for.
    return {"timeout": _BUSY_TIMEOUT, "check_same_thread": False}


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    try:
        _use_write_ahead_log(cursor)
        # A commit survives a killed process even with NORMAL; only FULL keeps it over a power
        # cut, and a task that was announced COMPLETED must not come back as UPLOADING. It costs
        # one fsync of the log, about a millisecond, for each of an export's three or four writes.
        cursor.execute("PRAGMA synchronous = FULL")
    finally:
        cursor.close()


def _use_write_ahead_log(cursor: Any) -> None:
    """Let readers go on while a transition is written.

    Where several open a new database at once, SQLite answers "locked" to all but one of those that
    change its mode, without waiting for the time-out of `connect`.
    """
    deadline = time.monotonic() + _BUSY_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE)
        else:
            return


def _in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in _MEMORY


def _prepare_file(url: URL) -> None:
    """Make the file and its directory; only its owner may read it, as it holds signing keys.

    SQLite gives the log files beside it the same mode.
    """
    if _in_memory(url):
        return
    path = Path(url.database or "")
    if str(path).startswith("file:"):
        raise StateError(f"state.url {_shown(url)} names a file by URI; give {_EXAMPLES}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StateError(
            f"state.url {_shown(url)} cannot be written: {error.strerror}; "
            "give a file in a directory that the server may write"
        ) from error


def _check_version(url: URL, version: str) -> None:
    if version != SCHEMA_VERSION:
        raise StateError(
            f"state.url {_shown(url)} has schema version {version}, and this server knows "
            f"version {SCHEMA_VERSION}; start the server that wrote it, "
            "or give another database"
        )


def _shown(url: URL) -> str:
    # A query can hold a password as well.
    return repr(url.set(query={}).render_as_string(hide_password=True))


def _reason(error: SQLAlchemyError, url: URL) -> str:
    """What the driver says, on one line: SQLAlchemy's own message adds SQL to it."""
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    for password in filter(None, (url.password, url.query.get("password"))):
        reason = reason.replace(str(password), "***")
    return reason

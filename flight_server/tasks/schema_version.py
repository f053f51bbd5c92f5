"""Which version the state database is of, and bringing it to the one that this program knows."""

from typing import Final

from sqlalchemy import Connection, func, inspect, select, text

SCHEMA_VERSION: Final = "0002"
"""The newest of `migrations/versions`."""

_TABLE: Final = "export_schema"
_BEFORE_ALEMBIC: Final = "export_schema_version"
"""Where version 1 noted itself, as a number; it was the only one to do so."""

_LOCK: Final = 0x4558504F  # any number that no other program locks: "EXPO"


def ensure(connection: Connection) -> str:
    """Bring the database to `SCHEMA_VERSION` and return the version that it has then.

    Call inside a transaction. Several servers may start at once: one migrates, the others wait.
    A version that is not known here is returned, and the database left alone.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    found = _found(connection)
    if found is not None and found >= SCHEMA_VERSION:
        return found
    # Most starts have nothing to do, and save the tenth of a second that Alembic takes to import.
    from flight_server.tasks.migrating import migrate

    migrate(connection, found, version_table=_TABLE)
    return SCHEMA_VERSION


def _found(connection: Connection) -> str | None:
    """The version, as the revisions are named; None for a database without tables of ours."""
    tables = inspect(connection)
    for name in (_TABLE, _BEFORE_ALEMBIC):
        if tables.has_table(name):
            found = connection.scalar(text(f"SELECT * FROM {name}"))  # noqa: S608 - our own names
            return None if found is None else f"{found:0>4}"
    return None

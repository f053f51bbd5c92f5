"""The time as the state database has it: one clock for all who share it."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[int]):  # noqa: N801 - it stands where SQL has a function
    """Microseconds since 1970, by the database's clock."""

    type = BigInteger()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_in_sqlite(_element: now, _compiler: Any, **_options: Any) -> str:
    # Whole milliseconds; `unixepoch('subsec')` would be clearer and needs SQLite 3.42.
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000"


@compiles(now, "postgresql")
def _now_in_postgresql(_element: now, _compiler: Any, **_options: Any) -> str:
    # Not now(), which is the time when the transaction began.
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"

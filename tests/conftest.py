"""Servers for every tier that needs a real one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.postgres import Postgres, postgres
from tests.support.seaweed import Seaweed, seaweed
from tests.support.site import Running, Site, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on its defaults, shared by the tests of a file: each leaves it well."""
    with running(Site(tmp_path_factory.mktemp("site"))) as started:
        yield started


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """One S3 server for all tests; each has a prefix of its own."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as started:
        yield started


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests; each has a database of its own."""
    with postgres() as started:
        yield started


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An installation of one test's own."""
    return Site(tmp_path)


StartServer = Callable[..., Running]


@pytest.fixture
def start_server(site: Site) -> Iterator[StartServer]:
    """Starts a server at `site` with `section.key=value` overrides, and stops it at the end."""
    with ExitStack() as stack:

        def start(*overrides: str) -> Running:
            return stack.enter_context(running(site, *overrides))

        yield start

"""A place for one server to live in, and the server itself, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from pyarrow import flight

from flight_server.app import Server
from flight_server.config import load_config
from flight_server.tasks.store import TaskStore
from tests.support.exports import Actions, Json
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class Site:
    """The directories of one installation."""

    root: Path

    @property
    def overrides(self) -> list[str]:
        """The configuration, as `--set` takes it: free ports, everything below `root`."""
        return [
            "server.flight_port=0",
            "server.port=0",
            "server.status_port=0",
            "monitoring.metrics_port=0",
            f"storage.temp_directory={self.root / 'spool'}",
            f"storage.local.directory={self.root / 'files'}",
            f"state.url=sqlite:///{self.root / 'state.db'}",
            "storage.min_free_bytes=0",
        ]

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    def recorded_error(self, task_id: str) -> str | None:
        """The code that a server which has stopped has recorded."""
        store = TaskStore(f"sqlite:///{self.root / 'state.db'}")
        task = store.get(task_id)
        store.close()
        assert task is not None
        return None if task.error is None else task.error.code.value

    def spools(self) -> list[str]:
        """Names of the files in the making, and of whatever else should not be there."""
        return [name for name in _names(self.root / "spool") if not name.startswith(".replicas")]

    def files(self) -> list[str]:
        """Everything that is published, or on its way there, as `<task_id>/<filename>`."""
        return _names(self.root / "files")


def _names(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    )


@dataclass(frozen=True)
class Running:
    """A server whose doors are open, and clients of them."""

    site: Site
    server: Server
    flight: str
    grpc: str
    http: str
    ops: str
    client: flight.FlightClient
    actions: Actions
    web: httpx.Client

    def wait_for_rows(self, task_id: str, rows: int) -> Json:
        """The task once it has taken so many rows."""

        def look() -> Json | None:
            task = self.actions.one("status", task_id=task_id)
            return task if task["rows"] == rows else None

        task = wait_for(look)
        assert task is not None
        return task

    def assert_failed(self, task_id: str, code: str) -> None:
        """The task is FAILED with `code`, or will be, and nothing of its file is left."""
        wait_for(lambda: self.actions.state(task_id) == "FAILED")
        task = self.actions.one("status", task_id=task_id)
        assert task["error"]["code"] == code
        assert task["url"] is None
        wait_for(lambda: not [name for name in self.site.spools() if task_id in name])
        assert not [name for name in self.site.files() if task_id in name]


@contextmanager
def running(site: Site, *overrides: str) -> Iterator[Running]:
    """A server in this process, closed at the end whatever its clients do."""
    config = load_config(None, environ={}, overrides=[*site.overrides, *overrides])
    with Server(config) as server, httpx.Client(timeout=20) as web:
        addresses = {key: str(value) for key, value in server.addresses.items()}
        with flight.FlightClient(addresses["flight"]) as client:
            yield Running(
                site=site,
                server=server,
                flight=addresses["flight"],
                grpc=addresses["grpc"],
                http=addresses["http"],
                ops=addresses["ops"],
                client=client,
                actions=Actions(client),
                web=web,
            )

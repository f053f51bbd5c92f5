"""Everything that can happen to a server, and what it tells of it: its log and its metrics."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flight_server import logs
from tests.support.exports import Json, Put, export, refused
from tests.support.grpc_client import Client, batch, metadata
from tests.support.oss import Fault, FaultKind, OssServer
from tests.support.scraped import Family, scraped
from tests.support.site import Running, Site, running
from tests.support.waiting import wait_for

ROWS = 20_000


@dataclass(frozen=True)
class Told:
    """What was told when all was over."""

    lines: list[Json]
    metrics: dict[str, Family]

    def seen(self, event: str) -> list[Json]:
        """The lines of one event."""
        return [line for line in self.lines if line.get("event") == event]


def acted(root: Path) -> Told:
    """Act every scene at a server whose log is written from `debug` on."""
    site = Site(root)
    logs.configure("debug", "json", str(site.log))
    try:
        with OssServer() as oss, running(site, *_settings(oss)) as server:
            _exports(server)
            _mistakes(server)
            _queue(server)
            _uploads(server, oss)
            metrics = scraped(server.web.get(f"{server.ops}/metrics").text)
            _losses(server)
            server.server.drain(threading.Event())
    finally:
        logs.reset()
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    return Told(lines, metrics)


def _settings(oss: OssServer) -> list[str]:
    return [
        "storage.backend=oss",
        f"oss.endpoint={oss.endpoint}",
        "oss.region=cn-hangzhou",
        "oss.bucket=exports",
        "oss.access_key_id=test-id",
        "oss.access_key_secret=test-secret",
        "oss.part_size=100 KiB",
        "oss.max_retries=0",
        "concurrency.max_concurrent_tasks=1",
        "concurrency.task_queue_size=1",
        "state.heartbeat_interval=100ms",
    ]


def _exports(server: Running) -> None:
    """Over both doors; asked for, and asked for in vain."""
    export(server.client, ROWS)
    with Client(server.grpc) as client:
        task_id = client.export(metadata(), batch([("1", "one")])).task_id
        assert client.status(task_id).records_processed == 1
    with refused("TASK_NOT_FOUND"):
        server.actions.one("status", task_id="nobody")


def _mistakes(server: Running) -> None:
    """What clients do wrong."""
    with refused("INVALID_DESCRIPTOR"):
        export(server.client, 1, filename="a/b.csv")
    with refused("INCOMPLETE_STREAM"):
        Put.opened(server.client).answers()
    put = Put.opened(server.client)
    put.metadata(b"no")
    with refused("INVALID_DATA"):
        put.answers()


def _queue(server: Running) -> None:
    """One runs, one waits, one is refused, and one is cancelled."""
    first, second = Put.opened(server.client), Put.opened(server.client)
    with refused("QUEUE_FULL"):
        Put(server.client, {"filename": "a.csv"}).answers()
    server.actions.one("cancel", task_id=first.task_id)
    with refused("CANCELLED"):
        first.answers()
    second.send_and_commit()
    second.result()


def _uploads(server: Running, oss: OssServer) -> None:
    """One is garbled and sent again, one is denied."""
    oss.faults.add(Fault(FaultKind.WRONG_CRC, "CompleteMultipartUpload"))
    export(server.client, ROWS)
    oss.faults.add(Fault(FaultKind.ACCESS_DENIED, "PutObject", times=None))
    with refused("UPLOAD_ERROR"):
        export(server.client, 3)
    oss.faults.clear()


def _losses(server: Running) -> None:
    """The directory for spools is lost and comes back, then the state."""
    spools, ready = server.site.root / "spool", f"{server.ops}/health/ready"
    aside = spools.with_name("aside")
    spools.rename(aside)
    with refused("STORAGE_ERROR"):
        export(server.client, 3)
    assert server.web.get(ready).status_code == 503
    aside.rename(spools)
    wait_for(lambda: server.web.get(ready).status_code == 200)
    with _renamed(server.site.root / "state.db", "export_replicas"):
        wait_for(lambda: '"SystemError"' in server.site.log.read_text())


@contextmanager
def _renamed(database: Path, table: str) -> Iterator[None]:
    """A database without one of its tables."""
    connection = sqlite3.connect(database, timeout=20, isolation_level=None)
    try:
        connection.execute(f"ALTER TABLE {table} RENAME TO away")
        yield
        connection.execute(f"ALTER TABLE away RENAME TO {table}")
    finally:
        connection.close()

"""The end of a server: what goes on, what is refused, and that nothing keeps it."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from urllib.parse import urlsplit

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pyarrow import flight
from sqlalchemy import create_engine, text

from flight_server.transports import export_pb2 as pb
from tests.support.exports import Put, csv_of, export, refused
from tests.support.grpc_client import Client, batch, metadata, task_id_of
from tests.support.line import Fault, Trouble, line_to
from tests.support.object_storage import s3_overrides
from tests.support.postgres import Postgres
from tests.support.process import Served, serve_command, served, start
from tests.support.seaweed import Seaweed
from tests.support.site import Site
from tests.support.waiting import wait_for

LARGE = 1_000_000
"""Rows of a file that no buffer between server and client holds."""


class Stream:
    """A `StreamExport` whose messages are sent one by one, and that is open until it is ended."""

    def __init__(self, client: Client, *messages: pb.ExportRequest) -> None:
        self._queue: SimpleQueue[pb.ExportRequest | None] = SimpleQueue()
        self.send(*messages)
        self.call = client.begin(iter(self._queue.get, None))
        self.task_id = task_id_of(self.call)

    def send(self, *messages: pb.ExportRequest | None) -> None:
        for each in messages:
            self._queue.put(each)

    def half_close(self) -> None:
        self.send(None)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def ready(server: Served) -> int:
    return httpx.get(f"{server.addresses['ops']}/health/ready").status_code


def events(site: Site) -> list[str]:
    lines = site.log.read_text().splitlines()
    return [str(json.loads(line).get("event")) for line in lines]


def test_both_doors_refuse_new_exports_at_once_and_go_on_with_everything_else(
    site: Site, stack: ExitStack
) -> None:
    server = stack.enter_context(served(site))
    client = stack.enter_context(Client(server.grpc))
    done = export(server.client, 3)
    put = Put.opened(server.client)
    stream = Stream(client, metadata(), batch([("1", "x")]))
    health = health_pb2_grpc.HealthStub(client.channel)
    watching = health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
    assert (next(watching).status, ready(server)) == (health_pb2.HealthCheckResponse.SERVING, 200)

    server.signal(signal.SIGINT)
    assert next(watching).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert ready(server) == 503
    with refused("SHUTTING_DOWN") as refusal:
        export(server.client)
    assert refusal.retryable
    with pytest.raises(grpc.RpcError, match="SHUTTING_DOWN") as caught:
        client.export(metadata(), batch([("1", "x")]))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    assert server.actions.state(stream.task_id) == "PROCESSING"
    assert client.status(put.task_id).status == pb.TASK_STATUS_PROCESSING
    assert set(server.actions.ids()) == {done["task_id"], put.task_id, stream.task_id}
    people = server.addresses["http"]
    assert httpx.get(f"{people}/api/tasks/{put.task_id}").json()["state"] == "PROCESSING"
    assert httpx.get(done["url"]).content == csv_of(3)
    ticket = flight.Ticket(done["task_id"].encode())
    assert b"".join(server.client.do_get(ticket).read_all()["data"].to_pylist()) == csv_of(3)

    put.send(3)
    put.commit(3)
    assert put.result()["state"] == "COMPLETED"
    stream.send(batch([("2", "y")]))
    stream.half_close()
    assert stream.call.result().record_count == 2
    assert list(watching) == []
    assert server.exit_code() == 0
    assert events(site)[-1] == "ServerStopped"


def test_no_client_keeps_it_whatever_it_holds(site: Site, stack: ExitStack) -> None:
    server = stack.enter_context(served(site, "server.shutdown_grace=300ms"))
    client = stack.enter_context(Client(server.grpc))
    large = export(server.client, LARGE)
    stack.enter_context(unread_download(large["url"]))
    unread = server.client.do_get(flight.Ticket(large["task_id"].encode()))
    for address in ("flight", "grpc", "http", "ops"):
        stack.enter_context(silent(server.addresses[address]))
    deaf = Put(server.client, {"filename": "deaf.csv", "request_id": "deaf"})
    deaf.send_and_commit()
    deaf.half_close()
    silent_put = Put.opened(server.client)
    half_open = Stream(client, metadata(), batch([("1", "x")]))
    stack.callback(half_open.half_close)
    wait_for(lambda: server.actions.one("status", request_id="deaf")["state"] == "COMPLETED")
    server.signal(signal.SIGTERM)
    assert server.exit_code() == 0
    assert events(site)[-1] == "ServerStopped"
    assert "Traceback" not in site.log.read_text()
    for task_id in (silent_put.task_id, half_open.task_id):
        assert site.recorded_error(task_id) == "SHUTTING_DOWN"
    with pytest.raises(grpc.RpcError, match="SHUTTING_DOWN") as caught:
        half_open.call.result()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    del unread


@contextmanager
def silent(address: str) -> Iterator[None]:
    """A connection over which nothing is said."""
    at = urlsplit(address if "://" in address else f"//{address}")
    with socket.create_connection((at.hostname, at.port)):
        yield


@contextmanager
def unread_download(url: str) -> Iterator[None]:
    """A download that has begun, and of which nothing is read."""
    at = urlsplit(url)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((at.hostname, at.port))
        sock.sendall(f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode())
        assert sock.recv(12) == b"HTTP/1.1 200"
        yield


# What hangs ---------------------------------------------------------------------------------


def stop_and_hurry(server: Served) -> None:
    """Two signals: the second one once the server has heard of the first."""
    server.signal(signal.SIGTERM)
    wait_for(lambda: ready(server) == 503)
    server.signal(signal.SIGTERM)
    assert server.exit_code() == 0


def test_a_database_that_hangs_does_not_keep_it(site: Site, postgres_server: Postgres) -> None:
    """Nothing can be read or written; readiness is off at once all the same."""
    url = postgres_server.database()
    with served(site, f"state.url={url}", "server.shutdown_grace=10m") as server:
        put = Put.opened(server.client)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("LOCK TABLE export_tasks IN ACCESS EXCLUSIVE MODE"))
            stop_and_hurry(server)
        engine.dispose()
    with served(site, f"state.url={url}") as again:
        task = again.actions.one("status", task_id=put.task_id)
        assert (task["state"], task["error"]["code"]) == ("FAILED", "INTERRUPTED")


def test_a_store_that_hangs_in_an_upload_does_not_keep_it_and_the_next_start_publishes(
    site: Site, seaweed_server: Seaweed
) -> None:
    with line_to(seaweed_server.endpoint) as line:
        overrides = s3_overrides(line.endpoint, prefix="hangs")
        with served(site, *overrides, "server.shutdown_grace=10m") as server:
            line.script(Fault(Trouble.HANG_BEFORE, "PutObject", None))
            put = Put.opened(server.client, wait=False)
            put.send_and_commit(3)
            wait_for(lambda: server.actions.state(put.task_id) == "UPLOADING")
            stop_and_hurry(server)
        line.script()
        with served(site, *overrides) as again:
            wait_for(lambda: again.actions.state(put.task_id) == "COMPLETED")
            task = again.actions.one("status", task_id=put.task_id)
            assert httpx.get(task["url"]).content == csv_of(3)


def test_a_start_that_hangs_is_given_up(site: Site) -> None:
    """Its store takes connections and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as store:
        endpoint = f"http://127.0.0.1:{store.getsockname()[1]}"
        process = start(serve_command(site, *s3_overrides(endpoint)))
        with store.accept()[0]:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
    assert process.communicate() == ("", "")
    assert not (site.root / "ready.json").exists()

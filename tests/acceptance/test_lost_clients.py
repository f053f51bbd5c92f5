"""Clients that are killed or stopped, a full disk, and the client's own command."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.exports import SCHEMA, Json, Put, batch, csv_of, export, refused
from tests.support.process import CLIENT, Served, end, run, served, start
from tests.support.site import Site
from tests.support.waiting import wait_for

SENDER = """
import sys
import pyarrow as pa
from export_client import ExportClient

SCHEMA = pa.schema([("id", pa.int64())])

def batches():
    yield pa.record_batch([range(1000)], schema=SCHEMA)
    yield pa.record_batch([range(1000)], schema=SCHEMA)
    print("sent", flush=True)
    sys.stdin.read()

with ExportClient(sys.argv[1]) as client:
    client.export(batches(), "a.csv", request_id="lost")
"""

WAITER = """
import sys
import pyarrow as pa
from export_client import ExportClient

with ExportClient(sys.argv[1]) as client:
    rows = pa.table({"id": range(1000)})
    client.export(rows, "a.csv", request_id="lost", progress=lambda step: print(step, flush=True))
"""

ONE_SLOT = ("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=1")


@pytest.fixture
def server(site: Site) -> Iterator[Served]:
    with served(site, "flight.stream_idle_timeout=2s", "server.shutdown_grace=500ms") as started:
        yield started


@pytest.fixture
def sender(server: Served) -> Iterator[subprocess.Popen[str]]:
    """A client process that has sent a batch and holds its stream open."""
    command = [sys.executable, "-c", SENDER, server.flight]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        wait_for(lambda: lost(server)["rows"] == 1000)
        yield process
    finally:
        end(process)


def lost(server: Served) -> Json:
    return server.actions.one("status", request_id="lost")


def failed(server: Served) -> Json:
    wait_for(lambda: lost(server)["state"] == "FAILED")
    wait_for(lambda: not server.site.spools())
    assert server.site.files() == []
    error: Json = lost(server)["error"]
    return error


def test_a_client_killed_in_the_middle_is_an_incomplete_stream(
    server: Served, sender: subprocess.Popen[str]
) -> None:
    sender.kill()
    assert failed(server)["code"] == "INCOMPLETE_STREAM"
    assert export(server.client, 3)["state"] == "COMPLETED"


def test_a_client_killed_while_it_waits_for_a_slot_frees_its_place(site: Site) -> None:
    with served(site, *ONE_SLOT) as server:
        holder = Put.opened(server.client)
        waiter = start([sys.executable, "-c", WAITER, server.flight])
        try:
            assert waiter.stdout is not None
            assert "position=1" in waiter.stdout.readline()
            waiter.kill()
            wait_for(lambda: lost(server)["state"] == "FAILED")
            assert lost(server)["error"]["code"] == "INCOMPLETE_STREAM"
        finally:
            end(waiter)
        assert server.actions.state(holder.task_id) == "PROCESSING"
        after = Put.opened(server.client)
        holder.send_and_commit()
        holder.answers()
        after.send_and_commit()
        assert after.result()["state"] == "COMPLETED"


def test_a_stopped_client_is_stalled_and_told_so_when_it_goes_on(
    server: Served, sender: subprocess.Popen[str]
) -> None:
    sender.send_signal(signal.SIGSTOP)
    assert failed(server)["code"] == "STREAM_STALLED"
    sender.send_signal(signal.SIGCONT)
    _, stderr = sender.communicate(timeout=30)
    assert "STREAM_STALLED" in stderr


def test_a_stopped_client_does_not_keep_the_server_from_ending(
    server: Served, sender: subprocess.Popen[str]
) -> None:
    sender.send_signal(signal.SIGSTOP)
    server.signal(signal.SIGTERM)
    assert server.exit_code(timeout=15) == 0


def test_a_full_disk_fails_the_export_and_the_server_stays_well(site: Site) -> None:
    """No file of the server may grow beyond 2 MiB: a write beyond it is EFBIG."""
    with served(site) as server:
        small = 2 * 1024 * 1024
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (small, small))
        put = Put(server.client, {"filename": "large.csv"})
        task_id = put.accepted()
        with refused("STORAGE_FULL", str(site.root)) as refusal:
            try:
                for first in range(0, 1_000_000, 50_000):
                    put.send(50_000, first)
            finally:
                put.answers()
        assert refusal.retryable
        task = server.actions.one("status", task_id=task_id)
        assert (task["state"], task["error"]["code"]) == ("FAILED", "STORAGE_FULL")
        wait_for(lambda: not site.spools())
        assert site.files() == []
        assert httpx.get(export(server.client, 3)["url"]).content == csv_of(3)
        assert server.actions.one("health")["status"] == "ready"


class TestCommand:
    @pytest.fixture
    def parquet(self, tmp_path: Path) -> Path:
        path = tmp_path / "orders.parquet"
        pq.write_table(pa.Table.from_batches([batch(1000)]), path)
        return path

    def client(self, server: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run([CLIENT, *arguments, "--json"], EXPORT_SERVER=server.flight)

    def test_it_exports_asks_and_downloads(
        self, server: Served, parquet: Path, tmp_path: Path
    ) -> None:
        exported = self.client(server, "export", str(parquet), "--to", "orders.csv")
        assert (exported.returncode, exported.stderr) == (0, "")
        task = json.loads(exported.stdout)
        assert (task["state"], task["rows"], task["progress"]) == ("COMPLETED", 1000, 100.0)
        assert httpx.get(task["url"]).content == csv_of(1000)
        target = tmp_path / "here.csv"
        task_id = task["task_id"]
        downloaded = self.client(server, "download", task_id, "--output", str(target))
        assert downloaded.returncode == 0
        assert target.read_bytes() == csv_of(1000)
        for command in (["status", task_id], ["list"], ["cancel", task_id]):
            assert json.loads(self.client(server, *command).stdout)["task_id"] == task_id
        link = json.loads(self.client(server, "url", task_id, "--expires-in", "60").stdout)
        assert httpx.get(link["url"]).status_code == 200
        assert json.loads(self.client(server, "health").stdout)["status"] == "ready"
        assert "csv" in json.loads(self.client(server, "formats").stdout)

    def test_a_refusal_is_one_line_and_exit_code_one(self, server: Served, parquet: Path) -> None:
        ended = self.client(
            server, "export", str(parquet), "--to", "orders.csv", "--option", "delimeter=;"
        )
        assert (ended.returncode, ended.stdout) == (1, "")
        [line] = ended.stderr.splitlines()
        assert line.startswith("export-client: INVALID_DESCRIPTOR: ")
        assert "'delimiter'" in line

    def test_a_reader_that_has_seen_enough_is_no_error_of_the_input(self, server: Served) -> None:
        """`export-client formats | head` ends the pipe before everything is written."""
        reading, writing = os.pipe()
        os.close(reading)
        ended = subprocess.run(
            [CLIENT, "formats"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "EXPORT_SERVER": server.flight},
            timeout=60,
            check=False,
        )
        os.close(writing)
        assert (ended.returncode, ended.stderr) == (1, b"")

    def test_a_server_that_is_not_there_is_told(self) -> None:
        ended = run([CLIENT, "health", "--server", "grpc://127.0.0.1:1"])
        assert ended.returncode == 1
        [line] = ended.stderr.splitlines()
        assert line.startswith("export-client: CONNECTION_FAILED: ")

    def test_who_waits_in_line_sees_the_place_on_a_terminal_and_can_leave_it(
        self, site: Site, parquet: Path
    ) -> None:
        with served(site, *ONE_SLOT) as server:
            holder = Put.opened(server.client)
            command = [CLIENT, "export", str(parquet), "--to", "a.csv", "--request-id", "lost"]
            ours, theirs = pty.openpty()
            with (
                os.fdopen(ours, "rb", buffering=0) as screen,
                subprocess.Popen([*command, "--server", server.flight], stderr=theirs) as process,
            ):
                os.close(theirs)
                shown = b""
                while b"waiting, 1st in line" not in shown:
                    shown += screen.read(1024)
                process.send_signal(signal.SIGINT)
                assert process.wait(30) == 130
            assert lost(server)["state"] == "CANCELLED"
            holder.send_and_commit()
            assert holder.result()["state"] == "COMPLETED"

    def test_an_interrupted_command_leaves_no_short_export(self, server: Served) -> None:
        command = [CLIENT, "export", "-", "--to", "a.csv", "--request-id", "lost"]
        with subprocess.Popen(
            [*command, "--server", server.flight], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            process.stdin.write(stream_without_end())
            process.stdin.flush()
            wait_for(server.actions.ids)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert process.stderr.read().startswith(b"export-client: INTERRUPTED: ")
        assert failed(server)["code"] == "INCOMPLETE_STREAM"


def stream_without_end() -> bytes:
    """An IPC stream of two batches whose end has not come yet."""
    parts = [SCHEMA.serialize(), batch(1000).serialize(), batch(1000, 1000).serialize()]
    return b"".join(bytes(part) for part in parts)

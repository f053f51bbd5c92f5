"""Slots, the queue, cancelling, stalling, a full disk, and many exports at once."""

import contextlib
import errno
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.storage import spool
from flight_server.tasks import running
from flight_server.tasks.model import Task, TaskState
from tests.conftest import StartServer
from tests.support import wire
from tests.support.exports import SCHEMA, Json, Put, csv_of, export, refused, sheet_rows
from tests.support.site import Running
from tests.support.waiting import wait_for

ONE_SLOT = ("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=1")


def holding(server: Running) -> Put:
    """An export that keeps its slot until it is told otherwise."""
    put = Put.opened(server.client)
    wait_for(server.site.spools)
    return put


def finish(put: Put) -> Json:
    put.send(3)
    put.commit(3)
    return put.result()


class TestQueue:
    def test_an_export_without_a_slot_is_queued_and_runs_when_one_is_free(
        self, start_server: StartServer
    ) -> None:
        server = start_server(*ONE_SLOT)
        first = holding(server)
        second = Put(server.client, {"filename": "waits.csv"})
        answer = second.answer()
        assert answer is not None
        assert answer["state"] == "QUEUED"
        assert server.actions.state(answer["task_id"]) == "QUEUED"
        finish(first)
        assert finish(second)["state"] == "COMPLETED"

    def test_the_queue_is_first_come_first_served(self, start_server: StartServer) -> None:
        server = start_server(ONE_SLOT[0], "concurrency.task_queue_size=3")
        first = holding(server)
        waiting = [Put.opened(server.client) for _ in range(3)]
        for put in (first, *waiting):
            wait_for(lambda put=put: server.actions.state(put.task_id) == "PROCESSING")
            assert server.actions.ids(state="PROCESSING") == [put.task_id]
            finish(put)

    def test_one_more_than_may_wait_is_refused(self, start_server: StartServer) -> None:
        server = start_server(*ONE_SLOT)
        first, second = holding(server), Put.opened(server.client)
        before = server.actions.ids()
        with refused("QUEUE_FULL") as refusal:
            Put(server.client, {"filename": "third.csv"}).answers()
        assert refusal.retryable
        assert refusal.task_id is None
        assert server.actions.ids() == before
        finish(first)
        finish(second)
        assert export(server.client)["state"] == "COMPLETED"

    def test_one_that_waited_too_long_fails(self, start_server: StartServer) -> None:
        server = start_server(*ONE_SLOT, "concurrency.queue_timeout=100ms")
        first = holding(server)
        second = Put(server.client, {"filename": "waits.csv"})
        task_id = second.accepted()
        with refused("QUEUE_TIMEOUT") as refusal:
            second.answers()
        assert refusal.retryable
        server.assert_failed(task_id, "QUEUE_TIMEOUT")
        finish(first)

    def test_one_that_is_cancelled_leaves_the_queue(self, start_server: StartServer) -> None:
        server = start_server(*ONE_SLOT)
        first, second = holding(server), Put(server.client, {"filename": "waits.csv"})
        task_id = second.accepted()
        assert server.actions.one("cancel", task_id=task_id)["state"] == "CANCELLED"
        with refused("CANCELLED") as refusal:
            second.answers()
        assert refusal.task_id == task_id
        third = Put(server.client, {"filename": "third.csv"})
        assert server.actions.state(third.accepted()) == "QUEUED"
        finish(first)
        finish(third)

    def test_a_client_that_went_while_it_waited_is_incomplete(
        self, start_server: StartServer
    ) -> None:
        server = start_server(*ONE_SLOT)
        first = holding(server)
        second = wire.OpenPut(server.flight, [wire.opening(SCHEMA, filename="a.csv")], deadline=30)
        task_id = str(second.first_answer()["task_id"])
        second.cancel()
        second.ended()
        finish(first)
        server.assert_failed(task_id, "INCOMPLETE_STREAM")


class TestCancelling:
    def test_a_streaming_export_ends_at_once_and_leaves_nothing(self, server: Running) -> None:
        put = holding(server)
        put.send(3)
        server.wait_for_rows(put.task_id, 3)
        server.actions.one("cancel", task_id=put.task_id)
        assert server.site.spools() == []
        with refused("CANCELLED") as refusal:
            put.send(3)
            put.answers()
        assert refusal.task_id == put.task_id
        assert not refusal.retryable
        assert server.actions.state(put.task_id) == "CANCELLED"
        assert not [name for name in server.site.files() if put.task_id in name]

    def test_a_client_that_then_only_ends_its_stream_is_told_so_too(self, server: Running) -> None:
        put = holding(server)
        server.actions.one("cancel", task_id=put.task_id)
        with refused("CANCELLED"):
            put.answers()

    def test_a_commit_comes_too_late(self, server: Running) -> None:
        put = holding(server)
        server.actions.one("cancel", task_id=put.task_id)
        with refused("CANCELLED"):
            put.commit(0)
            put.answers()
        assert server.actions.state(put.task_id) == "CANCELLED"

    def test_the_slot_is_free_although_the_client_stays(self, start_server: StartServer) -> None:
        server = start_server(*ONE_SLOT)
        put = holding(server)
        server.actions.one("cancel", task_id=put.task_id)
        assert export(server.client)["state"] == "COMPLETED"
        put.drop()


class TestStalling:
    def test_a_stream_that_sends_nothing_is_ended(self, start_server: StartServer) -> None:
        server = start_server(*ONE_SLOT, "flight.stream_idle_timeout=200ms")
        put = holding(server)
        put.send(3)
        server.assert_failed(put.task_id, "STREAM_STALLED")
        assert export(server.client)["state"] == "COMPLETED"
        with refused("STREAM_STALLED") as refusal:
            put.send(3)
            put.answers()
        assert refusal.retryable
        assert refusal.task_id == put.task_id

    def test_an_export_that_takes_too_long_is_ended(self, start_server: StartServer) -> None:
        server = start_server("server.max_task_duration=200ms")
        put = holding(server)
        server.assert_failed(put.task_id, "STREAM_STALLED")
        with refused("STREAM_STALLED"):
            put.answers()


class TestDisk:
    @pytest.fixture
    def full(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        """While set, writing to a spool says ENOSPC."""
        full = threading.Event()
        write = spool.FileIO.write

        class Disk(spool.FileIO):
            def write(self, data: object) -> int:
                if full.is_set():
                    raise OSError(errno.ENOSPC, "No space left on device", str(self.name))
                return write(self, data)

        monkeypatch.setattr(spool, "FileIO", Disk)
        return full

    @pytest.mark.parametrize("filename", ["a.csv", "a.xlsx"])
    def test_a_full_disk_fails_the_export_and_leaves_nothing(
        self, server: Running, full: threading.Event, filename: str
    ) -> None:
        full.set()
        put = Put(server.client, {"filename": filename})
        task_id = put.accepted()
        with refused("STORAGE_FULL", str(server.site.root)) as refusal:
            put.send(3)
            put.commit()
            put.answers()
        assert refusal.retryable
        server.assert_failed(task_id, "STORAGE_FULL")
        full.clear()
        assert export(server.client, 3, filename=filename)["state"] == "COMPLETED"

    def test_a_disk_that_fills_half_way_fails_the_export(
        self, server: Running, full: threading.Event
    ) -> None:
        put = Put(server.client, {"filename": "a.csv"})
        task_id = put.accepted()
        put.send(50_000)
        wait_for(lambda: server.actions.one("status", task_id=task_id)["bytes"] > 0)
        full.set()
        with refused("STORAGE_FULL"):
            try:
                for start in range(50_000, 1_000_000, 50_000):
                    put.send(50_000, start)
            finally:
                put.answers()
        server.assert_failed(task_id, "STORAGE_FULL")

    def test_too_little_space_is_seen_before_it_is_full(self, start_server: StartServer) -> None:
        server = start_server("storage.min_free_bytes=1000 TiB")
        put = Put(server.client, {"filename": "a.csv"})
        task_id = put.accepted()
        with refused("STORAGE_FULL"):
            put.answers()
        server.assert_failed(task_id, "STORAGE_FULL")
        assert server.actions.one("health")["status"] == "unhealthy"

    def test_a_spool_directory_that_vanished_fails_the_export(
        self, start_server: StartServer
    ) -> None:
        server = start_server()
        shutil.rmtree(server.site.root / "spool")
        put = Put(server.client, {"filename": "a.csv"})
        task_id = put.accepted()
        with refused("STORAGE_ERROR", str(server.site.root)):
            put.answers()
        assert server.actions.state(task_id) == "FAILED"
        (server.site.root / "spool").mkdir()
        assert export(server.client)["state"] == "COMPLETED"


@pytest.mark.parametrize("filename", ["many.csv", "many.xlsx"])
def test_twenty_exports_at_once_over_four_slots_are_all_right(
    start_server: StartServer, filename: str
) -> None:
    server = start_server("concurrency.max_concurrent_tasks=4")
    rows = [100 * number for number in range(20)]
    with ThreadPoolExecutor(20) as threads:
        results = list(
            threads.map(lambda count: export(server.client, count, filename=filename), rows)
        )
    assert [result["rows"] for result in results] == rows
    for count, result in zip(rows, results, strict=True):
        content = server.web.get(result["url"]).content
        if filename.endswith("csv"):
            assert content == csv_of(count)
        else:
            assert len(sheet_rows(content)) == count + 1
    assert server.site.spools() == []


def test_an_error_inside_tells_nothing_of_the_inside(
    server: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def explode(_self: object) -> None:
        raise RuntimeError(f"secret {tmp_path}")

    monkeypatch.setattr(spool.SpoolFile, "seal", explode)
    put = Put(server.client, {"filename": "a.csv"})
    task_id = put.accepted()
    with refused("INTERNAL", "secret", str(tmp_path)):
        put.commit()
        put.answers()
    server.assert_failed(task_id, "INTERNAL")


def test_a_file_that_cannot_be_published_fails_the_export_and_is_kept_for_a_retry(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object, _target: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "/secret/place")

    put = holding(server)
    monkeypatch.setattr(Path, "replace", refuse)
    with refused("STORAGE_ERROR", "/secret") as refusal:
        put.commit()
        put.answers()
    assert refusal.retryable
    task = server.actions.one("status", task_id=put.task_id)
    assert (task["state"], task["error"]["code"]) == ("FAILED", "STORAGE_ERROR")
    assert task["url"] is None
    assert not [name for name in server.site.files() if put.task_id in name]
    assert server.site.spools() == [f"{put.task_id}.spool"]


def test_after_draining_has_begun_new_exports_are_refused_and_old_ones_finish(
    start_server: StartServer,
) -> None:
    server = start_server()
    put = holding(server)
    draining = threading.Thread(target=server.server.drain, args=(threading.Event(),))
    draining.start()
    wait_for(lambda: server.actions.one("health")["status"] == "draining")
    with refused("SHUTTING_DOWN") as refusal:
        export(server.client)
    assert refusal.retryable
    assert server.web.get(f"{server.ops}/health/ready").status_code == 503
    assert server.web.get(f"{server.ops}/health/live").status_code == 200
    assert finish(put)["state"] == "COMPLETED"
    draining.join(20)
    assert not draining.is_alive()


def test_an_export_left_after_the_grace_is_told_to_try_again(start_server: StartServer) -> None:
    server = start_server("server.shutdown_grace=50ms")
    put = holding(server)
    server.server.drain(threading.Event())
    server.assert_failed(put.task_id, "SHUTTING_DOWN")
    with refused("SHUTTING_DOWN") as refusal:
        put.send(3)
        put.answers()
    assert refusal.retryable


def test_a_durable_file_is_published_although_the_grace_is_over(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server("server.shutdown_grace=50ms")
    put, go_on, replace = holding(server), threading.Event(), Path.replace

    def slowly(source: Path, target: Path) -> Path:
        assert go_on.wait(20)
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", slowly)
    put.commit()
    wait_for(lambda: server.actions.state(put.task_id) == "UPLOADING")
    server.server.drain(threading.Event())
    assert server.actions.state(put.task_id) == "UPLOADING"
    go_on.set()
    assert put.answers()[-1]["state"] == "COMPLETED"


def test_hurrying_ends_what_runs(start_server: StartServer) -> None:
    server = start_server("server.shutdown_grace=10m")
    put = holding(server)
    hurry = threading.Event()
    hurry.set()
    server.server.drain(hurry)
    server.assert_failed(put.task_id, "SHUTTING_DOWN")
    with refused("SHUTTING_DOWN"):
        put.answers()


def test_one_export_that_cannot_be_ended_keeps_no_other_from_it(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server("server.shutdown_grace=50ms")
    first, second = holding(server), holding(server)
    end = running.Running.end

    def ending(task: running.Running, failure: Failure, **unless: TaskState) -> Task:
        if task.task.task_id == first.task_id:
            raise ServiceError(ErrorCode.STORAGE_ERROR, "the disk failed")
        return end(task, failure, **unless)

    monkeypatch.setattr(running.Running, "end", ending)
    server.server.drain(threading.Event())
    server.assert_failed(second.task_id, "SHUTTING_DOWN")


def test_a_server_is_left_although_a_client_holds_its_call(start_server: StartServer) -> None:
    """Its call is still open when the fixture stops the server; that must not hang."""
    put = holding(start_server())
    with contextlib.suppress(pa.ArrowException, ServiceError):
        put.send(1)

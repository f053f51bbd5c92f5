"""Exports that nobody else would end, at both doors; and those that must not be ended."""

import time
from collections.abc import Iterator
from queue import SimpleQueue

import grpc
import httpx
import pytest

from flight_server.transports import export_pb2 as pb
from tests.conftest import StartServer
from tests.support.exports import Put, refused
from tests.support.grpc_client import Client, batch, metadata, task_id_of
from tests.support.line import Fault as LineFault
from tests.support.line import Trouble, line_to
from tests.support.object_storage import s3_overrides
from tests.support.oss import Fault, FaultKind, OssServer
from tests.support.seaweed import Seaweed
from tests.support.site import Running, Site, running
from tests.support.waiting import wait_for

ONE_SLOT = "concurrency.max_concurrent_tasks=1"
TWO_SLOTS = "concurrency.max_concurrent_tasks=2"
LIMITS = ("server.max_task_duration=2s", "flight.stream_idle_timeout=1s")
ROW = batch([("1", "x")])


class Stream:
    """A `StreamExport` that is sent message by message."""

    def __init__(self, client: Client) -> None:
        self._queue: SimpleQueue[pb.ExportRequest | None] = SimpleQueue()
        self.send(metadata())
        self.call = client.begin(iter(self._queue.get, None))
        self.task_id = task_id_of(self.call)

    def send(self, message: pb.ExportRequest) -> None:
        self._queue.put(message)

    def half_close(self) -> None:
        self._queue.put(None)


def test_a_call_of_grpc_that_takes_too_long_is_ended_and_its_slot_is_free(
    start_server: StartServer,
) -> None:
    server = start_server("server.max_task_duration=500ms", ONE_SLOT)
    with Client(server.grpc) as client:
        stream = Stream(client)
        stream.send(ROW)
        server.assert_failed(stream.task_id, "STREAM_STALLED")
        assert client.export(metadata(), ROW).record_count == 1
        stream.half_close()
        with pytest.raises(grpc.RpcError, match=r"not finished within 0\.5 s") as caught:
            stream.call.result()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_row_now_and_then_keeps_a_stream_alive_at_both_doors(start_server: StartServer) -> None:
    """Until one that began after them has been ended for its silence."""
    server = start_server("flight.stream_idle_timeout=1200ms")
    with Client(server.grpc) as client:
        put, stream = Put.opened(server.client), Stream(client)
        rows, last = 0, 0.0
        silent = Put.opened(server.client)

        def trickle() -> bool:
            nonlocal rows, last
            if time.monotonic() - last > 0.3:
                put.send(1, start=rows)
                stream.send(ROW)
                rows, last = rows + 1, time.monotonic()
            return server.actions.state(silent.task_id) == "FAILED"

        wait_for(trickle)
        server.assert_failed(silent.task_id, "STREAM_STALLED")
        put.commit(rows)
        assert put.result()["rows"] == rows
        stream.half_close()
        assert stream.call.result().record_count == rows
        with refused("STREAM_STALLED"):
            silent.answers()


class TestStoreThatHangs:
    """An upload takes longer than `max_task_duration`: its file is given up, all of it."""

    @pytest.fixture
    def oss(self) -> Iterator[OssServer]:
        with OssServer() as started:
            yield started

    def test_the_slot_is_free_at_once_and_nothing_is_left_when_the_store_goes_on(
        self, site: Site, oss: OssServer
    ) -> None:
        oss.faults.add(
            Fault(FaultKind.HANG, "UploadPart", part=3, times=None),
            Fault(FaultKind.HANG, "CompleteMultipartUpload", times=None),
        )
        with running(site, *oss_overrides(oss), *LIMITS, TWO_SLOTS) as server:
            puts = [sent(server, rows) for rows in (10_000, 20_000)]
            wait_for(lambda: oss.faults.hanging == 2)
            failed_while_it_hangs(server, *puts)
            assert oss.faults.hanging
            oss.faults.clear()
            oss.faults.release()
            wait_for(lambda: not (oss.uploads or kept(oss, *puts) or site.spools()))
            told(*puts)
        assert not kept(oss, *puts)

    def test_an_object_that_was_stored_without_an_answer_is_removed(
        self, site: Site, seaweed_server: Seaweed
    ) -> None:
        with line_to(seaweed_server.endpoint) as line:
            overrides = s3_overrides(line.endpoint, prefix="late/{task_id}/{filename}")
            with running(site, *overrides, *LIMITS, ONE_SLOT) as server:
                line.script(LineFault(Trouble.HANG_AFTER, "PutObject"))
                put = sent(server, 3)
                stored = f"{seaweed_server.filer}/buckets/exports/late/{put.task_id}/orders.csv"
                wait_for(lambda: httpx.get(stored).status_code == 200)
                failed_while_it_hangs(server, put)
                line.script()
                wait_for(lambda: httpx.get(stored).status_code == 404)
                told(put)
                wait_for(lambda: not site.spools())


def oss_overrides(oss: OssServer) -> list[str]:
    return [
        "storage.backend=oss",
        f"oss.endpoint={oss.endpoint}",
        "oss.region=cn-hangzhou",
        "oss.bucket=exports",
        "oss.access_key_id=test-id",
        "oss.access_key_secret=test-secret",
        "oss.part_size=100 KiB",
    ]


def sent(server: Running, rows: int) -> Put:
    """An export that needs its client no more."""
    put = Put.opened(server.client)
    put.send(rows)
    put.commit()
    return put


def failed_while_it_hangs(server: Running, *puts: Put) -> None:
    """Their exports have ended; another has a slot, and is ended in its turn."""
    for put in puts:
        wait_for(lambda put=put: server.actions.state(put.task_id) == "FAILED")
        task = server.actions.one("status", task_id=put.task_id)
        assert task["error"]["code"] == "STREAM_STALLED"
    following = Put.opened(server.client)
    assert server.actions.state(following.task_id) == "PROCESSING"
    server.assert_failed(following.task_id, "STREAM_STALLED")
    told(following)


def told(*puts: Put) -> None:
    """Their clients hear of it."""
    for put in puts:
        with refused("STREAM_STALLED"):
            put.answers()


def kept(oss: OssServer, *puts: Put) -> list[str]:
    """What is stored of them."""
    return [key for key in oss.objects if any(put.task_id in key for put in puts)]

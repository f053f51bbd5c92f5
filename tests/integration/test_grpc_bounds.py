"""What the gRPC door holds at most: threads and bytes, whatever its clients do."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from flight_server.transports import export_pb2 as pb
from flight_server.transports.grpc_extras import REFLECTIONS
from flight_server.transports.grpc_shim import DRAINING_THREADS, UNARY_THREADS
from tests.conftest import StartServer
from tests.support.grpc_client import Client, batch, metadata, refusal_of, task_id_of
from tests.support.site import Running
from tests.support.waiting import wait_for

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Opened:
    """A call whose requests are sent one by one."""

    def __init__(self, begin: Callable[..., Any], *messages: Any) -> None:
        self._queue: SimpleQueue[Any] = SimpleQueue()
        for each in messages:
            self._queue.put(each)
        self.call = begin(iter(self._queue.get, None), timeout=60)

    def half_close(self) -> None:
        self._queue.put(None)


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    with Client(server.grpc) as made:
        yield made


@pytest.fixture
def opened(client: Client) -> Iterator[Callable[..., Any]]:
    """Opens exports of `client`, which are half-closed at the end."""
    with ExitStack() as stack:

        def open_one(*messages: pb.ExportRequest, of: Client = client) -> Any:
            made = Opened(of.stub.StreamExport.future, *messages)
            stack.callback(made.half_close)
            return made.call

        yield open_one


def intakes() -> int:
    return sum(thread.name == "grpc-intake" for thread in threading.enumerate())


def test_no_call_leaves_its_thread_behind(
    server: Running, client: Client, opened: Callable[..., Any]
) -> None:
    with pytest.raises(grpc.RpcError):
        client.export(metadata(filename="a/b"), batch([("1", "x")]))
    assert client.export(metadata(), batch([("1", "x")])).record_count == 1
    for _ in range(10):
        call = opened(metadata(), batch([("1", "x")]))
        task_id_of(call)
        call.cancel()
    wait_for(lambda: not intakes())


def test_what_becomes_too_large_when_it_is_decompressed_is_refused(
    server: Running, client: Client
) -> None:
    bomb = batch([("1", "x" * (80 * 2**20))])
    accepted = threading.Event()

    def messages() -> Iterator[bytes]:
        yield metadata()
        assert accepted.wait(30)  # or the call may have ended before the server began to answer
        yield bomb

    call = client.stub.StreamExport.future(
        messages(), timeout=60, compression=grpc.Compression.Gzip
    )
    task_id = task_id_of(call)
    accepted.set()
    with pytest.raises(grpc.RpcError) as caught:
        call.result()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    server.assert_failed(task_id, "INCOMPLETE_STREAM")


def test_metadata_are_held_to_the_size_of_a_descriptor(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.export(metadata(request_id="x" * (5 * 2**20)))
    assert "metadata has 5242" in str(caught.value.details())
    assert "at most 4194304" in str(caught.value.details())


class TestThreads:
    def test_status_and_health_answer_while_every_export_and_refusal_has_its_thread(
        self, start_server: StartServer, opened: Callable[..., Any]
    ) -> None:
        server = start_server("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=2")
        with Client(server.grpc) as client:
            ids = [task_id_of(opened(metadata(), of=client)) for _ in range(3)]
            # Refused, and drained for as long as they do not half-close.
            refused = [opened(metadata(), of=client) for _ in range(DRAINING_THREADS)]
            assert all("QUEUE_FULL" in refusal_of(call) for call in refused)
            crowded = opened(metadata(), of=client)
            with pytest.raises(grpc.RpcError) as caught:
                crowded.result()
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "as many calls are open as may be" in refusal_of(crowded)
            assert dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"] == "5000"
            assert not any(call.done() for call in refused)
            states = [client.status(task_id).status for task_id in ids]
            assert states == [pb.TASK_STATUS_PROCESSING, *[pb.TASK_STATUS_QUEUED] * 2]
            asked = health_pb2.HealthCheckRequest()
            health = health_pb2_grpc.HealthStub(client.channel)
            assert health.Check(asked, timeout=20).status == SERVING

    def test_many_who_watch_the_health_hold_none(self, server: Running, client: Client) -> None:
        stub = health_pb2_grpc.HealthStub(client.channel)
        asked = health_pb2.HealthCheckRequest()
        watching = [stub.Watch(asked, timeout=60) for _ in range(3 * UNARY_THREADS)]
        assert {next(each).status for each in watching} == {SERVING}
        assert stub.Check(asked, timeout=20).status == SERVING
        for each in watching:
            each.cancel()

    def test_who_watches_the_health_is_told_that_the_server_stops(
        self, start_server: StartServer
    ) -> None:
        server = start_server()
        with Client(server.grpc) as client:
            stub = health_pb2_grpc.HealthStub(client.channel)
            watching = stub.Watch(health_pb2.HealthCheckRequest(), timeout=60)
            assert next(watching).status == SERVING
            server.server.drain(threading.Event())
            assert next(watching).status == NOT_SERVING
            watching.cancel()

    def test_few_may_use_reflection_at_once(self, server: Running, client: Client) -> None:
        stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        held = [Opened(stub.ServerReflectionInfo, asked) for _ in range(REFLECTIONS)]
        assert all(next(each.call).HasField("list_services_response") for each in held)
        with pytest.raises(grpc.RpcError) as caught:
            next(stub.ServerReflectionInfo(iter([asked]), timeout=20))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for each in held:
            each.half_close()
            assert list(each.call) == []
        wait_for(lambda: _answers(stub, asked))


def _answers(stub: Any, asked: Any) -> bool:
    """A place comes free a moment after the call that had it has ended."""
    try:
        return len(list(stub.ServerReflectionInfo(iter([asked]), timeout=20))) == 1
    except grpc.RpcError:
        return False

"""The gRPC door in trouble: clients that go, that go on sending, and that are too many."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from flight_server.transports import export_pb2 as pb
from tests.conftest import StartServer
from tests.support.grpc_client import Client, batch, metadata, refusal_of, task_id_of
from tests.support.process import served
from tests.support.site import Running, Site
from tests.support.waiting import wait_for

MANY = batch([("1", "x" * 1_000)] * 1_000)


class Sender:
    """A stream that goes on until it is told to end."""

    def __init__(self, *messages: pb.ExportRequest, then: pb.ExportRequest | None = None) -> None:
        self._messages = messages
        self._then = then
        self.sent = 0
        self.go_on = threading.Event()

    def __iter__(self) -> Iterator[pb.ExportRequest]:
        yield from self._messages
        while self._then is not None and not self.go_on.is_set():
            self.sent += 1
            yield self._then
        assert self.go_on.wait(60)


def sender(*messages: pb.ExportRequest, then: pb.ExportRequest | None = None) -> tuple[Any, Sender]:
    made = Sender(*messages, then=then)
    return iter(made), made


def wait_until_failed(server: Running, task_id: str, code: str) -> None:
    server.assert_failed(task_id, code)
    with Client(server.grpc) as client:
        status = client.status(task_id)
        assert (status.status, status.error_code) == (pb.TASK_STATUS_FAILED, code)


# Clients that go ----------------------------------------------------------------------------


def test_a_call_that_is_cancelled_makes_no_file(server: Running) -> None:
    for _ in range(20):  # grpcio shows some of them as a clean end
        with Client(server.grpc) as client:
            messages, stream = sender(metadata(), batch([("1", "x")]))
            call = client.begin(messages)
            task_id = task_id_of(call)
            call.cancel()
            wait_until_failed(server, task_id, "INCOMPLETE_STREAM")
            stream.go_on.set()


def test_a_deadline_that_passes_makes_no_file(server: Running) -> None:
    with Client(server.grpc) as client:
        messages, stream = sender(metadata(), batch([("1", "x")]))
        call = client.begin(messages, timeout=0.5)
        task_id = task_id_of(call)
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        wait_until_failed(server, task_id, "INCOMPLETE_STREAM")
        stream.go_on.set()


KILLED = """
import sys, time
from tests.support.grpc_client import Client, batch, metadata, task_id_of
def messages():
    yield metadata()
    yield batch([("1", "x")] * 1000)
    time.sleep(60)
client = Client(sys.argv[1])
call = client.begin(messages())
print(task_id_of(call), flush=True)
time.sleep(60)
"""


def test_a_client_that_is_killed_makes_no_file(server: Running) -> None:
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, server.grpc], stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            task_id = process.stdout.readline().strip()
            server.wait_for_rows(task_id, 1_000)
            process.send_signal(signal.SIGKILL)
        wait_until_failed(server, task_id, "INCOMPLETE_STREAM")


def test_an_export_that_is_cancelled_from_elsewhere_ends_its_call(server: Running) -> None:
    with Client(server.grpc) as client:
        messages, stream = sender(metadata(), batch([("1", "x")]))
        call = client.begin(messages)
        task_id = task_id_of(call)
        server.wait_for_rows(task_id, 1)
        server.actions.one("cancel", task_id=task_id)
        stream.go_on.set()
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.code() is grpc.StatusCode.CANCELLED
        status = client.status(task_id)
        assert (status.status, status.error_code) == (pb.TASK_STATUS_FAILED, "CANCELLED")


def test_a_client_that_stops_is_stalled_and_its_slot_is_free(start_server: StartServer) -> None:
    server = start_server("flight.stream_idle_timeout=200ms", "concurrency.max_concurrent_tasks=1")
    with Client(server.grpc) as client:
        messages, stream = sender(metadata(), batch([("1", "x")]))
        call = client.begin(messages)
        wait_until_failed(server, task_id_of(call), "STREAM_STALLED")
        assert client.export(metadata(), batch([("1", "x")])).record_count == 1
        stream.go_on.set()
        with pytest.raises(grpc.RpcError, match="STREAM_STALLED"):
            call.result()


# The drain rule -----------------------------------------------------------------------------


def test_a_refused_client_that_goes_on_sending_gets_its_reason_at_once_and_its_status(
    server: Running,
) -> None:
    with Client(server.grpc) as client:
        messages, stream = sender(metadata(csv_delimiter=";;"), then=MANY)
        call = client.begin(messages)
        assert "metadata.options.csv_delimiter" in refusal_of(call)  # while it still sends
        wait_for(lambda: stream.sent > 3)
        stream.go_on.set()
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_what_a_failed_client_may_still_send_is_bounded(server: Running) -> None:
    with Client(server.grpc) as client:
        messages, stream = sender(metadata(), batch([("only one",)]), then=MANY)
        call = client.begin(messages)
        task_id = task_id_of(call)
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert dict(caught.value.trailing_metadata())["x-task-id"] == task_id
        assert stream.sent < 200  # of a megabyte each
        stream.go_on.set()


# Too many -----------------------------------------------------------------------------------


def test_who_waits_has_an_id_and_who_is_too_many_is_told(start_server: StartServer) -> None:
    server = start_server("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=1")
    with Client(server.grpc) as client:
        running, first = sender(metadata(), batch([("1", "x")]))
        first_call = client.begin(running)
        server.wait_for_rows(task_id_of(first_call), 1)
        waiting, second = sender(metadata(), batch([("1", "x")]))
        second_call = client.begin(waiting)
        queued = task_id_of(second_call)
        assert client.status(queued).status == pb.TASK_STATUS_QUEUED
        with pytest.raises(grpc.RpcError, match="QUEUE_FULL") as caught:
            client.export(metadata(), batch([("1", "x")]))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        trailing = dict(caught.value.trailing_metadata())
        assert trailing["x-retryable"] == "true"
        assert trailing["grpc-retry-pushback-ms"] == "5000"
        for stream in (first, second):
            stream.go_on.set()
        assert first_call.result().record_count == second_call.result().record_count == 1


def test_a_client_that_goes_while_it_waits_leaves_the_queue(start_server: StartServer) -> None:
    server = start_server("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=1")
    with Client(server.grpc) as client:
        running, first = sender(metadata(), batch([("1", "x")]))
        first_call = client.begin(running)
        server.wait_for_rows(task_id_of(first_call), 1)
        with Client(server.grpc) as other:
            waiting, second = sender(metadata())
            call = other.begin(waiting)
            queued = task_id_of(call)
            call.cancel()
            wait_until_failed(server, queued, "INCOMPLETE_STREAM")
            second.go_on.set()
        first.go_on.set()
        assert first_call.result().record_count == 1


def test_ten_streams_at_once_are_ten_right_files(server: Running) -> None:
    with Client(server.grpc) as client:
        calls = [
            client.begin(
                iter([metadata(), *[batch([(str(stream), str(row)) for row in range(1_000)])] * 10])
            )
            for stream in range(10)
        ]
        answers = [call.result() for call in calls]
        assert {answer.record_count for answer in answers} == {10_000}
        assert len({answer.checksum_sha256 for answer in answers}) == 10
        for stream, answer in enumerate(answers):
            lines = server.web.get(answer.oss_url).text.splitlines()[1:]
            assert lines == [f"{stream},{row}" for row in range(1_000)] * 10


# What gRPC's tools expect -------------------------------------------------------------------


def test_the_health_is_served(server: Running) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "export.ExportService"):
            asked = health_pb2.HealthCheckRequest(service=service)
            assert stub.Check(asked, timeout=20).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="other"), timeout=20)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_lists_the_service_with_its_messages(server: Running) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest
        services, file = stub.ServerReflectionInfo(
            iter([asked(list_services=""), asked(file_containing_symbol="export.ExportService")]),
            timeout=20,
        )
        names = [each.name for each in services.list_services_response.service]
        assert "export.ExportService" in names
        assert file.file_descriptor_response.file_descriptor_proto


def test_an_unknown_method_is_unimplemented(server: Running) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        call = channel.unary_unary("/export.ExportService/Other")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=20)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_bytes_that_are_no_protobuf_are_refused(server: Running) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        call = channel.stream_unary("/export.ExportService/StreamExport")
        good = metadata().SerializeToString()
        for messages in ([b"\xff\xff"], [good, b"\x12\x7f"], [good, b"\x12\x03\x0a\xff\xff"]):
            with pytest.raises(grpc.RpcError) as caught:
                call(iter(messages), timeout=20)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "protobuf" in caught.value.details()


# The server's end ---------------------------------------------------------------------------


def test_a_server_that_stops_refuses_new_exports_and_finishes_old_ones(site: Site) -> None:
    with served(site) as server, Client(server.grpc) as client:
        messages, stream = sender(metadata(), batch([("1", "x")]))
        call = client.begin(messages)
        task_id_of(call)
        server.signal(signal.SIGTERM)

        def told() -> str:
            try:
                client.export(metadata(), batch([("1", "x")]))
            except grpc.RpcError as error:
                return str(error.details())
            return ""

        wait_for(lambda: "SHUTTING_DOWN" in told())
        stream.go_on.set()
        assert call.result().record_count == 1
        assert server.exit_code() == 0


def test_a_port_that_is_taken_is_told_in_one_sentence(server: Running, site: Site) -> None:
    from flight_server.app import Server
    from flight_server.config import load_config
    from flight_server.transports.http_server import DoorError

    port = server.grpc.rpartition(":")[2]
    config = load_config(None, environ={}, overrides=[*site.overrides, f"server.port={port}"])
    with pytest.raises(DoorError, match=re.escape(f"server.port: port {port} of 127.0.0.1")):
        Server(config).__enter__()


def test_each_broken_call_is_told_of_its_own_task(server: Running) -> None:
    ids = []
    for _ in range(3):
        with Client(server.grpc) as client:
            messages, stream = sender(metadata())
            call = client.begin(messages)
            ids.append(task_id_of(call))
            call.cancel()
            wait_until_failed(server, ids[-1], "INCOMPLETE_STREAM")
            stream.go_on.set()
            with pytest.raises(grpc.RpcError) as caught:
                client.export(batch([("1", "x")]))
            assert "x-task-id" not in dict(caught.value.trailing_metadata())

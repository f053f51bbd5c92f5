"""Whatever becomes of a call, the thread that reads it ends with it."""

import threading
from collections.abc import Iterator

import grpc
import pytest

from flight_server.transports import export_pb2 as pb
from flight_server.transports import grpc_door
from tests.support.grpc_client import Client, batch, metadata, task_id_of
from tests.support.site import Running
from tests.support.waiting import wait_for

MEGABYTE = batch([("1", "x" * 1_000)] * 1_000)


def readers() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "grpc-intake"]


@pytest.fixture(autouse=True)
def no_reader_is_left(server: Running) -> Iterator[None]:
    yield
    wait_for(lambda: not readers())


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    with Client(server.grpc) as made:
        yield made


def held_open(*messages: pb.ExportRequest) -> tuple[Iterator[pb.ExportRequest], threading.Event]:
    """Messages that do not end before the event is set."""
    end = threading.Event()

    def sent() -> Iterator[pb.ExportRequest]:
        yield from messages
        assert end.wait(60)

    return sent(), end


def test_it_ends_with_an_answered_call(client: Client) -> None:
    assert client.export(metadata(), batch([("1", "x")])).record_count == 1


def test_it_ends_with_a_cancelled_call(client: Client) -> None:
    messages, end = held_open(metadata())
    call = client.begin(messages)
    task_id_of(call)
    assert readers()
    call.cancel()
    end.set()


def test_it_ends_when_a_refused_client_has_not_ended_within_the_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_door, "DRAIN_SECONDS", 0.01)
    messages, end = held_open(metadata(csv_delimiter=";;"))
    with pytest.raises(grpc.RpcError, match=r"metadata\.options\.csv_delimiter"):
        client.begin(messages).result()
    wait_for(lambda: not readers())
    end.set()


def test_it_ends_when_a_refused_client_has_sent_too_much(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_door, "DRAIN_SECONDS", 60.0)
    monkeypatch.setattr(grpc_door, "DRAIN_BYTES", 2 * 2**20)
    messages, end = held_open(metadata(), batch([("only one",)]), *[MEGABYTE] * 20)
    with pytest.raises(grpc.RpcError, match="row 1 has 1 values"):
        client.begin(messages).result()
    wait_for(lambda: not readers())
    end.set()


def test_it_ends_when_the_same_request_is_answered_before_it_was_sent_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_door, "DRAIN_SECONDS", 0.01)
    first = client.export(metadata(request_id="again"), batch([("1", "x")]))
    messages, end = held_open(metadata(request_id="again"))
    assert client.begin(messages).result().task_id == first.task_id
    wait_for(lambda: not readers())
    end.set()


def test_it_ends_with_an_export_that_was_cancelled_while_it_was_held_back(
    client: Client, server: Running
) -> None:
    messages, end = held_open(metadata(), batch([("1", "x")]))
    call = client.begin(messages)
    server.wait_for_rows(task_id_of(call), 1)
    server.actions.one("cancel", task_id=task_id_of(call))
    end.set()
    with pytest.raises(grpc.RpcError, match="CANCELLED"):
        call.result()

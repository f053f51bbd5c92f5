"""The trace of a caller reaches the log over every door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import flight

from flight_server import logs
from tests.support.exports import Json, batch
from tests.support.grpc_client import Client, metadata
from tests.support.grpc_client import batch as grpc_batch
from tests.support.site import Running, Site, running
from tests.support.waiting import wait_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that writes every event."""
    site = Site(tmp_path_factory.mktemp("site"))
    logs.configure("debug", "json", str(site.log))
    with running(site) as server:
        yield server
    logs.reset()


def lines(log: Path, event: str, task_id: str) -> list[Json]:
    def look() -> list[Json]:
        seen = [json.loads(line) for line in log.read_text().splitlines()]
        return [
            line for line in seen if (line.get("event"), line.get("task_id")) == (event, task_id)
        ]

    return wait_for(look)


def test_over_flight(logged: Running) -> None:
    options = flight.FlightCallOptions(timeout=30, headers=[(b"traceparent", PARENT.encode())])
    descriptor = flight.FlightDescriptor.for_command(b'{"filename": "a.csv"}')
    writer, reader = logged.client.do_put(descriptor, batch(1).schema, options)
    task_id = json.loads(reader.read().to_pybytes())["task_id"]
    writer.write_with_metadata(batch(3), b'{"commit": true}')
    writer.done_writing()
    while reader.read() is not None:
        pass
    writer.close()
    exported = [
        lines(logged.site.log, event, task_id)[0]
        for event in ("TaskCreated", "BatchReceived", "OSSUploadCompleted", "TaskCompleted")
    ]
    assert {line["trace_id"] for line in exported} == {TRACE}
    assert len({line["session_id"] for line in exported}) == 1

    question = flight.Action("status", json.dumps({"task_id": task_id}).encode())
    assert list(logged.client.do_action(question, options))
    [asked] = lines(logged.site.log, "StatusQueried", task_id)
    assert asked["trace_id"] == TRACE
    assert asked["session_id"] != exported[0]["session_id"]


def test_over_grpc(logged: Running) -> None:
    with Client(logged.grpc) as client:
        traced = (("traceparent", PARENT),)
        answer = client.export(metadata(), grpc_batch([("1", "one")]), metadata=traced)
    for event in ("TaskCreated", "BatchReceived", "TaskCompleted"):
        [line] = lines(logged.site.log, event, answer.task_id)
        assert line["trace_id"] == TRACE


def test_over_http(logged: Running) -> None:
    with Client(logged.grpc) as client:
        task_id = client.export(metadata(), grpc_batch([("1", "one")])).task_id
    address = f"{logged.http}/api/tasks/{task_id}"
    assert logged.web.get(address, headers={"traceparent": PARENT}).status_code == 200
    [asked] = lines(logged.site.log, "StatusQueried", task_id)
    assert asked["trace_id"] == TRACE

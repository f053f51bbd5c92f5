"""The services of deploy/docker-compose.yml find each other and do their work."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from pyarrow import flight

from flight_server.transports import export_pb2 as pb
from tests.support import grpc_client
from tests.support.exports import Actions, Put, csv_of, export
from tests.support.postgres import Postgres
from tests.support.stack import Stack, require_stack
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def stack(postgres_server: Postgres) -> Iterator[Stack]:
    require_stack()
    with (
        tempfile.TemporaryDirectory(prefix="stack-") as root,
        Stack(Path(root), postgres_server.database()).running() as running,
    ):
        yield running


@pytest.fixture(scope="module")
def task(stack: Stack) -> Iterator[dict[str, object]]:
    """One that is finished, exported through the proxy."""
    with flight.FlightClient(f"grpc://{stack.at('nginx', 8815)}") as client:
        yield export(client, 1000)


def test_an_export_through_the_proxy_has_a_link_through_the_proxy(
    stack: Stack, task: dict[str, str]
) -> None:
    assert task["url"].startswith(f"http://{stack.at('haproxy', 9091)}/files/")
    assert httpx.get(task["url"]).content == csv_of(1000)


@pytest.mark.parametrize("replica", ["a", "b"])
def test_each_replica_knows_the_export_and_has_its_file(
    stack: Stack, task: dict[str, str], replica: str
) -> None:
    with flight.FlightClient(f"grpc://{stack.at(replica, 8815)}") as client:
        assert Actions(client).state(task["task_id"]) == "COMPLETED"
    link = task["url"].replace(stack.at("haproxy", 9091), stack.at(replica, 9091))
    assert httpx.get(link).content == csv_of(1000)


def test_the_original_contract_is_behind_the_proxy_too(stack: Stack, task: dict[str, str]) -> None:
    with grpc.insecure_channel(stack.at("nginx", 9090)) as channel:
        stub = grpc_client.stub_module().ExportServiceStub(channel)
        told = stub.QueryTaskStatus(pb.TaskStatusRequest(task_id=task["task_id"]), timeout=30)
    assert told.status == pb.TASK_STATUS_COMPLETED


def test_an_export_is_finished_while_the_project_is_stopped(stack: Stack) -> None:
    """Compose stops nginx first. It is the last test: nobody starts it again."""
    with flight.FlightClient(f"grpc://{stack.at('nginx', 8815)}") as client:
        put = Put.opened(client)
        put.send(3)
        stack.ask_to_stop("nginx")
        wait_for(lambda: not stack.answers("nginx", 8815))
        put.send(3, start=3)
        put.commit(6)
        assert put.result()["state"] == "COMPLETED"
    assert "gracefully shutting down" in stack.said("nginx")

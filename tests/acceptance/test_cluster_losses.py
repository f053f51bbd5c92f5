"""Clusters that lose a replica while it uploads, and then all of them."""

import os
import signal
from collections.abc import Iterator

import grpc
import httpx
import pytest
from pyarrow import flight

from tests.support import grpc_client
from tests.support.cluster import Cluster, cluster, require_proxy, stop
from tests.support.exports import Put, csv_of, refused
from tests.support.oss import Fault, FaultKind, OssServer
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def oss() -> Iterator[OssServer]:
    with OssServer() as server:
        yield server


@pytest.fixture(scope="module")
def settings(oss: OssServer) -> list[str]:
    """Of clusters whose files are in OSS; no lease is over within a test."""
    pairs = [
        "storage.backend=oss",
        f"oss.endpoint={oss.endpoint}",
        "oss.region=cn-hangzhou",
        "oss.bucket=exports",
        "oss.access_key_id=test-id",
        "oss.access_key_secret=test-secret",
        "state.lease_timeout=10m",
    ]
    return [word for pair in pairs for word in ("--set", pair)]


@pytest.fixture(scope="module")
def two(settings: list[str], postgres_server: Postgres) -> Iterator[Cluster]:
    """Its replicas stay away when they have ended."""
    require_proxy()
    state = postgres_server.database()
    with cluster("--no-restart", "--state-url", state, *settings) as started:
        yield started


class TestReplicasThatStayAway:
    """In this order: with each test there is less of the cluster."""

    def test_the_other_one_completes_what_one_was_uploading(
        self, two: Cluster, oss: OssServer
    ) -> None:
        put = uploading(two, oss)
        two.kill("a")
        oss.faults.clear()
        assert_completed(two, oss, put.task_id)
        assert two.pid("a") is None

    def test_when_none_is_left_calls_are_told_so(self, two: Cluster) -> None:
        two.kill("b")
        wait_for(lambda: not two.ready())
        with pytest.raises(flight.FlightUnavailableError, match="no replica can be reached"):
            two.proxy.actions.one("health")
        with grpc_client.Client(two.proxy.grpc) as client, pytest.raises(grpc.RpcError) as told:
            client.status("any")
        assert told.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "no replica can be reached" in told.value.details()

    def test_when_it_is_stopped_nothing_is_left(self, two: Cluster) -> None:
        pids = two.pids()
        assert stop(two.process) == 0
        assert not two.ready_file.exists()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


@pytest.fixture(scope="module")
def apart(settings: list[str]) -> Iterator[Cluster]:
    """Its replicas have spools of their own, and come back; it has a database of its own."""
    require_proxy()
    with cluster("--separate-spools", *settings) as started:
        yield started


class TestReplicasOfTheirOwnDisks:
    """In this order: the second test ends the cluster."""

    def test_one_completes_what_it_was_uploading_when_it_is_back(
        self, apart: Cluster, oss: OssServer
    ) -> None:
        put = uploading(apart, oss)
        pid = apart.kill("a")
        oss.faults.clear()
        assert_completed(apart, oss, put.task_id)
        apart.wait_for_another("a", pid)
        assert not list(apart.directory.glob(f"*/spool/*{put.task_id}*"))

    def test_exports_may_finish_when_it_is_stopped_until_it_is_told_again(
        self, apart: Cluster
    ) -> None:
        finished, ended = (Put.opened(apart.proxy.client) for _ in range(2))
        apart.process.send_signal(signal.SIGINT)
        wait_for(lambda: not apart.ready())
        finished.send(3)
        finished.commit()
        assert finished.result()["state"] == "COMPLETED"
        apart.process.send_signal(signal.SIGINT)
        # What ends its stream before that ends it as one without a commit.
        wait_for(lambda: not list(apart.directory.rglob("*.spool")))
        with refused("SHUTTING_DOWN"):
            ended.answers()
        assert apart.process.wait(30) == 0


def uploading(two: Cluster, oss: OssServer) -> Put:
    """An export that is durable at replica a, and hangs on its way to the store."""
    hanging = oss.faults.hanging
    oss.faults.add(Fault(FaultKind.HANG, "PutObject", times=None))
    put = Put.opened(two.a.client)
    put.send(100)
    put.commit(100)
    wait_for(lambda: oss.faults.hanging > hanging)
    assert two.b.actions.state(put.task_id) == "UPLOADING"
    return put


def assert_completed(two: Cluster, oss: OssServer, task_id: str) -> None:
    wait_for(lambda: two.b.actions.state(task_id) == "COMPLETED")
    [stored] = [stored for key, stored in oss.objects.items() if task_id in key]
    url = two.proxy.actions.one("url", task_id=task_id)["url"]
    assert httpx.get(url).content == stored.data == csv_of(100)

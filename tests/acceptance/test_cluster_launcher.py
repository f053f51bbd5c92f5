"""What the launcher of `make cluster` does besides what clients see."""

import os

import grpc
import pytest
from pyarrow import flight

from tests.support import grpc_client
from tests.support.cluster import cluster, require_proxy, stop
from tests.support.exports import export
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for


def test_it_is_told_how_to_start_replicas_and_leaves_nothing(postgres_server: Postgres) -> None:
    require_proxy()
    own = ("--state-url", postgres_server.database(), "--separate-spools", "--no-restart")
    with cluster(*own) as started:
        pids = started.pids()
        assert export(started.proxy.client)["state"] == "COMPLETED"
        assert not (started.directory / "postgres").exists()
        assert {path.parent.name for path in started.directory.glob("*/spool")} == {"a", "b"}

        for name in ("a", "b"):
            started.kill(name)
        wait_for(lambda: not started.ready())
        assert (started.pid("a"), started.pid("b")) == (None, None)
        with pytest.raises(flight.FlightUnavailableError, match="no replica can be reached"):
            started.proxy.actions.one("health")
        with grpc_client.Client(started.proxy.grpc) as client, pytest.raises(grpc.RpcError) as told:
            client.status("any")
        assert told.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "no replica can be reached" in told.value.details()

        assert stop(started.process) == 0
        assert not started.ready_file.exists()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

"""More exports than slots and queue take, at both doors at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from pyarrow import flight

from flight_server.transports import export_pb2 as pb
from tests.conftest import StartServer
from tests.support.exports import Put, csv_of, export
from tests.support.grpc_client import Client, batch, metadata
from tests.support.site import Running

SLOTS, QUEUE, CROWD = 2, 3, 30


@dataclass
class Crowd:
    """What became of many exports, each of which is let in or refused first of all."""

    completed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released once for each."""
    go_on: threading.Event = field(default_factory=threading.Event)
    """Until it is set, those that were let in keep their places."""

    def over_flight(self, server: Running) -> None:
        put = Put(server.client, {"filename": "a.csv"})
        try:
            let_in = put.answer() is not None
            if not let_in:
                put.answers()
        except flight.FlightUnavailableError as error:
            self.refused.append(str(error))
            self.answered.release()
            return
        self._keep_place()
        put.send_and_commit(3)
        self.completed.append(put.result()["task_id"])

    def over_grpc(self, client: Client) -> None:
        call = client.begin(self._messages())
        if "x-error" not in dict(call.initial_metadata()):
            self._keep_place()
            self.completed.append(call.result().task_id)
            return
        self.answered.release()
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        self.refused.append(str(caught.value.details()))

    def _messages(self) -> Iterator[pb.ExportRequest]:
        yield metadata()
        assert self.go_on.wait(60)
        yield batch([("0", "name 0")])

    def _keep_place(self) -> None:
        self.answered.release()
        assert self.go_on.wait(60)


@pytest.mark.parametrize("held", [True, False], ids=["places are kept", "places come free"])
def test_each_is_finished_or_told_that_the_queue_is_full(
    start_server: StartServer, held: bool
) -> None:
    server = start_server(
        f"concurrency.max_concurrent_tasks={SLOTS}", f"concurrency.task_queue_size={QUEUE}"
    )
    crowd = Crowd()
    if not held:
        crowd.go_on.set()
    with Client(server.grpc) as client, ThreadPoolExecutor(CROWD) as pool:
        ways: list[tuple[Callable[[Any], None], Any]] = [
            (crowd.over_flight, server),
            (crowd.over_grpc, client),
        ]
        calls = [pool.submit(*ways[number % 2]) for number in range(CROWD)]
        for _ in range(CROWD):
            assert crowd.answered.acquire(timeout=60)
        crowd.go_on.set()
        for call in calls:
            call.result()
    assert all("QUEUE_FULL" in message for message in crowd.refused)
    assert len(crowd.completed) + len(crowd.refused) == CROWD
    assert not held or len(crowd.completed) == SLOTS + QUEUE
    assert sorted(crowd.completed) == sorted(server.actions.ids())
    assert sorted(crowd.completed) == sorted(server.actions.ids(state="COMPLETED"))
    assert server.site.spools() == []
    assert server.web.get(export(server.client, 3)["url"]).content == csv_of(3)

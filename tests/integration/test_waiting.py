"""Clients whose exports wait for a slot: what they are told, and what becomes of those that go."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from pyarrow import flight

from export_client import ExportClient, Progress
from tests.conftest import StartServer
from tests.support import wire
from tests.support.exports import SCHEMA, Json, Put, export, refused
from tests.support.site import Running
from tests.support.waiting import wait_for

ONE_SLOT = "concurrency.max_concurrent_tasks=1"


def queue_of(size: int) -> str:
    return f"concurrency.task_queue_size={size}"


def finish(put: Put) -> Json:
    put.send(3)
    put.commit(3)
    return put.result()


def opened(server: Running, name: str = "orders.csv") -> tuple[Put, Json]:
    """An export, and the answer that accepts it."""
    put = Put(server.client, {"filename": name})
    answer = put.answer()
    assert answer is not None
    put.task_id = str(answer["task_id"])
    return put, answer


def told(put: Put, wanted: Callable[[Json], bool]) -> list[Json]:
    """The answers up to the first one that is `wanted`."""
    answers = []
    while (answer := put.answer()) is not None:
        answers.append(answer)
        if wanted(answer):
            return answers
    raise AssertionError(f"not told: {answers}")


def test_a_client_is_told_its_place_from_the_first_answer_to_its_turn(
    start_server: StartServer,
) -> None:
    server = start_server(ONE_SLOT, queue_of(2))
    (first, one), (second, two), (third, three) = [opened(server) for _ in range(3)]
    assert "position" not in one
    assert [(each["state"], each["position"]) for each in (two, three)] == [
        ("QUEUED", 1),
        ("QUEUED", 2),
    ]
    finish(first)
    assert told(second, lambda each: each["state"] == "PROCESSING")[-1]["rows"] == 0
    [moved] = told(third, lambda each: True)
    assert moved == {
        "type": "progress",
        "task_id": third.task_id,
        "rows": 0,
        "bytes": 0,
        "state": "QUEUED",
        "position": 1,
    }
    finish(second)
    assert told(third, lambda each: each["state"] == "PROCESSING")[-1]["rows"] == 0
    finish(third)


def test_the_last_place_is_told_however_soon_it_comes_after_another(
    start_server: StartServer,
) -> None:
    server = start_server(ONE_SLOT, queue_of(5))
    puts = [opened(server)[0] for _ in range(6)]
    for put in puts[1:5]:
        server.actions.one("cancel", task_id=put.task_id)
    places = [each["position"] for each in told(puts[5], lambda each: each["position"] == 1)]
    assert places == sorted(places, reverse=True)
    finish(puts[0])
    finish(puts[5])


def test_the_place_is_part_of_the_task_while_it_waits(start_server: StartServer) -> None:
    server = start_server(ONE_SLOT, queue_of(2))
    puts = [opened(server)[0] for _ in range(3)]
    for place, put in zip((None, 1, 2), puts, strict=True):
        assert server.actions.one("status", task_id=put.task_id)["position"] == place
        assert server.web.get(f"{server.http}/api/tasks/{put.task_id}").json()["position"] == place
    assert [task["position"] for task in server.actions.all("list")] == [2, 1, None]
    ended = server.actions.one("cancel", task_id=puts[1].task_id)
    assert (ended["state"], ended["position"]) == ("CANCELLED", None)
    assert server.actions.one("status", task_id=puts[2].task_id)["position"] == 1
    finish(puts[0])
    assert finish(puts[2])["position"] is None


def test_who_finds_the_queue_full_is_told_when_to_retry(start_server: StartServer) -> None:
    server = start_server(ONE_SLOT, queue_of(0))
    put, _ = opened(server)
    with refused("QUEUE_FULL") as refusal:
        export(server.client)
    assert isinstance(refusal.error, flight.FlightError)
    assert json.loads(refusal.error.extra_info)["retry_after_seconds"] == 5
    assert "; retry in 5 s" in refusal.message
    finish(put)
    put, _ = opened(server)
    with refused("QUEUE_FULL") as refusal:
        export(server.client)
    assert 1 <= json.loads(refusal.error.extra_info)["retry_after_seconds"] <= 60
    finish(put)


def test_a_client_that_goes_while_it_waits_frees_its_place(start_server: StartServer) -> None:
    server = start_server(ONE_SLOT, queue_of(1))
    first, _ = opened(server)
    gone = wire.OpenPut(server.flight, [wire.opening(SCHEMA, filename="a.csv")], deadline=30)
    task_id = str(gone.first_answer()["task_id"])
    gone.cancel()
    gone.ended()
    server.assert_failed(task_id, "INCOMPLETE_STREAM")
    error = server.actions.one("status", task_id=task_id)["error"]
    assert "while the export waited" in error["message"]
    second, accepted = opened(server)
    assert accepted["position"] == 1
    finish(first)
    finish(second)


def test_a_client_whose_time_is_over_while_it_waits_frees_its_place(
    start_server: StartServer,
) -> None:
    server = start_server(ONE_SLOT, queue_of(1))
    first, _ = opened(server)
    late = wire.OpenPut(server.flight, [wire.opening(SCHEMA, filename="a.csv")], deadline=0.5)
    task_id = str(late.first_answer()["task_id"])
    server.assert_failed(task_id, "INCOMPLETE_STREAM")
    late.ended()
    finish(first)


def test_a_client_that_has_sent_everything_waits_for_its_turn(start_server: StartServer) -> None:
    """Its half-closed call must not be taken for one that broke."""
    server = start_server(ONE_SLOT, queue_of(1))
    first, _ = opened(server)
    second, _ = opened(server)
    second.send(3)
    second.commit(3)
    second.half_close()
    moments = [server.actions.one("health") for _ in range(2)]
    assert all(each["status"] == "ready" for each in moments)
    finish(first)
    assert told(second, lambda each: each["type"] == "result")[-1]["rows"] == 3


class TestPythonClient:
    def test_it_tells_its_place_and_sends_when_its_turn_has_come(
        self, start_server: StartServer
    ) -> None:
        server = start_server(ONE_SLOT, queue_of(1))
        first, _ = opened(server)
        seen: list[Progress] = []

        def progress(step: Progress) -> None:
            seen.append(step)
            if step.position == 1:
                finish(first)

        with ExportClient(server.flight) as client:
            assert client.export(pa.table({"id": [1, 2]}), "a.csv", progress=progress).rows == 2
        assert [(step.state, step.position) for step in seen[:2]] == [
            ("QUEUED", 1),
            ("PROCESSING", None),
        ]

    def test_an_export_whose_callback_raises_while_it_waits_leaves_the_line(
        self, start_server: StartServer
    ) -> None:
        server = start_server(ONE_SLOT, queue_of(1))
        first, _ = opened(server)

        def stop(_step: Progress) -> None:
            raise KeyError("enough")

        with ExportClient(server.flight) as client, pytest.raises(KeyError, match="enough"):
            client.export(pa.table({"id": [1]}), "a.csv", request_id="waits", progress=stop)
        assert server.actions.one("status", request_id="waits")["state"] == "CANCELLED"
        finish(first)


def test_the_rate_and_the_time_left_are_told_while_rows_come(server: Running) -> None:
    put = Put.opened(server.client, rows=1_000_000)

    def send_more() -> bool:
        put.send(10)
        return answers.done()

    with ThreadPoolExecutor(1) as threads:
        answers = threads.submit(told, put, lambda each: each["rows_per_second"] is not None)
        wait_for(send_more)
    assert answers.result()[-1]["rows_per_second"] > 0
    assert answers.result()[-1]["eta_seconds"] > 0
    task = server.actions.one("status", task_id=put.task_id)
    assert task["progress"] == round(task["rows"] / 10_000, 1)
    assert task["rows_per_second"] > 0
    assert task["eta_seconds"] > 0
    cancelled = server.actions.one("cancel", task_id=put.task_id)
    assert (cancelled["rows_per_second"], cancelled["eta_seconds"]) == (None, None)
    put.drop()

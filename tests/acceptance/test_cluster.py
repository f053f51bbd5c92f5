"""Two replicas behind the proxy, as `make cluster` starts them, seen from outside."""

import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import grpc
import httpx
import pyarrow as pa
import pytest
from pyarrow import flight

from flight_server.transports import export_pb2 as pb
from tests.support import grpc_client
from tests.support.cluster import Cluster, Door, cluster, failed_launch, require_proxy
from tests.support.exports import OPTIONS, SCHEMA, Json, Put, csv_of, export, refused, sheet_rows
from tests.support.held_stream import HeldStream
from tests.support.php import require_php, run_script
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for

SLOTS = 2
"""Exports that each replica runs at once."""


@pytest.fixture(scope="module")
def two(postgres_server: Postgres) -> Iterator[Cluster]:
    """Both replicas are ready before and after each test."""
    require_proxy()
    slots = f"concurrency.max_concurrent_tasks={SLOTS}"
    with cluster("--state-url", postgres_server.database(), "--set", slots) as started:
        yield started


@pytest.fixture(params=["a", "b"])
def replica(request: pytest.FixtureRequest, two: Cluster) -> Door:
    return {"a": two.a, "b": two.b}[request.param]


@pytest.fixture(scope="module")
def task(two: Cluster) -> Json:
    """One that is finished."""
    return export(two.proxy.client, 1000)


def without_url(task: Json) -> Json:
    """Each look signs a link anew."""
    return {
        key: value for key, value in task.items() if key not in {"url", "url_expires_at", "type"}
    }


class TestWhoeverIsAsked:
    def test_the_file_behind_the_link_is_whole(self, two: Cluster, task: Json) -> None:
        assert task["url"].startswith(two.proxy.http)
        assert httpx.get(task["url"]).content == csv_of(1000)

    def test_each_replica_tells_the_same_of_a_task(self, task: Json, replica: Door) -> None:
        told = replica.actions.one("status", task_id=task["task_id"])
        assert without_url(told) == without_url(task)

    def test_each_replica_signs_a_link_that_holds_at_the_proxy(
        self, two: Cluster, task: Json, replica: Door
    ) -> None:
        url = replica.actions.one("url", task_id=task["task_id"])["url"]
        assert url.startswith(two.proxy.http)
        part = httpx.get(url, headers={"Range": "bytes=5-20"})
        assert (part.status_code, part.content) == (206, csv_of(1000)[5:21])

    def test_each_replica_gives_out_the_file_itself(self, task: Json, replica: Door) -> None:
        info = replica.client.get_flight_info(
            flight.FlightDescriptor.for_path(task["task_id"]), OPTIONS
        )
        blocks = replica.client.do_get(info.endpoints[-1].ticket, OPTIONS).read_all()
        assert b"".join(blocks["data"].to_pylist()) == csv_of(1000)

    def test_each_replica_lists_it(self, task: Json, replica: Door) -> None:
        assert task["task_id"] in replica.actions.ids()

    def test_each_replica_answers_over_http(self, task: Json, replica: Door) -> None:
        told = httpx.get(f"{replica.http}/api/tasks/{task['task_id']}").json()
        assert without_url(told) == without_url(task)


class TestThroughTheProxy:
    def test_a_workbook_has_every_row(self, two: Cluster) -> None:
        task = export(two.proxy.client, 500, filename="orders.xlsx")
        rows = sheet_rows(httpx.get(task["url"]).content)
        assert rows == [["id", "name"], *([float(n), f"name {n}"] for n in range(500))]

    def test_an_error_keeps_its_code_and_its_task(self, two: Cluster) -> None:
        put = Put.opened(two.proxy.client)
        put.send(3)
        put.commit(rows=4)
        with refused("ROW_COUNT_MISMATCH") as refusal:
            put.result()
        assert refusal.task_id == put.task_id

    def test_a_client_that_goes_ends_its_export(self, two: Cluster) -> None:
        put = Put.opened(two.proxy.client)
        put.send(3)
        put.drop()
        wait_for(lambda: two.proxy.actions.state(put.task_id) == "FAILED")
        task = two.proxy.actions.one("status", task_id=put.task_id)
        assert task["error"]["code"] == "INCOMPLETE_STREAM"

    def test_a_large_message_passes(self, two: Cluster) -> None:
        texts = pa.array(["x" * 2**20] * 60)
        put = Put.opened(two.proxy.client)
        put.send_batch(pa.record_batch([pa.array(range(60)), texts], schema=SCHEMA))
        put.commit(60)
        assert put.result()["size_bytes"] > 60 * 2**20

    def test_a_client_of_the_original_contract_works(self, two: Cluster) -> None:
        first_row = threading.Event()

        def messages() -> Iterator[pb.ExportRequest]:
            yield grpc_client.metadata()
            first_row.wait(20)
            yield grpc_client.batch([("1", "one"), ("2", "two")])

        with ExitStack() as stack:
            proxy, a, b = (
                stack.enter_context(grpc_client.Client(door.grpc))
                for door in (two.proxy, two.a, two.b)
            )
            call = proxy.begin(messages())
            task_id = grpc_client.task_id_of(call)  # before any row
            first_row.set()
            answer = call.result()
            told = [client.status(task_id) for client in (proxy, a, b)]
        assert (answer.task_id, answer.record_count) == (task_id, 2)
        assert httpx.get(answer.oss_url).content == b"id,name\n1,one\n2,two\n"
        assert [each.status for each in told] == [pb.TASK_STATUS_COMPLETED] * 3

    def test_the_calls_of_one_connection_are_shared_by_the_replicas(self, two: Cluster) -> None:
        puts = open_exports(two.proxy, 2 * SLOTS)
        assert [two.a.running(), two.b.running()] == [SLOTS, SLOTS]
        assert [finish(put) for put in puts] == ["COMPLETED"] * len(puts)

    def test_an_export_that_waits_holds_back_nothing_else(self, two: Cluster) -> None:
        """The proxy has as much of it as it takes, and other calls of the connection go on."""
        puts = open_exports(two.proxy, 2 * SLOTS)
        waiting = HeldStream(Put.opened(two.proxy.client, filename="waiting.csv"))
        waiting.wait_until_held_back()
        assert two.proxy.actions.state(waiting.put.task_id) == "QUEUED"
        assert [finish(put) for put in puts] == ["COMPLETED"] * len(puts)
        waiting.wait_until_sent()
        assert finish(waiting.put) == "COMPLETED"

    def test_a_php_client_works(self, two: Cluster, tmp_path: Path) -> None:
        require_php()
        export = "told($client->export([['1', '订单']], 'a.csv', ['id', 'name']));"
        [result] = run_script(tmp_path, export, two.proxy.grpc)
        assert httpx.get(result["url"]).text == "id,name\n1,订单\n"


class TestOneRequestIdAtBothReplicas:
    def test_the_second_is_told_of_the_first_and_then_of_its_result(self, two: Cluster) -> None:
        put = Put.opened(two.a.client, request_id="monthly")
        with refused("ALREADY_EXISTS") as refusal:
            export(two.b.client, request_id="monthly")
        assert refusal.task_id == put.task_id
        assert finish(put) == "COMPLETED"
        assert export(two.b.client, request_id="monthly")["task_id"] == put.task_id

    def test_of_two_at_once_one_wins(self, two: Cluster) -> None:
        doors = [two.a, two.b] * 3
        together = threading.Barrier(len(doors))

        def task_id(door: Door) -> str:
            together.wait(20)
            try:
                return str(export(door.client, request_id="at once")["task_id"])
            except flight.FlightError as error:
                told = json.loads(error.extra_info)
                assert told["code"] == "ALREADY_EXISTS"
                return str(told["task_id"])

        with ThreadPoolExecutor(len(doors)) as pool:
            ids = set(pool.map(task_id, doors))
        assert len(ids) == 1
        assert two.proxy.actions.state(ids.pop()) == "COMPLETED"


class TestAnotherCluster:
    def test_in_the_same_directory_is_refused(self, two: Cluster) -> None:
        said = failed_launch(two.directory)
        assert f"kill {two.process.pid}" in said
        assert two.told()["pid"] == two.process.pid

    def test_on_the_same_port_is_refused(self, two: Cluster, tmp_path: Path) -> None:
        port = two.proxy.flight.rpartition(":")[2]
        assert f"--flight-port {port}" in failed_launch(tmp_path, "--flight-port", port)


class TestWhileItRuns:
    def test_the_other_replica_tells_how_far_it_is(self, two: Cluster) -> None:
        put = Put.opened(two.a.client, rows=40)
        put.send(10)
        task = wait_for(lambda: look(two.b, put, rows=10))
        assert (task["state"], task["progress"]) == ("PROCESSING", 25)
        put.send(30, start=10)
        assert put.result()["state"] == "COMPLETED"

    @pytest.mark.parametrize("waits", [False, True], ids=["running", "queued"])
    def test_cancelled_at_the_other_replica_its_call_ends(self, two: Cluster, waits: bool) -> None:
        before = open_exports(two.a, SLOTS if waits else 0)
        put = Put.opened(two.a.client)
        put.send(10)
        cancelled = two.b.actions.one("cancel", task_id=put.task_id)
        assert cancelled["state"] == "CANCELLED"
        with refused("CANCELLED") as refusal:
            put.answers()
        assert refusal.task_id == put.task_id
        assert two.a.actions.state(put.task_id) == "CANCELLED"
        assert [finish(each) for each in before] == ["COMPLETED"] * len(before)
        wait_for(lambda: not list(two.directory.glob(f"spool/*{put.task_id}*")))

    def test_cancelled_over_http_a_call_of_the_original_contract_ends(self, two: Cluster) -> None:
        ended = threading.Event()

        def messages() -> Iterator[pb.ExportRequest]:
            yield grpc_client.metadata()
            yield grpc_client.batch([("1", "one")])
            ended.wait(20)

        with grpc_client.Client(two.a.grpc) as client:
            call = client.begin(messages())
            task_id = grpc_client.task_id_of(call)
            answer = httpx.post(f"{two.b.http}/api/tasks/{task_id}/cancel", json={})
            assert answer.json()["state"] == "CANCELLED"
            ended.set()  # too late: the half-close commits nothing any more
            assert call.code() is grpc.StatusCode.CANCELLED


class TestReplicasThatGo:
    def test_one_that_drains_ends_its_exports_and_gets_no_new_ones(self, two: Cluster) -> None:
        puts = open_exports(two.proxy, 2)  # one each
        pid = two.kill("a", signal.SIGTERM)
        wait_for(lambda: two.ready() == {"b"})
        assert [export(two.proxy.client)["state"] for _ in range(4)] == ["COMPLETED"] * 4
        assert [finish(put) for put in puts] == ["COMPLETED"] * 2
        two.wait_for_another("a", pid)

    def test_one_that_is_killed_breaks_its_calls_and_no_others(self, two: Cluster) -> None:
        puts = open_exports(two.proxy, 2)  # one each
        pid = two.kill("a")
        # Before the proxy knows: what finds the dead replica goes on to the other one.
        assert [export(two.proxy.client)["state"] for _ in range(4)] == ["COMPLETED"] * 4
        ends = {finish_or_break(put): put.task_id for put in puts}
        assert set(ends) == {"COMPLETED", "broken"}

        lost = ends["broken"]
        wait_for(lambda: two.b.actions.state(lost) == "FAILED")
        task = two.b.actions.one("status", task_id=lost)
        assert task["error"]["code"] == "INTERRUPTED"
        wait_for(lambda: not list(two.directory.glob(f"spool/*{lost}*")))
        again = {"filename": task["filename"], "request_id": task["request_id"]}
        assert export(two.proxy.client, **again)["state"] == "COMPLETED"

        two.wait_for_another("a", pid)
        assert two.a.actions.state(lost) == "FAILED"


def open_exports(door: Door, count: int) -> list[Put]:
    """Exports that have begun, all over one connection."""
    return [Put.opened(door.client, filename=f"{number}.csv") for number in range(count)]


def look(door: Door, put: Put, rows: int) -> Json | None:
    """The task once it has so many rows."""
    task = door.actions.one("status", task_id=put.task_id)
    return task if task["rows"] == rows else None


def finish(put: Put) -> str:
    """The state in which an export ends."""
    put.send(3)
    put.commit()
    return str(put.result()["state"])


def finish_or_break(put: Put) -> str:
    try:
        return finish(put)
    except flight.FlightError as error:
        return "broken" if error.extra_info == b"" else error.extra_info.decode()

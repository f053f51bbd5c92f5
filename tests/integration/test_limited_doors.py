"""Each limit, over both doors: the client is told, the task says so later, and nothing is left."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pyarrow as pa
import pytest

from flight_server.transports import export_pb2 as pb
from tests.support.exports import Put, csv_of, export, refused
from tests.support.grpc_client import Client, batch, column, metadata, refusal_of, task_id_of
from tests.support.site import Running, Site, running
from tests.support.waiting import wait_for

LIMITS = (
    "limits.max_rows=100",
    "limits.max_columns=3",
    "limits.max_cell_bytes=1000",
    "limits.max_batch_bytes=4 MiB",
    "limits.max_bytes_in=50000",
    "limits.max_bytes_out=60000",
    # Whoever keeps its slot keeps the next export from being let in.
    "concurrency.max_concurrent_tasks=1",
    "concurrency.task_queue_size=0",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Site(tmp_path_factory.mktemp("site")), *LIMITS) as started:
        yield started


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    with Client(server.grpc) as made:
        yield made


@pytest.fixture(autouse=True)
def next_export_is_fine(server: Running) -> Iterator[None]:
    """The slot is free at once, and nothing is left but finished files."""
    yield
    result = export(server.client, 2)
    assert server.web.get(result["url"]).content == csv_of(2)
    assert server.site.spools() == []
    assert all(
        server.actions.state(name.partition("/")[0]) == "COMPLETED" for name in server.site.files()
    )


@dataclass(frozen=True)
class Case:
    """Rows that go beyond one limit, in one batch each."""

    batches: tuple[list[tuple[str, str]], ...]
    message: str


QUOTES = '"' * 500
CASES = {
    "rows": Case(
        ([("1", "a")] * 60, [("2", "b")] * 41), "limits.max_rows: 101 rows were sent; at most 100"
    ),
    "cell": Case(
        ([("1", "a")], [("2", "é" * 500), ("3", "é" * 501)]),
        "limits.max_cell_bytes: column 'name' has a cell of 1,002 bytes in row 3; at most 1,000",
    ),
    "batch": Case(([("1", "a" * 50_000)] * 99,), "limits.max_batch_bytes: a batch has 4,95"),
    "bytes in": Case(
        ([("1", "a" * 900)] * 30, [("2", "b" * 900)] * 30),
        "limits.max_bytes_in: the rows sent have 5",
    ),
    "bytes out": Case(([("1", QUOTES)] * 80,), "limits.max_bytes_out: the file would have 80,"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_over_flight(server: Running, case: Case) -> None:
    put = Put(server.client, {"filename": "a.csv"}, TEXTS)
    task_id = put.accepted()
    with refused("LIMIT_EXCEEDED", str(server.site.root)) as refusal:
        for rows in case.batches:
            put.send_batch(of(rows))
        put.commit()
        put.answers()
    assert refusal.message.startswith(case.message)
    assert refusal.task_id == task_id
    assert not refusal.retryable
    server.assert_failed(task_id, "LIMIT_EXCEEDED")
    assert server.actions.one("status", task_id=task_id)["error"]["message"] == refusal.message


TEXTS = pa.schema([("id", pa.string()), ("name", pa.string())])


def of(rows: list[tuple[str, str]]) -> pa.RecordBatch:
    ids, names = zip(*rows, strict=True)
    return pa.record_batch([list(ids), list(names)], schema=TEXTS)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_over_grpc(server: Running, client: Client, case: Case) -> None:
    call = client.begin(iter([metadata(), *map(batch, case.batches)]))
    with pytest.raises(grpc.RpcError) as caught:
        call.result()
    task_id = task_id_of(call)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith(f"LIMIT_EXCEEDED: {case.message}")
    trailing = dict(caught.value.trailing_metadata())
    assert (trailing["x-task-id"], trailing["x-retryable"]) == (task_id, "false")
    server.assert_failed(task_id, "LIMIT_EXCEEDED")
    status = client.status(task_id)
    assert (status.status, status.error_code) == (pb.TASK_STATUS_FAILED, "LIMIT_EXCEEDED")
    assert f"LIMIT_EXCEEDED: {status.error_message}" == caught.value.details()


class TestBeforeThereIsATask:
    def test_declared_rows(self, server: Running) -> None:
        before = server.actions.ids()
        with refused("LIMIT_EXCEEDED") as refusal:
            Put(server.client, {"filename": "a.csv", "rows": 101}).answers()
        assert refusal.message == "limits.max_rows: 101 rows are declared; at most 100"
        assert refusal.task_id is None
        assert server.actions.ids() == before

    def test_columns_that_are_asked_for(self, server: Running) -> None:
        before = server.actions.ids()
        columns = [{"value": "x", "header": str(place)} for place in range(4)]
        with refused("LIMIT_EXCEEDED") as refusal:
            Put(server.client, {"filename": "a.csv", "columns": columns}).answers()
        assert refusal.message == "limits.max_columns: 4 columns are asked for; at most 3"
        assert server.actions.ids() == before

    def test_columns_over_grpc_with_the_reason_at_once(
        self, server: Running, client: Client
    ) -> None:
        before = server.actions.ids()
        columns = [column(f"c{place}") for place in range(4)]
        call = client.begin(iter([metadata(*columns), batch([("1", "2", "3", "4")] * 50)]))
        expected = "LIMIT_EXCEEDED: limits.max_columns: 4 columns are asked for; at most 3"
        assert refusal_of(call) == expected
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.details() == expected
        assert "x-task-id" not in dict(caught.value.trailing_metadata())
        assert server.actions.ids() == before


def test_columns_of_a_stream_are_refused_before_a_batch_is_sent(server: Running) -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.struct([("c", pa.int8()), ("d", pa.int8())]))])
    put = Put(server.client, {"filename": "a.csv"}, schema)
    task_id = put.accepted()
    wait_for(lambda: server.actions.state(task_id) == "FAILED")
    with refused("LIMIT_EXCEEDED") as refusal:
        put.answers()
    assert refusal.message == (
        "limits.max_columns: the stream has 4 columns, with the fields of structs; at most 3"
    )
    server.assert_failed(task_id, "LIMIT_EXCEEDED")


def test_a_flight_client_that_sends_on_is_still_told(server: Running) -> None:
    put = Put(server.client, {"filename": "a.csv"})
    task_id = put.accepted()
    with refused("LIMIT_EXCEEDED"):
        try:
            for start in range(0, 100_000, 1000):
                put.send(1000, start)
        finally:
            put.answers()
    server.assert_failed(task_id, "LIMIT_EXCEEDED")


def test_a_grpc_client_that_sends_on_is_drained_and_told(server: Running, client: Client) -> None:
    many = batch([("1", "x" * 100)] * 1000)
    call = client.begin(iter([metadata(), *[many] * 100]))
    with pytest.raises(grpc.RpcError) as caught:
        call.result()
    assert "limits.max_rows: " in str(caught.value.details())
    server.assert_failed(task_id_of(call), "LIMIT_EXCEEDED")


def test_as_much_as_is_allowed_is_exported(server: Running, client: Client) -> None:
    put = Put(server.client, {"filename": "a.csv", "rows": 100})
    put.send(100)
    assert put.result()["rows"] == 100
    answer = client.export(metadata(), *[batch([("1", "x" * 100)] * 10)] * 10)
    assert answer.record_count == 100

"""The Python client against a real server."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from export_client import (
    AlreadyExists,
    Cancelled,
    ExportClient,
    IncompleteExport,
    InvalidRequest,
    Progress,
    TaskNotFound,
    Unavailable,
)
from tests.conftest import StartServer
from tests.support.exports import SCHEMA, Put, batch, csv_of, sheet_rows
from tests.support.site import Running
from tests.support.waiting import wait_for


@pytest.fixture
def client(server: Running) -> Iterator[ExportClient]:
    with ExportClient(server.flight, timeout=20) as connected:
        yield connected


TABLE = pa.Table.from_batches([batch(3)])


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        batch(3),
        pl.from_arrow(TABLE),
        [batch(1), batch(2, 1)],
    ],
    ids=["table", "batch", "polars", "batches"],
)
def test_anything_with_arrow_inside_is_exported(client: ExportClient, data: object) -> None:
    result = client.export(data, "orders.csv")
    assert (result.state, result.rows) == ("COMPLETED", 3)


def test_a_large_export_is_downloaded_and_verified(client: ExportClient, tmp_path: Path) -> None:
    reader = pa.RecordBatchReader.from_batches(SCHEMA, (batch(50_000, k) for k in (0, 50_000)))
    seen: list[Progress] = []
    result = client.export(reader, "orders.csv", rows=100_000, progress=seen.append)
    path = client.download(result, tmp_path)
    assert path.read_bytes() == csv_of(100_000)
    assert hashlib.sha256(csv_of(100_000)).hexdigest() == result.sha256
    assert seen[0].task_id == result.task_id


def test_a_workbook_with_options(client: ExportClient, tmp_path: Path) -> None:
    result = client.export(
        TABLE, "orders.xlsx", columns=["name"], sheet_name="订单", autofilter=True
    )
    rows = sheet_rows(client.download(result, tmp_path).read_bytes())
    assert rows == [["name"], ["name 0"], ["name 1"], ["name 2"]]


def test_no_rows_are_a_good_file(client: ExportClient, tmp_path: Path) -> None:
    result = client.export(SCHEMA.empty_table(), "orders.csv")
    assert client.download(result, tmp_path).read_bytes() == csv_of(0)


def test_a_source_that_raises_half_way_fails_the_export(
    server: Running, client: ExportClient
) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield batch(20_000)
        yield batch(20_000, 20_000)
        raise LookupError("the database went away")

    with pytest.raises(LookupError, match="the database went away"):
        client.export(rows(), "orders.csv", request_id="raises")
    task_id = client.status(request_id="raises").task_id
    server.assert_failed(task_id, "INCOMPLETE_STREAM")


def test_a_source_that_raises_after_as_many_rows_as_declared_fails_too(
    server: Running, client: ExportClient
) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield batch(3)
        raise LookupError("the last read failed")

    with pytest.raises(LookupError):
        client.export(rows(), "orders.csv", rows=3, request_id="raises late")
    task_id = client.status(request_id="raises late").task_id
    server.assert_failed(task_id, "INCOMPLETE_STREAM")


def test_without_waiting_the_file_comes_a_moment_later(client: ExportClient) -> None:
    result = client.export(TABLE, "orders.csv", wait=False)
    assert result.state == "UPLOADING"
    assert client.wait(result.task_id, timeout=20).url is not None


def test_a_repeated_request_is_the_same_export(client: ExportClient) -> None:
    first = client.export(TABLE, "orders.csv", request_id="twice")
    assert client.export(TABLE, "orders.csv", request_id="twice").task_id == first.task_id
    with pytest.raises(AlreadyExists) as raised:
        client.export(TABLE, "other.csv", request_id="twice")
    assert (raised.value.code, raised.value.task_id) == ("REQUEST_ID_CONFLICT", first.task_id)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"filename": "a/b.csv"}, "INVALID_DESCRIPTOR"),
        ({"filename": "a.xls"}, "INVALID_DESCRIPTOR"),
        ({"filename": "a.csv", "delimeter": ";"}, "INVALID_DESCRIPTOR"),
        ({"filename": "a.csv", "columns": ["absent"]}, "INVALID_SCHEMA"),
    ],
)
def test_a_refusal_has_its_code_and_no_retry(
    client: ExportClient, arguments: dict[str, object], code: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        client.export(TABLE, **arguments)
    assert (raised.value.code, raised.value.retryable) == (code, False)


def test_a_refusal_in_the_middle_of_much_data_is_told(client: ExportClient) -> None:
    batches = (batch(16_384, start) for start in range(0, 4_000_000, 16_384))
    with pytest.raises(InvalidRequest, match="absent"):
        client.export(batches, "a.csv", columns=["absent"])


def test_a_declared_number_of_rows_that_is_wrong_is_told(client: ExportClient) -> None:
    with pytest.raises(IncompleteExport) as raised:
        client.export(TABLE, "orders.csv", rows=4)
    assert raised.value.code == "ROW_COUNT_MISMATCH"


def test_cancelling_from_elsewhere_ends_the_export(client: ExportClient) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield batch(3)
        [task] = client.list(state="PROCESSING")
        client.cancel(task.task_id)
        yield batch(3, 3)

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield from rows()

    with pytest.raises((Cancelled, ValueError)):
        client.export(endless(), "orders.csv")


def test_a_progress_callback_that_raises_cancels_the_export(client: ExportClient) -> None:
    def stop(_progress: Progress) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        client.export(TABLE, "orders.csv", request_id="stopped", progress=stop)
    wait_for(lambda: client.status(request_id="stopped").state == "CANCELLED")


def test_questions(client: ExportClient) -> None:
    result = client.export(TABLE, "orders.csv")
    assert next(client.list(limit=1)).task_id == result.task_id
    assert client.url(result.task_id, 60).url.startswith("http://127.0.0.1:")
    assert client.health()["status"] == "ready"
    assert "csv" in client.formats()
    with pytest.raises(TaskNotFound):
        client.status("nobody")


def test_a_full_queue_can_be_retried(start_server: StartServer) -> None:
    server = start_server("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=1")
    puts = [Put.opened(server.client) for _ in range(2)]
    with ExportClient(server.flight) as client, pytest.raises(Unavailable) as raised:
        client.export(TABLE, "orders.csv")
    assert (raised.value.code, raised.value.retryable) == ("QUEUE_FULL", True)
    assert raised.value.retry_after == 5.0
    for put in puts:
        put.commit()
        put.answers()

"""Every format through every door: sent over Flight, downloaded by its link, read by others."""

import gzip
import io
import json
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pyarrow.json as pajson
import pyarrow.parquet as pq
import pytest

from benchmarks.flights import read_flights
from tests.support.exports import Put, refused
from tests.support.site import Running

ROWS = 30_000

Read = Callable[[bytes], pa.Table]


def read_lines(data: bytes) -> pa.Table:
    return pajson.read_json(io.BytesIO(data))


def read_arrow(data: bytes) -> pa.Table:
    return pa.ipc.open_file(data).read_all()


FILES: dict[str, tuple[str, Read]] = {
    "flights.ndjson": ("application/x-ndjson", read_lines),
    "flights.jsonl.gz": ("application/gzip", lambda data: read_lines(gzip.decompress(data))),
    "flights.parquet": (
        "application/vnd.apache.parquet",
        lambda data: pq.read_table(io.BytesIO(data)),
    ),
    "flights.arrow": ("application/vnd.apache.arrow.file", read_arrow),
    "flights.feather": (
        "application/vnd.apache.arrow.file",
        lambda data: pl.read_ipc(data).to_arrow(),
    ),
}


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    return read_flights().slice(100_000, ROWS)


@pytest.mark.parametrize(("filename", "expected"), FILES.items(), ids=FILES)
def test_the_flights_arrive_whole(
    server: Running, flights: pa.Table, filename: str, expected: tuple[str, Read]
) -> None:
    content_type, read = expected
    put = Put(server.client, {"filename": filename, "rows": ROWS}, flights.schema)
    for batch in flights.to_batches(max_chunksize=7_000):
        put.send_batch(batch)
    task = put.result()
    assert (task["state"], task["filename"], task["rows"]) == ("COMPLETED", filename, ROWS)
    assert (task["sheets"], task["warnings"]) == (None, [])
    answer = server.web.get(task["url"])
    assert answer.headers["content-type"] == content_type
    assert len(answer.content) == task["size_bytes"]
    found = read(answer.content)
    assert found.column_names == flights.column_names
    for name in flights.column_names:
        assert found[name].cast(flights[name].type).equals(flights[name]), name


@pytest.mark.parametrize("filename", ["a.ndjson", "a.parquet", "a.arrow"])
def test_columns_and_options_are_those_of_the_command(server: Running, filename: str) -> None:
    columns = [{"name": "name", "header": "Name"}, {"name": "id", "type": "string"}]
    put = Put.opened(server.client, filename=filename, columns=columns)
    put.send(2)
    put.commit(2)
    data = server.web.get(put.result()["url"]).content
    if filename.endswith("ndjson"):
        rows = [json.loads(line) for line in data.splitlines()]
    else:
        read = read_arrow if filename.endswith("arrow") else FILES["flights.parquet"][1]
        rows = read(data).to_pylist()
    assert rows == [{"Name": "name 0", "id": "0"}, {"Name": "name 1", "id": "1"}]


@pytest.mark.parametrize("filename", ["a.ndjson", "a.parquet", "a.arrow"])
def test_an_option_of_another_format_is_refused(server: Running, filename: str) -> None:
    with refused("INVALID_DESCRIPTOR") as refusal:
        Put(server.client, {"filename": filename, "options": {"delimiter": ";"}}).answers()
    assert "has no such option" in refusal.message


@pytest.mark.parametrize("filename", ["a.ndjson", "a.parquet", "a.arrow"])
def test_a_format_of_a_column_is_refused(server: Running, filename: str) -> None:
    columns = [{"name": "id", "format": "0.00"}]
    with refused("INVALID_DESCRIPTOR") as refusal:
        Put(server.client, {"filename": filename, "columns": columns}).answers()
    assert "means nothing in this format" in refusal.message


@pytest.mark.parametrize("filename", ["a.ndjson", "a.parquet", "a.arrow"])
def test_a_client_that_drops_its_stream_leaves_no_file(server: Running, filename: str) -> None:
    put = Put.opened(server.client, filename=filename)
    put.send(100_000)
    server.wait_for_rows(put.task_id, 100_000)
    put.drop()
    server.assert_failed(put.task_id, "INCOMPLETE_STREAM")


def test_numbers_that_json_lacks_are_told_with_the_task(server: Running) -> None:
    batch = pa.record_batch({"x": [float("nan"), 1.0, float("inf")]})
    put = Put(server.client, {"filename": "a.jsonl"}, batch.schema)
    put.send_batch(batch)
    put.commit(3)
    [warning] = put.result()["warnings"]
    assert (warning["code"], warning["count"]) == ("NON_FINITE_NULL", 2)

"""What no Arrow library sends: streams made by hand, over plain gRPC."""

import grpc
import pyarrow as pa
import pytest

from tests.support import wire
from tests.support.exports import SCHEMA, batch, csv_of, export
from tests.support.site import Running
from tests.support.waiting import wait_for

GOOD = batch(2)
OTHER = pa.record_batch({"a": ["q"]})
WIDER = pa.record_batch({"a": [1.5], "b": [1.0], "c": ["x"]})


def strings(offsets: list[int], data: bytes) -> pa.RecordBatch:
    """A batch of `SCHEMA` whose texts have the offsets and bytes given, right or wrong."""
    buffers = [None, pa.array(offsets, pa.int32()).buffers()[1], pa.py_buffer(data)]
    texts = pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
    ids = pa.array(range(len(texts)), pa.int64())
    return pa.RecordBatch.from_arrays([ids, texts], schema=SCHEMA)


def opening(filename: str = "raw.csv", **command: object) -> bytes:
    return wire.opening(SCHEMA, filename=filename, **command)


def test_a_hand_made_stream_is_an_export_like_any_other(server: Running) -> None:
    answers = wire.put(server.flight, [opening(), wire.batch_message(GOOD), wire.commit()])
    assert isinstance(answers, list)
    assert [each["type"] for each in answers] == ["accepted", "result"]
    assert server.web.get(str(answers[-1]["url"])).content == csv_of(2)


BAD_STREAMS = {
    "a second schema": [
        wire.batch_message(GOOD),
        wire.message(header=wire.header_of(OTHER.schema)),
        wire.batch_message(OTHER),
    ],
    "a batch of fewer columns": [wire.batch_message(OTHER)],
    "a batch of more columns": [wire.batch_message(WIDER)],
    "a batch cut short": [
        wire.message(header=wire.header_of(GOOD), body=wire.body_of(GOOD)[:16]),
    ],
    "a batch without its body": [wire.message(header=wire.header_of(GOOD))],
    "half a header": [wire.message(header=wire.header_of(GOOD)[:20], body=wire.body_of(GOOD))],
    "no flatbuffer": [wire.message(header=b"garbage!" * 20, body=wire.body_of(GOOD))],
    "offsets out of bounds": [wire.batch_message(strings([0, 2**30, 1], b"xy"))],
    "offsets backwards": [wire.batch_message(strings([0, 2, 1], b"xy"))],
    "text that is not UTF-8": [wire.batch_message(strings([0, 1, 2], b"\xff\xfe"))],
}


FILENAMES = ["raw.csv", "raw.xlsx", "raw.ndjson", "raw.parquet", "raw.arrow"]


@pytest.mark.parametrize("filename", FILENAMES)
@pytest.mark.parametrize("messages", BAD_STREAMS.values(), ids=BAD_STREAMS)
def test_bytes_that_are_no_batch_of_the_schema_are_invalid_data(
    server: Running, messages: list[bytes], filename: str
) -> None:
    answer = wire.put(server.flight, [opening(filename), *messages, wire.commit()])
    assert_refused(server, answer, "INVALID_DATA")
    assert server.web.get(export(server.client, 2)["url"]).content == csv_of(2)


def test_broken_bytes_do_not_count_as_the_end_of_as_many_rows_as_declared(server: Running) -> None:
    cut = wire.message(header=wire.header_of(GOOD), body=wire.body_of(GOOD)[:16])
    assert_refused(server, wire.put(server.flight, [opening(rows=0), cut]), "INVALID_DATA")
    messages = [opening(rows=2), wire.batch_message(GOOD), cut]
    assert_refused(server, wire.put(server.flight, messages), "INVALID_DATA")


@pytest.mark.parametrize("rest", [[], [wire.commit()], [wire.batch_message(GOOD)]])
def test_a_stream_without_a_schema_fails_at_once(server: Running, rest: list[bytes]) -> None:
    first = wire.message(descriptor=wire.descriptor(filename="raw.csv"))
    assert_refused(server, wire.put(server.flight, [first, *rest]), "INVALID_SCHEMA")


def test_a_message_that_is_no_protobuf_ends_the_stream_without_commit(server: Running) -> None:
    messages = [opening(), wire.batch_message(GOOD), b"\xff" * 9]
    assert_refused(server, wire.put(server.flight, messages), "INCOMPLETE_STREAM")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [wire.message(header=wire.header_of(SCHEMA))],
        [wire.message(descriptor=wire.descriptor(filename="raw.csv"), header=b"garbage!")],
    ],
    ids=["nothing", "no descriptor", "garbage for a schema"],
)
def test_a_call_that_is_no_export_leaves_no_task(server: Running, messages: list[bytes]) -> None:
    """Flight itself answers these, before our code is asked."""
    before = server.actions.ids()
    answer = wire.put(server.flight, messages)
    assert isinstance(answer, wire.Refused)
    assert "Traceback" not in answer.details
    assert server.actions.ids() == before


def test_a_call_that_passes_its_deadline_is_an_incomplete_stream(server: Running) -> None:
    before = set(server.actions.ids(limit=1000))
    put = wire.OpenPut(server.flight, [opening(), wire.batch_message(GOOD)], deadline=0.3)
    assert put.ended() is grpc.StatusCode.DEADLINE_EXCEEDED
    [task_id] = wait_for(lambda: set(server.actions.ids(state="FAILED")) - before)
    server.assert_failed(task_id, "INCOMPLETE_STREAM")


def test_a_call_that_is_cancelled_is_an_incomplete_stream(server: Running) -> None:
    put = wire.OpenPut(server.flight, [opening(), wire.batch_message(GOOD)], deadline=30)
    task_id = str(put.first_answer()["task_id"])
    put.cancel()
    assert put.ended() is grpc.StatusCode.CANCELLED
    server.assert_failed(task_id, "INCOMPLETE_STREAM")


def test_a_client_that_reads_nothing_does_not_stop_its_export(server: Running) -> None:
    """Twenty thousand rows in single batches, and not one answer read before the end."""
    rows = [wire.batch_message(batch(1, number)) for number in range(20_000)]
    answers = wire.put(server.flight, [opening(), *rows, wire.commit()])
    assert isinstance(answers, list)
    assert answers[-1]["rows"] == 20_000


def assert_refused(server: Running, answer: object, code: str) -> None:
    assert isinstance(answer, wire.Refused), answer
    assert answer.details.startswith(f"{code}: {answer.info['message']}")
    assert len(answer.details) < 512
    assert "Traceback" not in answer.details
    assert str(server.site.root) not in answer.details
    assert answer.info["code"] == code
    server.assert_failed(str(answer.info["task_id"]), code)

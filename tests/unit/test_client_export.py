"""`ExportClient.export` against a scripted Flight server."""

import json
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.flight as fl
import pytest

import export_client
from export_client import (
    AlreadyExists,
    Cancelled,
    ConnectionFailed,
    ExportClient,
    ExportError,
    IncompleteExport,
    InvalidRequest,
    Progress,
    Unauthorized,
    Unavailable,
)
from tests.support.waiting import wait_for

DONE = {"type": "result", "task_id": "t1", "state": "COMPLETED", "rows": 0, "url": "https://x/f"}


@dataclass
class Call:
    """What the server saw of one `do_put`."""

    command: dict[str, Any]
    reader: Any
    writer: Any
    batches: list[pa.RecordBatch] = field(default_factory=list)
    commit: dict[str, Any] | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def say(self, **answer: Any) -> None:
        self.writer.write(json.dumps(answer).encode())

    def accept(self, state: str = "PROCESSING") -> None:
        self.say(type="accepted", task_id="t1", state=state)

    def read(self) -> None:
        for chunk in self.reader:
            if chunk.data is not None:
                self.batches.append(chunk.data)
            elif chunk.app_metadata is not None:
                self.commit = json.loads(chunk.app_metadata.to_pybytes())

    @property
    def rows(self) -> int:
        return sum(batch.num_rows for batch in self.batches)


def refusal(code: str, kind: type[fl.FlightError] = fl.FlightServerError) -> fl.FlightError:
    info = {"code": code, "message": "it is so", "task_id": "t1", "retryable": False}
    return kind(f"{code}: it is so", json.dumps(info).encode())


def well_behaved(call: Call) -> None:
    call.accept()
    call.read()
    if call.commit is None:
        raise refusal("INCOMPLETE_STREAM")
    call.say(**DONE | {"rows": call.rows})


class ScriptedServer(fl.FlightServerBase):
    def __init__(self) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.script: Callable[[Call], None] = well_behaved
        self.calls: list[Call] = []
        self.asked: list[tuple[str, Any]] = []
        self.cancelled = threading.Event()
        self.task: dict[str, Any] = dict(DONE)

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        call = Call(json.loads(descriptor.command), reader, writer)
        self.calls.append(call)
        try:
            self.script(call)
        finally:
            call.ended.set()

    def do_action(self, context: Any, action: Any) -> list[bytes]:
        self.asked.append((action.type, json.loads(action.body.to_pybytes())))
        if action.type == "cancel":
            self.cancelled.set()
        return [json.dumps(self.task).encode()]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ExportClient]:
    with ExportClient(f"grpc://127.0.0.1:{server.port}") as connected:
        yield connected


def batch(rows: int = 3, start: int = 0) -> pa.RecordBatch:
    return pa.record_batch({"id": pa.array(range(start, start + rows), pa.int64())})


def test_the_public_names_are_sorted_and_exist() -> None:
    assert list(export_client.__all__) == sorted(export_client.__all__)
    assert all(hasattr(export_client, name) for name in export_client.__all__)


def test_a_table_arrives_whole_and_committed(client: ExportClient, server: ScriptedServer) -> None:
    table = pa.table({"id": range(40_000), "name": ["n"] * 40_000})
    task = client.export(table, "orders.csv")
    (call,) = server.calls
    assert task.state == "COMPLETED"
    assert task.rows == 40_000
    assert pa.Table.from_batches(call.batches) == table
    assert call.commit == {"commit": True, "rows": 40_000}
    assert call.command == {"filename": "orders.csv"}


def test_every_argument_reaches_the_descriptor(
    client: ExportClient, server: ScriptedServer
) -> None:
    client.export(
        batch(3),
        "订单.dat",
        format="xlsx",
        request_id="r-1",
        rows=3,
        columns=[
            "id",
            {"name": "id", "header": "masked", "mask": "last4"},
            {"header": "No.", "row_number": True},
        ],
        options={"sheet_name": "S"},
        wait=False,
        freeze_header=True,
    )
    assert server.calls[0].command == {
        "filename": "订单.dat",
        "format": "xlsx",
        "request_id": "r-1",
        "rows": 3,
        "columns": [
            {"name": "id"},
            {"name": "id", "header": "masked", "mask": "last4"},
            {"header": "No.", "row_number": True},
        ],
        "options": {"sheet_name": "S", "freeze_header": True},
        "wait": False,
    }


def test_an_option_given_twice_is_refused(client: ExportClient, server: ScriptedServer) -> None:
    with pytest.raises(TypeError, match="option 'delimiter' is given twice"):
        client.export(batch(), "a.csv", options={"delimiter": ";"}, delimiter=",")
    assert server.calls == []


def test_a_generator_of_batches_is_exported(client: ExportClient, server: ScriptedServer) -> None:
    task = client.export((batch(10, start) for start in range(0, 100, 10)), "a.csv")
    assert task.rows == 100
    assert server.calls[0].batches[9]["id"][0].as_py() == 90


def test_a_table_without_rows_is_exported(client: ExportClient, server: ScriptedServer) -> None:
    assert client.export(batch(0), "a.csv", rows=0).state == "COMPLETED"
    assert server.calls[0].commit == {"commit": True, "rows": 0}


def test_a_polars_frame_costs_its_own_size_on_the_wire(
    client: ExportClient, server: ScriptedServer
) -> None:
    """String views of a slice would carry the data of the whole frame in every block."""
    frame = pl.DataFrame({"text": [f"a text that is no inline view {i}" for i in range(50_000)]})
    client.export(frame, "a.csv")
    (call,) = server.calls
    assert call.rows == 50_000
    assert sum(part.nbytes for part in call.batches) < 2 * frame.estimated_size()


class SourceError(Exception):
    pass


def failing(batches: list[pa.RecordBatch], error: BaseException) -> Iterator[pa.RecordBatch]:
    yield from batches
    raise error


@pytest.mark.parametrize("kind", [SourceError, KeyError, OSError, KeyboardInterrupt])
def test_a_source_that_raises_ends_the_export_without_a_commit(
    client: ExportClient, server: ScriptedServer, kind: type[BaseException]
) -> None:
    error = kind("mine")
    with pytest.raises(kind) as caught:
        client.export(failing([batch(), batch()], error), "a.csv")
    (call,) = server.calls
    assert caught.value is error
    assert call.ended.is_set()
    assert call.commit is None


def test_a_reader_passes_the_exception_of_its_generator_unchanged(
    client: ExportClient, server: ScriptedServer
) -> None:
    error = SourceError("mine")
    reader = pa.RecordBatchReader.from_batches(batch().schema, failing([batch()], error))
    with pytest.raises(SourceError) as caught:
        client.export(reader, "a.csv")
    assert caught.value is error


@pytest.mark.parametrize("declared", [3, 6])
def test_a_source_that_raises_never_leaves_exactly_the_declared_rows(
    client: ExportClient, server: ScriptedServer, declared: int
) -> None:
    """A stream of exactly the declared rows would count as committed."""
    with pytest.raises((SourceError, IncompleteExport)):
        client.export(failing([batch(3), batch(3)], SourceError()), "a.csv", rows=declared)
    assert server.calls[0].rows < declared


def test_a_source_that_raises_before_its_first_row_starts_no_export(
    client: ExportClient, server: ScriptedServer
) -> None:
    reader = pa.RecordBatchReader.from_batches(batch().schema, failing([], SourceError()))
    with pytest.raises(SourceError):
        client.export(reader, "a.csv", rows=0)
    assert server.calls == []


@pytest.mark.parametrize("declared", [5, 7])
def test_another_number_of_rows_than_declared_is_never_committed(
    client: ExportClient, server: ScriptedServer, declared: int
) -> None:
    with pytest.raises(IncompleteExport, match=rf"ROW_COUNT_MISMATCH: rows={declared} ") as caught:
        client.export(iter([batch(3), batch(3)]), "a.csv", rows=declared)
    assert caught.value.retryable
    assert server.calls[0].commit is None


@pytest.mark.parametrize(
    ("code", "kind", "raised"),
    [
        ("INVALID_DESCRIPTOR", fl.FlightServerError, InvalidRequest),
        ("ALREADY_EXISTS", fl.FlightServerError, AlreadyExists),
        ("UNAUTHENTICATED", fl.FlightUnauthenticatedError, Unauthorized),
        ("QUEUE_FULL", fl.FlightUnavailableError, Unavailable),
        ("QUEUE_TIMEOUT", fl.FlightTimedOutError, Unavailable),
        ("INTERNAL", fl.FlightInternalError, ExportError),
        ("A_CODE_OF_TOMORROW", fl.FlightServerError, ExportError),
    ],
)
def test_a_refusal_is_the_servers_error(
    client: ExportClient,
    server: ScriptedServer,
    code: str,
    kind: type[fl.FlightError],
    raised: type[ExportError],
) -> None:
    def refuse(call: Call) -> None:
        raise refusal(code, kind)

    server.script = refuse
    with pytest.raises(ExportError) as caught:
        client.export((batch(16_384) for _ in range(50)), "a.csv")
    assert type(caught.value) is raised
    assert str(caught.value) == f"{code}: it is so"
    assert caught.value.task_id == "t1"


def test_an_error_in_mid_stream_is_the_servers_error_not_a_broken_pipe(
    client: ExportClient, server: ScriptedServer
) -> None:
    def fail(call: Call) -> None:
        call.accept()
        next(call.reader)
        raise refusal("INVALID_DATA")

    server.script = fail
    with pytest.raises(InvalidRequest, match=r"^INVALID_DATA: it is so$"):
        client.export((batch(16_384) for _ in range(1000)), "a.csv")


def test_a_task_that_ends_failed_is_raised(client: ExportClient, server: ScriptedServer) -> None:
    def fail(call: Call) -> None:
        call.accept()
        call.read()
        error = {"code": "UPLOAD_ERROR", "message": "no bucket", "retryable": True}
        call.say(**DONE | {"state": "FAILED", "error": error})

    server.script = fail
    with pytest.raises(Unavailable, match="no bucket") as caught:
        client.export(batch(), "a.csv")
    assert caught.value.retryable
    assert caught.value.task_id == "t1"


def test_a_replay_returns_the_finished_task_and_sends_nothing(
    client: ExportClient, server: ScriptedServer
) -> None:
    server.script = lambda call: call.say(**DONE | {"rows": 7})
    pulled = []

    def source() -> Iterator[pa.RecordBatch]:
        for start in range(1000):
            pulled.append(start)
            yield batch(16_384)

    for _ in range(20):  # pyarrow loses answers now and then when a write meets an ended call
        pulled.clear()
        assert client.export(source(), "a.csv", request_id="r").rows == 7
        assert pulled == [0]
    assert server.asked == []


def test_a_result_that_was_lost_is_asked_for(client: ExportClient, server: ScriptedServer) -> None:
    """A call that ends well without its result: the task is what the server says it is."""
    server.script = lambda call: call.accept()
    server.task = DONE | {"rows": 9}
    assert client.export(batch(), "a.csv").rows == 9
    assert server.asked == [("status", {"task_id": "t1"})]


def test_an_end_while_the_task_still_runs_is_an_error_that_names_it(
    client: ExportClient, server: ScriptedServer
) -> None:
    server.script = lambda call: call.accept()
    server.task = DONE | {"state": "UPLOADING"}
    with pytest.raises(Unavailable, match="UPLOADING") as caught:
        client.export(batch(), "a.csv")
    assert caught.value.task_id == "t1"


def test_progress_is_told_in_order_from_another_thread(
    client: ExportClient, server: ScriptedServer
) -> None:
    def script(call: Call) -> None:
        call.accept("QUEUED")
        call.say(type="progress", task_id="t1", rows=1, bytes=10)
        call.say(type="something-new", task_id="t1")
        well_behaved(call)

    server.script = script
    seen: list[Progress] = []
    threads = set()

    def progress(step: Progress) -> None:
        seen.append(step)
        threads.add(threading.current_thread())

    client.export(batch(), "a.csv", progress=progress)
    assert seen[:2] == [Progress("t1", "QUEUED"), Progress("t1", "PROCESSING", 1, 10)]
    assert threading.current_thread() not in threads


def test_many_progress_messages_do_not_stop_the_stream(
    client: ExportClient, server: ScriptedServer
) -> None:
    """A stream with about 4 MB of unread PutResults stops dead."""

    def script(call: Call) -> None:
        call.accept()
        for rows in range(300):
            call.say(type="progress", task_id="t1", rows=rows, bytes=0, padding="x" * 32_768)
        well_behaved(call)

    server.script = script
    assert client.export((batch(16_384) for _ in range(100)), "a.csv").rows == 1_638_400


def calls_of(thread: int) -> set[str]:
    """The functions that a thread is in."""
    return {frame.name for frame in traceback.extract_stack(sys._current_frames()[thread])}


def queued(position: int) -> dict[str, Any]:
    return {"type": "progress", "task_id": "t1", "state": "QUEUED", "position": position}


def test_the_place_in_line_and_the_rate_are_told(
    client: ExportClient, server: ScriptedServer
) -> None:
    def script(call: Call) -> None:
        call.say(**queued(2) | {"type": "accepted"})
        call.say(**queued(1))
        figures = {"rows": 5, "bytes": 6, "rows_per_second": 7.5, "eta_seconds": 8.5}
        call.say(type="progress", task_id="t1", state="PROCESSING", **figures)
        well_behaved(call)

    server.script = script
    seen: list[Progress] = []
    client.export(batch(), "a.csv", progress=seen.append)
    assert seen[:3] == [
        Progress("t1", "QUEUED", position=2),
        Progress("t1", "QUEUED", position=1),
        Progress("t1", "PROCESSING", 5, 6, rows_per_second=7.5, eta_seconds=8.5),
    ]


def test_an_interrupt_while_the_export_waits_in_line_is_heeded_at_once(
    client: ExportClient, server: ScriptedServer
) -> None:
    """Neither is more than the first block asked for, nor waits a write for the server."""
    pulled = []

    def source() -> Iterator[pa.RecordBatch]:
        for start in range(1000):
            pulled.append(start)
            yield batch(16_384)

    def script(call: Call) -> None:
        call.say(**queued(2) | {"type": "accepted"})
        assert server.cancelled.wait(10)
        raise refusal("CANCELLED", fl.FlightCancelledError)

    def interrupt(step: Progress) -> None:
        wait_for(lambda: "wait_for_turn" in calls_of(main))
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.get_ident()

    server.script = script
    with pytest.raises(KeyboardInterrupt):
        client.export(source(), "a.csv", progress=interrupt)
    assert server.asked == [("cancel", {"task_id": "t1"})]
    assert server.calls[0].ended.wait(10)
    assert pulled == [0]


def test_a_refusal_while_the_export_waits_in_line_is_the_servers_error(
    client: ExportClient, server: ScriptedServer
) -> None:
    def script(call: Call) -> None:
        call.say(**queued(1) | {"type": "accepted"})
        raise refusal("QUEUE_TIMEOUT", fl.FlightTimedOutError)

    server.script = script
    with pytest.raises(Unavailable, match="QUEUE_TIMEOUT"):
        client.export((batch(16_384) for _ in range(1000)), "a.csv")
    assert server.asked == []


def test_a_callback_that_raises_cancels_the_export_and_is_raised(
    client: ExportClient, server: ScriptedServer
) -> None:
    """The server reads nothing: only its `cancel` can wake the blocked write."""

    def script(call: Call) -> None:
        call.accept("QUEUED")
        assert server.cancelled.wait(10)
        raise refusal("CANCELLED", fl.FlightCancelledError)

    def progress(step: Progress) -> None:
        raise error

    error = SourceError("in the callback")
    server.script = script
    with pytest.raises(SourceError) as caught:
        client.export((batch(16_384) for _ in range(1000)), "a.csv", progress=progress)
    assert caught.value is error
    assert server.asked == [("cancel", {"task_id": "t1"})]
    assert server.calls[0].commit is None


def test_a_callback_that_raises_after_the_commit_cancels_too(
    client: ExportClient, server: ScriptedServer
) -> None:
    def script(call: Call) -> None:
        call.accept()
        call.read()
        call.say(type="progress", task_id="t1", rows=3, bytes=1)
        assert server.cancelled.wait(10)
        raise refusal("CANCELLED", fl.FlightCancelledError)

    def progress(step: Progress) -> None:
        if step.rows:
            raise SourceError

    server.script = script
    with pytest.raises(SourceError):
        client.export(batch(), "a.csv", progress=progress)
    assert server.calls[0].commit is not None


def test_a_cancelled_export_is_its_own_error(client: ExportClient, server: ScriptedServer) -> None:
    def script(call: Call) -> None:
        call.accept()
        raise refusal("CANCELLED", fl.FlightCancelledError)

    server.script = script
    with pytest.raises(Cancelled):
        client.export(batch(), "a.csv")


def test_huge_batches_become_many_messages(client: ExportClient, server: ScriptedServer) -> None:
    wide = pa.record_batch({"text": ["x" * 10_000] * 5_000})
    client.export(wide, "a.csv")
    parts = server.calls[0].batches
    assert sum(part.num_rows for part in parts) == 5_000
    assert max(pa.ipc.get_record_batch_size(part) for part in parts) <= 4 * 1024 * 1024


def test_an_unreachable_server_is_named_with_the_likely_cause() -> None:
    with (
        ExportClient("grpc://127.0.0.1:1") as client,
        pytest.raises(
            ConnectionFailed, match=r"grpc://127\.0\.0\.1:1: connection refused"
        ) as caught,
    ):
        client.export(batch(), "a.csv")
    assert caught.value.retryable
    assert "context" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8815", "http://localhost", "", "grpc://h:99999"])
def test_an_address_of_no_flight_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="write grpc://host:port"):
        ExportClient(url)


def test_the_token_is_sent_as_a_bearer_token() -> None:
    seen: list[Any] = []

    class Headers(fl.ServerMiddlewareFactory):  # type: ignore[misc]
        def start_call(self, info: Any, headers: dict[str, list[str]]) -> None:
            seen.append(headers["authorization"])

    with (
        fl.FlightServerBase("grpc://127.0.0.1:0", middleware={"headers": Headers()}) as server,
        ExportClient(f"grpc://127.0.0.1:{server.port}", token="secret") as client,
        pytest.raises(ExportError, match="is it an export server of this version"),
    ):
        client.health()
    assert seen == [["Bearer secret"]]

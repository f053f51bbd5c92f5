"""Questions about exports, and downloads, against a small Flight server."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from export_client import (
    ConnectionFailed,
    DownloadFailed,
    ExportClient,
    ExportError,
    Failure,
    InvalidRequest,
    Task,
    TaskNotFound,
    TaskWarning,
    TimedOut,
)

CONTENT = b"PK" + bytes(range(256)) * 4_000
TASK: dict[str, Any] = {
    "task_id": "t1",
    "request_id": "r1",
    "client": "anonymous",
    "state": "COMPLETED",
    "format": "xlsx",
    "filename": "orders.xlsx",
    "rows": 5,
    "bytes": len(CONTENT),
    "progress": 100.0,
    "position": None,
    "rows_per_second": None,
    "eta_seconds": None,
    "url": "https://files.example/t1",
    "url_expires_at": "2026-07-08T00:00:00Z",
    "size_bytes": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "sheets": 1,
    "warnings": [{"code": "NAN", "message": "empty cells", "count": 2}],
    "error": None,
    "created_at": "2026-07-01T00:00:00.250Z",
    "started_at": "2026-07-01T00:00:01Z",
    "completed_at": "2026-07-01T00:00:02Z",
    "field_of_tomorrow": {},
}


class TaskServer(fl.FlightServerBase):
    """Answers questions about `tasks`, newest first, and serves `content`."""

    def __init__(self) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.tasks: list[dict[str, Any]] = [TASK]
        self.states: list[str] = []
        self.content = CONTENT
        self.breaks = False
        self.asked: list[tuple[str, Any]] = []

    def do_action(self, context: Any, action: Any) -> list[bytes]:
        body = json.loads(action.body.to_pybytes())
        self.asked.append((action.type, body))
        answers = getattr(self, f"answer_{action.type}")(body)
        return [json.dumps(answer).encode() for answer in answers]

    def answer_status(self, body: dict[str, Any]) -> list[Any]:
        key, value = next(iter(body.items()))
        for task in self.tasks:
            if task[key] == value:
                return [task | ({"state": self.states.pop(0)} if self.states else {})]
        info = {"code": "TASK_NOT_FOUND", "message": f"no task {value}", "retryable": False}
        raise fl.FlightServerError("TASK_NOT_FOUND", json.dumps(info))

    def answer_list(self, body: dict[str, Any]) -> list[Any]:
        ids = [task["task_id"] for task in self.tasks]
        start = ids.index(body["after"]) + 1 if "after" in body else 0
        return self.tasks[start : start + body["limit"]]

    def answer_cancel(self, body: dict[str, Any]) -> list[Any]:
        return [TASK | {"state": "CANCELLED"}]

    def answer_url(self, body: dict[str, Any]) -> list[Any]:
        return [{"url": "https://files.example/new", "url_expires_at": "2026-07-02T00:00:00Z"}]

    def answer_formats(self, body: dict[str, Any]) -> list[Any]:
        return [{"formats": [{"name": "csv"}]}]

    def answer_health(self, body: dict[str, Any]) -> list[Any]:
        return []

    def get_flight_info(self, context: Any, descriptor: Any) -> Any:
        places = ["https://files.example/t1"]
        endpoint = fl.FlightEndpoint(b"ticket:" + descriptor.path[0], places)
        return fl.FlightInfo(pa.schema([("data", pa.binary())]), descriptor, [endpoint], 1, -1)

    def do_get(self, context: Any, ticket: Any) -> Any:
        assert ticket.ticket == b"ticket:t1"
        return fl.GeneratorStream(pa.schema([("data", pa.binary())]), self.parts())

    def parts(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(self.content), 100_000):
            part = self.content[start : start + 100_000]
            yield pa.record_batch({"data": pa.array([part[:10], part[10:]], pa.binary())})
            if self.breaks:
                raise fl.FlightUnavailableError("gone", b'{"code":"INTERRUPTED"}')


@pytest.fixture
def server() -> Iterator[TaskServer]:
    with TaskServer() as running:
        yield running


@pytest.fixture
def client(server: TaskServer) -> Iterator[ExportClient]:
    with ExportClient(f"grpc://127.0.0.1:{server.port}", timeout=30) as connected:
        yield connected


def test_a_task_has_every_field_of_the_protocol(client: ExportClient) -> None:
    assert client.status("t1") == Task(
        task_id="t1",
        request_id="r1",
        client="anonymous",
        state="COMPLETED",
        format="xlsx",
        filename="orders.xlsx",
        rows=5,
        bytes=len(CONTENT),
        progress=100.0,
        eta_seconds=None,
        url="https://files.example/t1",
        url_expires_at=datetime(2026, 7, 8, tzinfo=UTC),
        size_bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        sheets=1,
        warnings=(TaskWarning("NAN", "empty cells", 2),),
        error=None,
        created_at=datetime(2026, 7, 1, microsecond=250_000, tzinfo=UTC),
        started_at=datetime(2026, 7, 1, 0, 0, 1, tzinfo=UTC),
        completed_at=datetime(2026, 7, 1, 0, 0, 2, tzinfo=UTC),
    )


def test_a_task_that_is_not_finished_has_its_place_in_line_and_its_rate(
    client: ExportClient, server: TaskServer
) -> None:
    server.tasks = [TASK | {"position": 3, "rows_per_second": 1.5, "eta_seconds": 2.5}]
    task = client.status("t1")
    assert (task.position, task.rows_per_second, task.eta_seconds) == (3, 1.5, 2.5)


def test_the_status_of_a_failed_task_is_a_value(client: ExportClient, server: TaskServer) -> None:
    error = {"code": "INVALID_DATA", "message": "bad", "retryable": False}
    server.tasks = [TASK | {"state": "FAILED", "error": error}]
    task = client.status(request_id="r1")
    assert task.finished
    assert task.error == Failure("INVALID_DATA", "bad", False)


def test_an_unknown_task_is_not_found(client: ExportClient) -> None:
    with pytest.raises(TaskNotFound, match="no task t9"):
        client.status("t9")


@pytest.mark.parametrize("ids", [{}, {"task_id": "t1", "request_id": "r1"}])
def test_status_needs_one_id(client: ExportClient, ids: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="either task_id or request_id"):
        client.status(**ids)


@pytest.mark.parametrize(("limit", "expected"), [(None, 250), (120, 120), (100, 100), (0, 0)])
def test_tasks_are_listed_page_by_page(
    client: ExportClient, server: TaskServer, limit: int | None, expected: int
) -> None:
    server.tasks = [TASK | {"task_id": f"t{number}"} for number in range(250)]
    listed = [task.task_id for task in client.list(limit=limit)]
    assert listed == [f"t{number}" for number in range(expected)]


def test_a_list_passes_its_filter_on(client: ExportClient, server: TaskServer) -> None:
    assert [*client.list(state="FAILED", after="t1", limit=3)] == []
    assert server.asked == [("list", {"state": "FAILED", "limit": 3, "after": "t1"})]


def test_cancel_returns_the_task(client: ExportClient, server: TaskServer) -> None:
    assert client.cancel("t1").state == "CANCELLED"
    assert server.asked == [("cancel", {"task_id": "t1"})]


@pytest.mark.parametrize("expires_in", [90, 90.0, timedelta(seconds=90)])
def test_a_link_is_signed_for_as_long_as_asked(
    client: ExportClient, server: TaskServer, expires_in: float | timedelta
) -> None:
    link = client.url("t1", expires_in)
    assert link.url == "https://files.example/new"
    assert link.expires_at == datetime(2026, 7, 2, tzinfo=UTC)
    assert server.asked == [("url", {"task_id": "t1", "expires_seconds": 90})]


def test_formats_are_the_servers_answer(client: ExportClient) -> None:
    assert client.formats() == {"formats": [{"name": "csv"}]}


def test_an_action_without_a_result_is_an_error(client: ExportClient) -> None:
    with pytest.raises(ExportError, match="0 results for 'health' instead of one"):
        client.health()


def test_waiting_ends_when_the_task_is_completed(client: ExportClient, server: TaskServer) -> None:
    server.states = ["PROCESSING", "UPLOADING"]
    assert client.wait("t1", timeout=30).state == "COMPLETED"
    assert len(server.asked) == 3


def test_waiting_raises_what_the_task_failed_with(client: ExportClient, server: TaskServer) -> None:
    error = {"code": "INVALID_DATA", "message": "bad", "retryable": False}
    server.tasks = [TASK | {"state": "FAILED", "error": error}]
    with pytest.raises(InvalidRequest, match="bad"):
        client.wait("t1")


def test_waiting_gives_up_after_its_time(client: ExportClient, server: TaskServer) -> None:
    server.states = ["QUEUED"]
    with pytest.raises(TimedOut, match="QUEUED after 0 seconds") as caught:
        client.wait("t1", timeout=0)
    assert caught.value.task_id == "t1"


def test_a_download_is_the_file(client: ExportClient, tmp_path: Path) -> None:
    path = client.download("t1", tmp_path / "mine.xlsx")
    assert path == tmp_path / "mine.xlsx"
    assert path.read_bytes() == CONTENT
    assert [*tmp_path.iterdir()] == [path]


def test_a_download_into_a_directory_has_the_name_of_the_export(
    client: ExportClient, tmp_path: Path
) -> None:
    assert client.download(client.status("t1"), tmp_path) == tmp_path / "orders.xlsx"


def test_a_download_without_a_path_goes_to_the_working_directory(
    client: ExportClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert client.download("t1").resolve() == tmp_path / "orders.xlsx"


@pytest.mark.parametrize("name", ["../../orders.xlsx", "/etc/orders.xlsx", "..\\orders.xlsx"])
def test_the_servers_filename_cannot_leave_the_directory(
    client: ExportClient, server: TaskServer, tmp_path: Path, name: str
) -> None:
    server.tasks = [TASK | {"filename": name}]
    assert client.download("t1", tmp_path) == tmp_path / "orders.xlsx"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("sha256", "0" * 64, "CHECKSUM_MISMATCH"), ("size_bytes", 1, "SIZE_MISMATCH")],
)
def test_other_bytes_than_expected_leave_nothing(
    client: ExportClient, server: TaskServer, tmp_path: Path, field: str, value: Any, code: str
) -> None:
    server.tasks = [TASK | {field: value}]
    with pytest.raises(DownloadFailed, match=code):
        client.download("t1", tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_download_that_breaks_leaves_nothing(
    client: ExportClient, server: TaskServer, tmp_path: Path
) -> None:
    server.breaks = True
    with pytest.raises(ExportError, match="INTERRUPTED"):
        client.download("t1", tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_failed_replacement_keeps_the_old_file(
    client: ExportClient, server: TaskServer, tmp_path: Path
) -> None:
    old = tmp_path / "orders.xlsx"
    old.write_bytes(b"old")
    server.tasks = [TASK | {"sha256": "0" * 64}]
    with pytest.raises(DownloadFailed):
        client.download("t1", old, overwrite=True)
    assert old.read_bytes() == b"old"


def test_an_existing_file_is_replaced_only_when_asked(client: ExportClient, tmp_path: Path) -> None:
    old = tmp_path / "orders.xlsx"
    old.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        client.download("t1", tmp_path)
    assert old.read_bytes() == b"old"
    client.download("t1", tmp_path, overwrite=True)
    assert old.read_bytes() == CONTENT


def test_a_failed_export_has_no_download(
    client: ExportClient, server: TaskServer, tmp_path: Path
) -> None:
    server.tasks = [TASK | {"state": "FAILED", "error": {"code": "INVALID_DATA"}}]
    with pytest.raises(InvalidRequest):
        client.download("t1", tmp_path)


def test_every_question_names_an_unreachable_server() -> None:
    with (
        ExportClient("grpc://127.0.0.1:1") as client,
        pytest.raises(ConnectionFailed, match="is the server running") as caught,
    ):
        client.status("t1")
    assert caught.value.task_id == "t1"

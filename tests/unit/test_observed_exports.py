"""What one export leaves in metrics and log, and what it costs where nobody wants to know."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from exporters.base import Data
from flight_server import export as export_module
from flight_server import logs
from flight_server.errors import ErrorCode, ServiceError
from flight_server.export import Export
from flight_server.request import parse_command
from flight_server.storage.base import Target
from flight_server.storage.memory import MemoryStorage, MemoryUpload
from flight_server.stream import Message
from flight_server.tasks.watchdog import Watchdog
from tests.support.exports import batch, csv_of
from tests.support.scripted import COMMIT, Bench, Script, bench

REQUEST = parse_command(b'{"filename": "a.csv"}')
ROWS = Message(batch(3), None)
MORE = Message(batch(4, 3), None)


class Failing(MemoryStorage):
    """Refuses to write or to publish, with the code that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.on_write: ErrorCode | None = None
        self.on_publish: ErrorCode | None = None

    def open_upload(self, target: Target) -> MemoryUpload:
        super().open_upload(target)
        return FailingUpload(self, target)


class FailingUpload(MemoryUpload):
    def __init__(self, storage: Failing, target: Target) -> None:
        super().__init__(storage, target)
        self._failing = storage

    def _append(self, data: Data) -> None:
        if self._failing.on_write is not None:
            raise ServiceError(self._failing.on_write, "cannot write")
        super()._append(data)

    def publish(self) -> None:
        if self._failing.on_publish is not None:
            raise ServiceError(self._failing.on_publish, "cannot publish")
        super().publish()


@pytest.fixture
def storage() -> Failing:
    return Failing()


@pytest.fixture
def parts(storage: Failing) -> Iterator[Bench]:
    with bench(storage) as made:
        yield made


def done(parts: Bench, *steps: Message, client: str = "us") -> Export:
    export = parts.service.open(REQUEST, client)
    assert isinstance(export, Export)
    export.run(Script(*steps), lambda _task: None)
    return export


def failed(parts: Bench, *steps: Message) -> None:
    with pytest.raises(ServiceError):
        done(parts, *steps)


def value(parts: Bench, name: str, **labels: str) -> float | None:
    return parts.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    logs.configure("info", "json", str(tmp_path / "log"))
    yield tmp_path / "log"
    logs.reset()


def errors(log: Path) -> list[tuple[str, str, str]]:
    """Event, level and code of the lines that tell of an error."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [
        (line["event"], line["level"], line["error"]["code"]) for line in lines if "error" in line
    ]


def test_rows_and_bytes_are_those_of_the_file(parts: Bench) -> None:
    done(parts, ROWS, MORE, COMMIT)
    size = len(csv_of(7))
    assert value(parts, "export_records_processed_total") == 7
    assert value(parts, "export_bytes_written_total") == size
    assert value(parts, "export_upload_bytes_total") == size
    assert value(parts, "export_client_records_total", client="us") == 7
    assert value(parts, "export_client_bytes_total", client="us") == size
    assert value(parts, "export_client_tasks_total", client="us", state="COMPLETED") == 1


def test_a_failed_export_has_its_rows_and_no_upload(parts: Bench) -> None:
    failed(parts, ROWS)
    assert value(parts, "export_records_processed_total") == 3
    assert value(parts, "export_upload_bytes_total") == 0
    assert value(parts, "export_client_tasks_total", client="us", state="FAILED") == 1


def test_an_export_with_a_slot_at_once_has_waited_for_nothing(parts: Bench) -> None:
    done(parts, COMMIT)
    assert value(parts, "export_queue_wait_seconds_count") == 1
    assert value(parts, "export_queue_wait_seconds_bucket", le="0.5") == 1


@pytest.mark.parametrize(
    ("code", "event"),
    [
        (ErrorCode.STORAGE_FULL, "WriteError"),
        (ErrorCode.STORAGE_ERROR, "WriteError"),
        (ErrorCode.UPLOAD_ERROR, "UploadError"),
    ],
)
def test_what_keeps_a_file_from_being_written_is_told_before_the_end(
    parts: Bench, storage: Failing, log: Path, code: ErrorCode, event: str
) -> None:
    storage.on_write = code
    failed(parts, ROWS, COMMIT)
    assert errors(log) == [(event, "error", code), ("TaskFailed", "warning", code)]
    counted = value(parts, "export_upload_errors_total", code=code)
    assert counted == (1 if code is ErrorCode.UPLOAD_ERROR else 0)


def test_what_keeps_a_file_from_being_published_is_told_before_the_end(
    parts: Bench, storage: Failing, log: Path
) -> None:
    storage.on_publish = ErrorCode.UPLOAD_ERROR
    failed(parts, ROWS, COMMIT)
    assert errors(log) == [
        ("OSSUploadFailed", "error", "UPLOAD_ERROR"),
        ("TaskFailed", "warning", "UPLOAD_ERROR"),
    ]
    assert value(parts, "export_upload_errors_total", code="UPLOAD_ERROR") == 1
    assert value(parts, "export_uploads_in_flight") == 0


@pytest.mark.parametrize(
    ("steps", "event", "code"),
    [
        ([ROWS], "StreamError", "INCOMPLETE_STREAM"),
        ([ROWS, Message(None, b"no")], "ValidationError", "INVALID_DATA"),
    ],
)
def test_what_a_client_did_is_told_before_the_end(
    parts: Bench, log: Path, steps: list[Message], event: str, code: str
) -> None:
    failed(parts, *steps)
    assert errors(log) == [(event, "info", code), ("TaskFailed", "warning", code)]


def test_memory_is_not_looked_at_where_nobody_debugs(
    parts: Bench, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dear() -> None:
        raise AssertionError("nobody wants to know")

    monkeypatch.setattr(export_module, "memory_held", dear)
    done(parts, ROWS, COMMIT)
    logs.configure("debug", "json", str(log))
    with pytest.raises(AssertionError, match="nobody wants to know"):
        done(parts, ROWS, COMMIT)


def test_no_line_is_made_for_a_batch_where_nobody_debugs(parts: Bench, log: Path) -> None:
    done(parts, *[ROWS] * 50, COMMIT)
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events == [
        *("TaskCreated", "TaskStarted", "TempFileCreated", "FileFinalized"),
        *("OSSUploadStarted", "OSSUploadCompleted", "TaskCompleted"),
    ]


def test_a_failure_that_could_not_be_recorded_is_counted_once_the_watchdog_has_recorded_it(
    parts: Bench, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_what: object, **_how: object) -> bool:
        raise ServiceError(ErrorCode.STORAGE_ERROR, "the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(parts.store, "update", down)
        failed(parts, ROWS)
        assert value(parts, "export_errors_total", code="INCOMPLETE_STREAM") == 0
    long = timedelta(hours=1)
    ended = parts.metrics.tasks.watchdog_ended
    Watchdog(parts.manager, long, long, long, on_ended=ended).check()
    assert value(parts, "export_errors_total", code="INCOMPLETE_STREAM") == 1
    assert value(parts, "export_watchdog_ended_total", code="INCOMPLETE_STREAM") == 1
    assert errors(log)[-1] == ("TaskFailed", "warning", "INCOMPLETE_STREAM")

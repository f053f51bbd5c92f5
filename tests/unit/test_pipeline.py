"""The data path, and that whatever stops it leaves nothing."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from exporters.base import Data
from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.logs import get_logger
from flight_server.request import parse_path
from flight_server.service import target_of
from flight_server.storage.base import Target, Upload
from flight_server.storage.memory import MemoryStorage, MemoryUpload
from flight_server.stream import CommittedBatches, Message
from flight_server.tasks.model import Task, TaskState, new_task_id
from flight_server.tasks.running import Running
from tests.support.exports import batch, csv_of
from tests.support.scripted import COMMIT, Bench, Script, bench

ROWS = Message(batch(3), None)


class Storage(MemoryStorage):
    """Calls `before_upload` and `before_publish` when it gets there."""

    def __init__(self) -> None:
        super().__init__()
        self.before_upload: Callable[[], object] = lambda: None
        self.before_publish: Callable[[], object] = lambda: None

    def open_upload(self, target: Target) -> Upload:
        self.before_upload()
        return super().open_upload(target)

    def resume(self, target: Target, size: int) -> bool:
        self.before_publish()
        return super().resume(target, size)

    @property
    def kept(self) -> int:
        return len(self._kept)


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
def parts(storage: Storage) -> Iterator[Bench]:
    with bench(storage) as made:
        yield made


@pytest.fixture
def running(parts: Bench) -> Running:
    now = datetime.now(UTC)
    task = Task(
        task_id=new_task_id(now),
        request_id="r",
        client="c",
        fingerprint="f",
        format="csv",
        filename="a.csv",
        content_type="text/csv",
        created_at=now,
    )
    return parts.manager.open(task)


def run(
    parts: Bench, running: Running, *steps: Message | Callable[[], object]
) -> tuple[Task, list[Task]]:
    """The completed task, and every step that was observed."""
    seen: list[Task] = []
    batches = CommittedBatches(Script(*steps), declared=None, require_commit=True)
    request = parse_path([b"a.csv"])
    task = parts.pipeline.run(running, request, batches, seen.append, get_logger("test"))
    return task, seen


def test_a_file_is_written_sealed_and_published(
    parts: Bench, running: Running, storage: Storage
) -> None:
    task, _ = run(parts, running, ROWS, COMMIT)
    assert (task.state, task.rows, task.size_bytes) == (TaskState.COMPLETED, 3, len(csv_of(3)))
    assert storage.open_reader(target_of(task)).read() == csv_of(3)
    assert parts.manager.active == 0


def test_each_batch_and_the_sealed_file_are_observed(parts: Bench, running: Running) -> None:
    _, seen = run(parts, running, ROWS, Message(batch(2, 3), None), COMMIT)
    assert [(task.state, task.rows) for task in seen] == [
        (TaskState.PROCESSING, 3),
        (TaskState.PROCESSING, 5),
        (TaskState.UPLOADING, 5),
    ]


def test_the_sealed_file_is_durable_before_it_is_announced(
    parts: Bench, running: Running, storage: Storage
) -> None:
    states = []
    storage.before_publish = lambda: states.append(parts.store.get(running.task.task_id))
    run(parts, running, ROWS, COMMIT)
    [stored] = states
    assert stored is not None
    assert stored.state is TaskState.UPLOADING
    assert stored.sha256 is not None


def test_a_stream_without_commit_leaves_nothing(
    parts: Bench, running: Running, storage: Storage
) -> None:
    with pytest.raises(ServiceError, match="INCOMPLETE_STREAM"):
        run(parts, running, ROWS)
    assert storage.kept == 0


@pytest.mark.parametrize("moment", ["before_upload", "before_publish"])
def test_a_task_cancelled_at_any_moment_leaves_nothing(
    parts: Bench, running: Running, storage: Storage, moment: str
) -> None:
    setattr(storage, moment, running.cancel)
    with pytest.raises(ServiceError, match="CANCELLED"):
        run(parts, running, ROWS, COMMIT)
    assert storage.kept == 0


def test_a_task_ended_while_it_waits_for_a_batch_is_cleared_at_once(
    parts: Bench, running: Running, storage: Storage
) -> None:
    kept = []

    def end() -> None:
        running.end(Failure(ErrorCode.STREAM_STALLED, "no batch arrived"))
        kept.append(storage.kept)

    with pytest.raises(ServiceError, match="STREAM_STALLED"):
        run(parts, running, ROWS, end, ROWS, COMMIT)
    assert (kept, storage.kept) == ([0], 0)


def test_a_task_ended_before_the_spool_is_open_needs_no_batch_to_notice(
    parts: Bench, running: Running, storage: Storage
) -> None:
    """Its client may never send one."""
    storage.before_upload = running.cancel
    with pytest.raises(ServiceError, match="CANCELLED"):
        run(parts, running, lambda: pytest.fail("a batch was asked for"))


def test_a_file_stays_when_the_store_does_not_say_whether_it_is_completed(
    parts: Bench, running: Running, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record may have been made and only its answer lost: no link to it may be dead."""

    def lose(task: Task, *, expected: TaskState, owner: str | None) -> bool:
        raise ServiceError(ErrorCode.STORAGE_ERROR, "no answer")

    storage.before_publish = lambda: monkeypatch.setattr(parts.store, "update", lose)
    with pytest.raises(ServiceError, match="STORAGE_ERROR"):
        run(parts, running, ROWS, COMMIT)
    assert storage.kept == 1


def test_a_failed_publication_is_counted_and_keeps_the_whole_file(
    parts: Bench, running: Running, storage: Storage
) -> None:
    def fail() -> None:
        raise ServiceError(ErrorCode.UPLOAD_ERROR, "refused")

    storage.before_publish = fail
    with pytest.raises(ServiceError, match="UPLOAD_ERROR"):
        run(parts, running, ROWS, COMMIT)
    assert storage.kept == 1
    told = parts.metrics.exposition("")[0].decode()
    assert 'export_upload_errors_total{code="UPLOAD_ERROR"} 1.0' in told


def test_a_task_is_not_idle_while_its_batch_is_written(
    parts: Bench, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One batch may be an hour's work on a busy server; the client waits, not the server."""
    idle_since: list[float] = []
    write = MemoryUpload.write

    def noting(upload: MemoryUpload, data: Data) -> None:
        idle_since.append(running.idle_since)
        write(upload, data)

    monkeypatch.setattr(MemoryUpload, "write", noting)
    run(parts, running, ROWS, lambda: idle_since.append(running.idle_since), COMMIT)
    assert [math.isinf(moment) for moment in idle_since] == [True, False, True]


def test_one_that_is_stuck_holds_no_blocks_when_it_is_ended(parts: Bench, running: Running) -> None:
    """The budget of blocks in flight is every export's; a lost client's thread keeps none of it."""
    in_flight: list[int] = []

    def stall() -> None:
        in_flight.append(parts.pipeline.workers.in_flight)
        running.end(Failure(ErrorCode.STREAM_STALLED, "no batch arrived"))
        in_flight.append(parts.pipeline.workers.in_flight)

    with pytest.raises(ServiceError, match="STREAM_STALLED"):
        run(parts, running, Message(batch(10_000), None), stall, ROWS)
    assert in_flight[0] > 0
    assert in_flight[1] == 0

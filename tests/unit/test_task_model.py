import re
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from flight_server.errors import ErrorCode, Failure
from flight_server.tasks.model import IllegalTransition, Task, TaskState, microseconds, new_task_id

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
LEGAL = {
    ("QUEUED", "PROCESSING"),
    ("QUEUED", "FAILED"),
    ("QUEUED", "CANCELLED"),
    ("PROCESSING", "UPLOADING"),
    ("PROCESSING", "FAILED"),
    ("PROCESSING", "CANCELLED"),
    ("UPLOADING", "COMPLETED"),
    ("UPLOADING", "FAILED"),
    ("UPLOADING", "CANCELLED"),
}


@pytest.fixture
def task() -> Task:
    return Task(
        task_id=new_task_id(NOON),
        request_id="r",
        client="c",
        fingerprint="0" * 64,
        format="csv",
        filename="f.csv",
        content_type="text/csv",
        created_at=NOON,
    )


@pytest.mark.parametrize("old", TaskState)
@pytest.mark.parametrize("new", TaskState)
def test_the_moves_are_those_of_the_protocol(old: TaskState, new: TaskState) -> None:
    assert old.can_become(new) is ((old, new) in LEGAL)


def test_only_completed_failed_and_cancelled_are_final() -> None:
    assert {state for state in TaskState if state.finished} == {"COMPLETED", "FAILED", "CANCELLED"}


def test_a_task_cannot_be_changed_in_place(task: Task) -> None:
    with pytest.raises(FrozenInstanceError):
        task.rows = 1  # type: ignore[misc]


def test_an_illegal_move_names_the_task_and_both_states(task: Task) -> None:
    with pytest.raises(
        IllegalTransition, match=f"{task.task_id} cannot go from QUEUED to COMPLETED"
    ):
        task.moved(TaskState.COMPLETED, at=NOON)


def test_moves_note_when_the_work_began_and_when_it_ended(task: Task) -> None:
    begun, durable, done = (NOON + timedelta(seconds=seconds) for seconds in (1, 2, 3))
    task = task.moved(TaskState.PROCESSING, at=begun)
    task = task.moved(TaskState.UPLOADING, at=durable, size_bytes=9)
    assert (task.started_at, task.completed_at, task.size_bytes) == (begun, None, 9)
    task = task.moved(TaskState.COMPLETED, at=done)
    assert (task.started_at, task.completed_at) == (begun, done)


def test_a_task_that_fails_in_the_queue_has_ended_without_having_started(task: Task) -> None:
    failed = task.moved(
        TaskState.FAILED, at=NOON, error=Failure(ErrorCode.QUEUE_TIMEOUT, "too late")
    )
    assert (failed.started_at, failed.completed_at) == (None, NOON)


@pytest.mark.parametrize(
    ("state", "rows", "expected", "progress"),
    [
        ("PROCESSING", 50, None, None),
        ("PROCESSING", 50, 200, 25.0),
        ("PROCESSING", 300, 200, 100.0),
        ("PROCESSING", 0, 0, 0.0),
        ("FAILED", 50, 200, 25.0),
        ("COMPLETED", 50, None, 100.0),
        ("COMPLETED", 0, 0, 100.0),
    ],
)
def test_progress_is_known_only_with_the_expected_rows_or_at_the_end(
    task: Task, state: str, rows: int, expected: int | None, progress: float | None
) -> None:
    task = replace(task, state=TaskState(state), rows=rows, rows_expected=expected)
    assert task.progress == progress


def test_the_remaining_time_follows_from_the_recent_rate(task: Task) -> None:
    task = replace(task, rows_expected=400).moved(TaskState.PROCESSING, at=NOON)
    assert replace(task, rows=100, rows_per_second=10.0).eta_seconds == 30.0
    assert replace(task, rows=500, rows_per_second=10.0).eta_seconds == 0.0


@pytest.mark.parametrize(("rows_expected", "rate"), [(None, 10.0), (400, None), (400, 0.0)])
def test_the_remaining_time_is_unknown_without_an_end_or_a_rate(
    task: Task, rows_expected: int | None, rate: float | None
) -> None:
    task = replace(task, rows_expected=rows_expected).moved(TaskState.PROCESSING, at=NOON)
    assert replace(task, rows=100, rows_per_second=rate).eta_seconds is None


def test_a_task_that_moves_on_has_no_rate_any_more(task: Task) -> None:
    processing = replace(task.moved(TaskState.PROCESSING, at=NOON), rows_per_second=10.0)
    assert processing.moved(TaskState.UPLOADING, at=NOON).rows_per_second is None


def test_task_ids_are_version_7_uuids_in_lower_case_hex() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", new_task_id())


def test_task_ids_sort_by_the_microsecond_they_were_made_in() -> None:
    moments = [NOON + timedelta(microseconds=number) for number in range(3000)]
    ids = [new_task_id(moment) for moment in moments]
    assert all(earlier < later for earlier, later in pairwise(ids))


def test_task_ids_of_one_moment_differ() -> None:
    assert len({new_task_id(NOON) for _ in range(1000)}) == 1000


def test_microseconds_are_counted_exactly_and_in_utc() -> None:
    assert microseconds(datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)) == 1_000_001
    china = timezone(timedelta(hours=8))
    assert microseconds(NOON.astimezone(china)) == microseconds(NOON)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        microseconds(datetime(2025, 6, 1))

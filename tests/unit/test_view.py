"""A task as JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from flight_server.errors import ErrorCode, Failure
from flight_server.tasks.model import Task, TaskState, TaskWarning
from flight_server.view import task_view, timestamp

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
TASK = Task(
    task_id="t",
    request_id="r",
    client="c",
    fingerprint="secret",
    state=TaskState.PROCESSING,
    format="csv",
    filename="订单.csv",
    content_type="text/csv",
    rows_expected=300,
    rows=100,
    bytes=4096,
    rows_per_second=10.04,
    created_at=NOON,
    started_at=NOON,
)


def view(task: Task) -> dict[str, object]:
    return task_view(task)


def test_a_running_task_shows_how_far_it_is() -> None:
    assert view(TASK) == {
        "task_id": "t",
        "request_id": "r",
        "client": "c",
        "state": "PROCESSING",
        "format": "csv",
        "filename": "订单.csv",
        "rows": 100,
        "bytes": 4096,
        "progress": 33.3,
        "position": None,
        "rows_per_second": 10.0,
        "eta_seconds": 19.9,
        "url": None,
        "url_expires_at": None,
        "size_bytes": None,
        "sha256": None,
        "sheets": None,
        "warnings": [],
        "error": None,
        "created_at": "2025-06-01T12:00:00.000Z",
        "started_at": "2025-06-01T12:00:00.000Z",
        "completed_at": None,
    }


def test_progress_is_null_where_the_rows_are_unknown() -> None:
    shown = view(replace(TASK, rows_expected=None))
    assert (shown["progress"], shown["eta_seconds"]) == (None, None)


def test_a_place_in_line_is_shown_of_a_task_that_waits() -> None:
    waiting = replace(TASK, state=TaskState.QUEUED, rows=0, rows_per_second=None, position=3)
    assert (view(waiting)["position"], view(TASK)["position"]) == (3, None)


def test_a_failure_and_warnings_are_values() -> None:
    failed = replace(
        TASK,
        state=TaskState.FAILED,
        error=Failure(ErrorCode.QUEUE_TIMEOUT, "no slot"),
        warnings=(TaskWarning("W", "text", 3),),
        completed_at=NOON,
    )
    shown = view(failed)
    assert shown["error"] == {"code": "QUEUE_TIMEOUT", "message": "no slot", "retryable": True}
    assert shown["warnings"] == [{"code": "W", "message": "text", "count": 3}]


def test_the_link_and_its_end_are_those_given() -> None:
    shown = task_view(TASK, url="http://x", expires=NOON)
    assert (shown["url"], shown["url_expires_at"]) == ("http://x", "2025-06-01T12:00:00.000Z")


@pytest.mark.parametrize("state", TaskState)
def test_every_state_is_plain_json(state: TaskState) -> None:
    assert json.loads(json.dumps(view(replace(TASK, state=state))))["state"] == state.value


def test_what_decides_idempotency_is_not_shown() -> None:
    assert "secret" not in json.dumps(view(TASK))


def test_a_time_of_another_zone_is_shown_in_utc() -> None:
    there = datetime(2025, 6, 1, 20, 0, 0, 1999, tzinfo=timezone(timedelta(hours=8)))
    assert timestamp(there) == "2025-06-01T12:00:00.001Z"
    assert timestamp(None) is None

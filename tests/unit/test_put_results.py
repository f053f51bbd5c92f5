"""What a client hears while it sends, by an injected clock."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight_server.logs import get_logger
from flight_server.tasks.model import Task, TaskState
from flight_server.transports.put_results import PutResults

TASK = Task(
    task_id="0" * 32,
    request_id="r",
    client="c",
    fingerprint="f",
    state=TaskState.PROCESSING,
    format="csv",
    filename="a.csv",
    content_type="text/csv",
    rows_expected=10**15,
    rows=10**12,
    bytes=10**14,
    rows_per_second=100000.04,
    created_at=datetime(2025, 1, 1, tzinfo=UTC),
)
QUEUED = replace(TASK, state=TaskState.QUEUED, rows=0, bytes=0, rows_per_second=None)


class Client:
    """Keeps what it is told, and when; `gone` makes each write fail."""

    def __init__(self) -> None:
        self.now = 0.0
        self.heard: list[tuple[float, bytes]] = []
        self.gone: Exception | None = None
        self.results = PutResults(self, get_logger("test"), monotonic=lambda: self.now)

    def write(self, buffer: pa.Buffer) -> None:
        if self.gone is not None:
            raise self.gone
        self.heard.append((self.now, buffer.to_pybytes()))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(data) for _, data in self.heard]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize("state", [TaskState.PROCESSING, TaskState.CANCELLED])
def test_accepted_tells_that_the_export_goes_on(client: Client, state: TaskState) -> None:
    """A task that is ended at once tells so by the call's error."""
    client.results.accepted(replace(TASK, state=state))
    assert client.messages == [{"type": "accepted", "task_id": TASK.task_id, "state": "PROCESSING"}]


def test_accepted_tells_the_place_in_line(client: Client) -> None:
    client.results.accepted(replace(QUEUED, position=3))
    assert client.messages == [
        {"type": "accepted", "task_id": TASK.task_id, "state": "QUEUED", "position": 3}
    ]


def test_progress_comes_after_half_a_second_and_not_sooner(client: Client) -> None:
    client.now = 0.49
    client.results.progress(TASK)
    assert client.messages == []
    client.now = 0.5
    client.results.progress(TASK)
    client.results.progress(TASK)
    [message] = client.messages
    assert message == {
        "type": "progress",
        "task_id": TASK.task_id,
        "state": "PROCESSING",
        "rows": 10**12,
        "bytes": 10**14,
        "rows_per_second": 100000.0,
        "eta_seconds": 9989996004.0,
    }


class TestWaiting:
    def test_another_place_is_told_and_the_same_one_is_not(self, client: Client) -> None:
        client.results.accepted(replace(QUEUED, position=3))
        for second, place in enumerate([3, 2, 2, 4], start=1):
            client.now = second
            client.results.waiting(QUEUED, place)
        assert client.messages[1:] == [
            {
                "type": "progress",
                "task_id": TASK.task_id,
                "state": "QUEUED",
                "rows": 0,
                "bytes": 0,
                "position": place,
            }
            for place in (2, 4)
        ]

    def test_a_place_that_came_too_soon_is_told_when_it_is_asked_for_again(
        self, client: Client
    ) -> None:
        client.results.accepted(replace(QUEUED, position=3))
        for now, place in [(0.6, 2), (0.7, 1), (1.2, 1), (1.7, 1), (2.2, 1)]:
            client.now = now
            client.results.waiting(QUEUED, place)
        assert [(now, json.loads(data)["position"]) for now, data in client.heard] == [
            *[(0.0, 3), (0.6, 2), (1.7, 1)]
        ]

    def test_the_end_of_the_wait_is_told_at_once(self, client: Client) -> None:
        client.results.accepted(replace(QUEUED, position=1))
        client.results.progress(TASK)
        client.results.progress(TASK)
        assert [message["state"] for message in client.messages] == ["QUEUED", "PROCESSING"]

    def test_it_is_told_even_when_progress_has_used_up_its_share(self, client: Client) -> None:
        client.results.accepted(replace(QUEUED, position=1))
        for step in range(1, 6000):
            client.now = step * 1e6
            client.results.waiting(QUEUED, step)
        before = len(client.heard)
        client.results.progress(TASK)
        assert client.messages[-1]["state"] == "PROCESSING"
        assert len(client.heard) == before + 1
        assert sum(len(data) for _, data in client.heard) < 512 * 1024

    def test_nothing_is_told_of_a_slot_that_was_there_at_once(self, client: Client) -> None:
        client.results.accepted(QUEUED)
        client.results.progress(TASK)
        assert len(client.messages) == 1

    @given(st.lists(st.tuples(st.floats(0, 0.6), st.integers(1, 3)), max_size=60), st.floats(0, 1))
    def test_no_second_has_more_than_two_messages(
        self, waits: list[tuple[float, int]], rest: float
    ) -> None:
        client = Client()
        client.results.accepted(replace(QUEUED, position=3))
        for seconds, place in waits:
            client.now += seconds
            client.results.waiting(QUEUED, place)
        client.now += rest
        for _ in range(30):
            client.results.progress(TASK)
            client.now += 0.1
        times = [moment for moment, _ in client.heard[1:]]
        assert all(third - first >= 1 for first, third in zip(times, times[2:], strict=False))


def test_six_hours_stay_within_two_a_second_and_512_kilobytes(client: Client) -> None:
    client.results.accepted(TASK)
    for tenth in range(6 * 3600 * 10):
        client.now = tenth / 10
        client.results.progress(TASK)
    client.results.result({"task": "x" * 4096})
    times = [moment for moment, _ in client.heard[1:-1]]
    assert min(after - before for before, after in itertools.pairwise(times)) >= 0.5
    framing = 3 + 5 + 9  # protobuf, gRPC and HTTP/2 put so many bytes before each message
    assert sum(len(data) + framing for _, data in client.heard) < 512 * 1024
    assert client.now - times[-1] < 120, "a long export is still heard of at its end"


def test_the_result_comes_even_when_progress_has_used_up_its_share(client: Client) -> None:
    for step in range(1_000_000):
        client.now = step * 1e6
        client.results.progress(TASK)
        if step > 5000:
            break
    client.results.result({"state": "COMPLETED"})
    assert client.messages[-1] == {"type": "result", "state": "COMPLETED"}
    assert sum(len(data) for _, data in client.heard) < 512 * 1024


@pytest.mark.parametrize("error", [pa.ArrowInvalid("closed"), OSError("broken pipe")])
def test_a_client_that_has_gone_is_written_to_no_more(client: Client, error: Exception) -> None:
    client.gone = error
    client.results.accepted(TASK)
    client.gone = None
    client.results.result({})
    assert client.heard == []

"""What a client hears while it sends, by an injected clock."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

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
    rows=10**12,
    bytes=10**14,
    created_at=datetime(2025, 1, 1, tzinfo=UTC),
)


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


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (TaskState.QUEUED, "QUEUED"),
        (TaskState.PROCESSING, "PROCESSING"),
        (TaskState.CANCELLED, "PROCESSING"),
    ],
)
def test_accepted_tells_one_of_two_states(client: Client, state: TaskState, told: str) -> None:
    """A task that is ended at once tells so by the call's error."""
    client.results.accepted(replace(TASK, state=state))
    assert client.messages == [{"type": "accepted", "task_id": TASK.task_id, "state": told}]


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
    }


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

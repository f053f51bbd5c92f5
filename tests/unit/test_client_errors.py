"""The one seam where errors of Flight become the client's."""

import json
import pickle
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from export_client import (
    Cancelled,
    ConnectionFailed,
    ExportError,
    InvalidRequest,
    Task,
    TaskNotFound,
    TimedOut,
    Unauthorized,
    Unavailable,
)
from export_client.errors import from_wire, wire_errors
from flight_server.errors import ErrorCode

URL = "grpc://export.example:8815"
TAIL = ". Detail: Failed. gRPC client debug context: UNKNOWN:x. Client context: OK"


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_of_the_server_keeps_its_retryability(code: ErrorCode) -> None:
    error = from_wire(fl.FlightServerError(f"{code}: so{TAIL}"), URL)
    assert (error.code, error.message, error.retryable) == (code, "so", code.retryable)
    assert (type(error) is ExportError) == (code is ErrorCode.INTERNAL)


def test_extra_info_is_preferred_to_the_message() -> None:
    info = {"code": "TASK_NOT_FOUND", "message": "no t9", "task_id": "t9", "retryable": True}
    error = from_wire(fl.FlightServerError(f"INTERNAL: so{TAIL}", json.dumps(info)), URL)
    assert type(error) is TaskNotFound
    assert (str(error), error.task_id, error.retryable) == ("TASK_NOT_FOUND: no t9", "t9", True)


@pytest.mark.parametrize("info", [b"", b"\xff", b"[1]", b"{}", b"null"])
def test_other_extra_info_is_no_obstacle(info: bytes) -> None:
    error = from_wire(fl.FlightServerError(f"INVALID_DATA: so{TAIL}", info), URL)
    assert type(error) is InvalidRequest
    assert error.message == "so"


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (fl.FlightUnavailableError("last error: Connection refused"), ConnectionFailed, "refused"),
        (fl.FlightUnavailableError("Ssl handshake failed"), ConnectionFailed, r"grpc\+tls"),
        (fl.FlightUnavailableError("hostname lookup error"), ConnectionFailed, "host name"),
        (fl.FlightUnavailableError("an http1.x server"), ConnectionFailed, "the Flight port"),
        (fl.FlightUnavailableError("Socket closed"), ConnectionFailed, "broke"),
        (fl.FlightUnavailableError("tcp handshaker shutdown"), ConnectionFailed, "firewall"),
        (fl.FlightUnavailableError("something new"), ConnectionFailed, URL),
        (fl.FlightTimedOutError("Deadline"), TimedOut, "timeout"),
        (fl.FlightUnauthenticatedError("x"), Unauthorized, "token"),
        (fl.FlightUnauthorizedError("x"), Unauthorized, "permit"),
        (fl.FlightCancelledError("x"), Cancelled, "cancelled"),
        (pa.ArrowNotImplementedError("Traceback"), ExportError, "version"),
        (
            fl.FlightInternalError("Stream removed (Received RST_STREAM with error code 2)"),
            ConnectionFailed,
            "behind a proxy",
        ),
        (fl.FlightInternalError("first line\n  File x.py"), ExportError, "INTERNAL: first line$"),
        (OSError("broken" + TAIL), ExportError, "INTERNAL: broken$"),
    ],
)
def test_what_the_transport_raises_is_said_in_one_sentence(
    raised: Exception, expected: type[ExportError], words: str
) -> None:
    with pytest.raises(ExportError, match=words) as caught, wire_errors(URL, task_id="t1"):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised
    assert caught.value.task_id == "t1"
    assert "context" not in str(caught.value)


def test_errors_travel_between_processes() -> None:
    error = Unavailable("QUEUE_FULL", "the queue is full", True, "t1", 12.0)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is Unavailable
    assert (
        *(copy.code, copy.message, copy.retryable),
        *(copy.task_id, copy.retry_after),
    ) == error.args


@pytest.mark.parametrize("seconds", [12.0, None])
def test_an_error_has_the_servers_hint_when_to_retry(seconds: float | None) -> None:
    info = {"code": "QUEUE_FULL", "message": "full", "retry_after_seconds": seconds}
    with pytest.raises(Unavailable) as caught, wire_errors(URL):
        raise fl.FlightUnavailableError("QUEUE_FULL: full", json.dumps(info).encode())
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"state": "CANCELLED"}, Cancelled),
        ({"state": "FAILED"}, ExportError),
        ({"state": "FAILED", "error": {"code": "INVALID_DATA", "message": "m"}}, InvalidRequest),
    ],
)
def test_a_task_that_did_not_succeed_raises_its_error(
    task: dict[str, Any], expected: type[ExportError]
) -> None:
    with pytest.raises(ExportError) as caught:
        Task.from_json({"task_id": "t1"} | task).raise_for_failure()
    assert type(caught.value) is expected
    assert caught.value.task_id == "t1"

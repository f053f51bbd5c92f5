"""The table from codes to Flight errors, and that nothing leaves untranslated."""

import json

import pytest
from pyarrow import flight

from exporters.errors import InvalidData
from flight_server.errors import ErrorCode, ServiceError
from flight_server.transports.errors import FLIGHT_CLASSES, answering, flight_error

NO_CLASS_IN_FLIGHT = {
    *("INVALID_DESCRIPTOR", "INVALID_SCHEMA", "UNSUPPORTED_TYPE", "INVALID_DATA"),
    *("INCOMPLETE_STREAM", "ROW_COUNT_MISMATCH", "LIMIT_EXCEEDED"),
    *("TASK_NOT_FOUND", "ALREADY_EXISTS", "REQUEST_ID_CONFLICT"),
}


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_travels_with_its_message_task_and_retry(code: ErrorCode) -> None:
    error = flight_error(ServiceError(code, "it is 订单", task_id="t"))
    assert str(error).startswith(f"{code}: it is 订单")
    assert json.loads(error.extra_info) == {
        "code": code,
        "message": "it is 订单",
        "task_id": "t",
        "retryable": code.retryable,
        "retry_after_seconds": None,
    }


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_a_class_or_is_known_to_have_none(code: ErrorCode) -> None:
    assert (code in FLIGHT_CLASSES) is (code not in NO_CLASS_IN_FLIGHT)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCode.UNAUTHENTICATED, flight.FlightUnauthenticatedError),
        (ErrorCode.PERMISSION_DENIED, flight.FlightUnauthorizedError),
        (ErrorCode.QUEUE_FULL, flight.FlightUnavailableError),
        (ErrorCode.STORAGE_FULL, flight.FlightUnavailableError),
        (ErrorCode.STREAM_STALLED, flight.FlightTimedOutError),
        (ErrorCode.CANCELLED, flight.FlightCancelledError),
        (ErrorCode.INTERNAL, flight.FlightInternalError),
        (ErrorCode.INVALID_DATA, flight.FlightServerError),
    ],
)
def test_the_class_is_the_nearest_one(code: ErrorCode, kind: type[flight.FlightError]) -> None:
    assert type(flight_error(ServiceError(code, "no"))) is kind


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ServiceError(ErrorCode.QUEUE_FULL, "full"), "QUEUE_FULL"),
        (InvalidData("a value"), "INVALID_DATA"),
        (OSError(28, "No space left on device", "/secret/file"), "STORAGE_FULL"),
        (PermissionError(13, "Permission denied", "/secret/file"), "STORAGE_ERROR"),
        (KeyError("/secret"), "INTERNAL"),
        (MemoryError("/secret"), "INTERNAL"),
    ],
)
def test_whatever_is_raised_leaves_as_a_flight_error_without_its_inside(
    raised: Exception, code: str
) -> None:
    with pytest.raises(flight.FlightError) as left, answering():
        raise raised
    assert json.loads(left.value.extra_info)["code"] == code
    assert "secret" not in str(left.value)
    assert left.value.__suppress_context__


@pytest.mark.parametrize("seconds", [12.0, None])
def test_the_hint_when_to_retry_is_in_the_extra_info(seconds: float | None) -> None:
    error = flight_error(ServiceError(ErrorCode.QUEUE_FULL, "full", retry_after=seconds))
    assert json.loads(error.extra_info)["retry_after_seconds"] == seconds


def test_what_ends_the_process_is_left_alone() -> None:
    with pytest.raises(KeyboardInterrupt), answering():
        raise KeyboardInterrupt

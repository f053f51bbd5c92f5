"""What each door makes of an error code: the one table from domain errors to the wire.

Flight in Python can send `extra_info` and no traceback only with its own error classes, of which
there are seven; a raised ArrowInvalid or KeyError, which would give INVALID_ARGUMENT or NOT_FOUND,
takes a full Python traceback with it (measured on pyarrow 26). So the remaining codes travel as
FlightServerError, and every error carries its code as JSON in `extra_info` and before its message.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from pyarrow import flight

from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.logs import Event, get_logger

_log = get_logger("flight")

FlightErrorClass = Callable[[str, bytes], flight.FlightError]

_UNAVAILABLE: Final = flight.FlightUnavailableError
_TIMED_OUT: Final = flight.FlightTimedOutError

FLIGHT_CLASSES: Final[Mapping[ErrorCode, FlightErrorClass]] = MappingProxyType(
    {
        ErrorCode.UNAUTHENTICATED: flight.FlightUnauthenticatedError,
        ErrorCode.PERMISSION_DENIED: flight.FlightUnauthorizedError,
        ErrorCode.QUEUE_FULL: _UNAVAILABLE,
        ErrorCode.RATE_LIMITED: _UNAVAILABLE,
        ErrorCode.SHUTTING_DOWN: _UNAVAILABLE,
        ErrorCode.STORAGE_FULL: _UNAVAILABLE,
        ErrorCode.STORAGE_ERROR: _UNAVAILABLE,
        ErrorCode.UPLOAD_ERROR: _UNAVAILABLE,
        ErrorCode.INTERRUPTED: _UNAVAILABLE,
        ErrorCode.QUEUE_TIMEOUT: _TIMED_OUT,
        ErrorCode.STREAM_STALLED: _TIMED_OUT,
        ErrorCode.CANCELLED: flight.FlightCancelledError,
        ErrorCode.INTERNAL: flight.FlightInternalError,
    }
)
"""Codes that are not here have no class of their own in Flight: FlightServerError."""


def flight_error(error: ServiceError) -> flight.FlightError:
    """The Flight error for one of ours."""
    make = FLIGHT_CLASSES.get(error.code, flight.FlightServerError)
    extra = {
        "code": error.code,
        "message": error.message,
        "task_id": error.task_id,
        "retryable": error.code.retryable,
    }
    return make(str(error), json.dumps(extra, ensure_ascii=False).encode())


@contextmanager
def answering() -> Iterator[None]:
    """Everything that is raised inside leaves as a Flight error, nothing as a traceback."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # nothing may reach the wire untranslated
        answer = translate(error)
        if answer.code is ErrorCode.INTERNAL and not isinstance(error, ServiceError):
            _log.error(Event.SystemError, "a call failed unexpectedly", error=error)
        elif answer.code is ErrorCode.INVALID_DESCRIPTOR and answer.task_id is None:
            # With a task id it is the end of a task, which has a line of its own.
            _log.info(Event.ValidationError, "a request was refused", reason=answer.message)
        raise flight_error(answer) from None

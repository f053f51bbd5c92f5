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
from flight_server.logs import Event, Logger, get_logger

_log = get_logger("flight")

FlightErrorClass = Callable[[str, bytes], flight.FlightError]

_REFUSED_EARLY: Final = frozenset({ErrorCode.INVALID_DESCRIPTOR, ErrorCode.LIMIT_EXCEEDED})
"""What a request can be refused with before there is a task."""

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

GRPC_STATUSES: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.INVALID_DESCRIPTOR: "INVALID_ARGUMENT",
        ErrorCode.INVALID_SCHEMA: "INVALID_ARGUMENT",
        ErrorCode.UNSUPPORTED_TYPE: "INVALID_ARGUMENT",
        ErrorCode.INVALID_DATA: "INVALID_ARGUMENT",
        ErrorCode.INCOMPLETE_STREAM: "INVALID_ARGUMENT",
        ErrorCode.ROW_COUNT_MISMATCH: "INVALID_ARGUMENT",
        ErrorCode.LIMIT_EXCEEDED: "INVALID_ARGUMENT",
        ErrorCode.UNAUTHENTICATED: "UNAUTHENTICATED",
        ErrorCode.PERMISSION_DENIED: "PERMISSION_DENIED",
        ErrorCode.TASK_NOT_FOUND: "NOT_FOUND",
        ErrorCode.ALREADY_EXISTS: "ALREADY_EXISTS",
        ErrorCode.REQUEST_ID_CONFLICT: "ALREADY_EXISTS",
        ErrorCode.QUEUE_FULL: "RESOURCE_EXHAUSTED",
        ErrorCode.RATE_LIMITED: "RESOURCE_EXHAUSTED",
        ErrorCode.SHUTTING_DOWN: "UNAVAILABLE",
        ErrorCode.QUEUE_TIMEOUT: "DEADLINE_EXCEEDED",
        ErrorCode.STREAM_STALLED: "DEADLINE_EXCEEDED",
        ErrorCode.CANCELLED: "CANCELLED",
        ErrorCode.STORAGE_FULL: "UNAVAILABLE",
        ErrorCode.STORAGE_ERROR: "UNAVAILABLE",
        ErrorCode.UPLOAD_ERROR: "UNAVAILABLE",
        ErrorCode.INTERRUPTED: "UNAVAILABLE",
        ErrorCode.INTERNAL: "INTERNAL",
    }
)
"""Names of gRPC's status codes: the library itself is known to its shim only."""


def flight_error(error: ServiceError) -> flight.FlightError:
    """The Flight error for one of ours."""
    make = FLIGHT_CLASSES.get(error.code, flight.FlightServerError)
    extra = {
        "code": error.code,
        "message": error.message,
        "task_id": error.task_id,
        "retryable": error.code.retryable,
        "retry_after_seconds": error.retry_after,
    }
    return make(str(error), json.dumps(extra, ensure_ascii=False).encode())


def answer_to(error: Exception, log: Logger) -> ServiceError:
    """What a caller is told of an error, which is logged where nobody has logged it yet."""
    answer = translate(error)
    if answer.code is ErrorCode.INTERNAL and not isinstance(error, ServiceError):
        log.error(Event.SystemError, "a call failed unexpectedly", error=error)
    elif answer.code in _REFUSED_EARLY and answer.task_id is None:
        # With a task id it is the end of a task, which has a line of its own.
        log.info(Event.ValidationError, "a request was refused", reason=answer.message)
    return answer


@contextmanager
def answering() -> Iterator[None]:
    """Everything that is raised inside leaves as a Flight error, nothing as a traceback."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # nothing may reach the wire untranslated
        raise flight_error(answer_to(error, _log)) from None

"""Errors that the service answers with: one root, one code each, one seam for foreign ones.

    ServiceError(code, message, task_id, retry_after)

The codes are those of the protocol. What a transport makes of a code is in
`transports/errors.py`; what is kept in a task is a `Failure`, never an exception.
"""

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exporters import errors as exporter_errors

MAX_MESSAGE_BYTES: Final = 460
"""Of UTF-8; with its code in front and what Flight appends, a message stays under 512.

gRPC drops the whole status when its headers exceed 8 KiB, and a message is in them three times,
once at three bytes for each of these (measured: 500 emoji arrive as "Stream removed").
"""

_CUT: Final = "…"

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ErrorCode(StrEnum):
    """Every code a caller can meet."""

    INVALID_DESCRIPTOR = "INVALID_DESCRIPTOR"
    INVALID_SCHEMA = "INVALID_SCHEMA"
    UNSUPPORTED_TYPE = "UNSUPPORTED_TYPE"
    INVALID_DATA = "INVALID_DATA"
    INCOMPLETE_STREAM = "INCOMPLETE_STREAM"
    ROW_COUNT_MISMATCH = "ROW_COUNT_MISMATCH"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    TASK_NOT_FOUND = "TASK_NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    REQUEST_ID_CONFLICT = "REQUEST_ID_CONFLICT"
    QUEUE_FULL = "QUEUE_FULL"
    RATE_LIMITED = "RATE_LIMITED"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    QUEUE_TIMEOUT = "QUEUE_TIMEOUT"
    STREAM_STALLED = "STREAM_STALLED"
    CANCELLED = "CANCELLED"
    STORAGE_FULL = "STORAGE_FULL"
    STORAGE_ERROR = "STORAGE_ERROR"
    UPLOAD_ERROR = "UPLOAD_ERROR"
    INTERRUPTED = "INTERRUPTED"
    INTERNAL = "INTERNAL"

    @property
    def retryable(self) -> bool:
        """Whether the same request can succeed later."""
        return self in _RETRYABLE


_RETRYABLE: Final = frozenset(
    {
        ErrorCode.INCOMPLETE_STREAM,
        ErrorCode.ROW_COUNT_MISMATCH,
        ErrorCode.QUEUE_FULL,
        ErrorCode.RATE_LIMITED,
        ErrorCode.SHUTTING_DOWN,
        ErrorCode.QUEUE_TIMEOUT,
        ErrorCode.STREAM_STALLED,
        ErrorCode.STORAGE_FULL,
        ErrorCode.STORAGE_ERROR,
        ErrorCode.UPLOAD_ERROR,
        ErrorCode.INTERRUPTED,
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, as it is stored and shown."""

    code: ErrorCode
    message: str

    @property
    def retryable(self) -> bool:
        """Whether the same request can succeed later."""
        return self.code.retryable


class ServiceError(Exception):
    """A refusal or failure with its code; `message` is one sentence for the caller.

    `retry_after` is a hint: in how many seconds the same request is likely to be taken.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        task_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.code = code
        self.message = _shortened(message)
        self.task_id = task_id
        self.retry_after = retry_after
        super().__init__(f"{code}: {self.message}")

    @property
    def failure(self) -> Failure:
        """The value that a task keeps."""
        return Failure(self.code, self.message)


def _shortened(message: str) -> str:
    """`message` within the bound: its beginning says what was wrong.

    What has no UTF-8, as half a surrogate pair out of JSON, is spelt out.
    """
    encoded = message.encode(errors="backslashreplace")
    if len(encoded) <= MAX_MESSAGE_BYTES:
        return encoded.decode()
    return encoded[: MAX_MESSAGE_BYTES - len(_CUT.encode())].decode(errors="ignore") + _CUT


_EXPORTER_CODES: Final[tuple[tuple[type[exporter_errors.ExporterError], ErrorCode], ...]] = (
    (exporter_errors.InvalidOptions, ErrorCode.INVALID_DESCRIPTOR),
    (exporter_errors.InvalidSchema, ErrorCode.INVALID_SCHEMA),
    (exporter_errors.UnsupportedType, ErrorCode.UNSUPPORTED_TYPE),
    (exporter_errors.InvalidData, ErrorCode.INVALID_DATA),
    (exporter_errors.LimitExceeded, ErrorCode.LIMIT_EXCEEDED),
)


def translate(error: BaseException) -> ServiceError:
    """The one seam where foreign errors become ours.

    A file-system error keeps its kind but not its path; anything unknown is INTERNAL and says
    nothing of its inside, which belongs into the log.
    """
    if isinstance(error, ServiceError):
        return error
    for kind, code in _EXPORTER_CODES:
        if isinstance(error, kind):
            return ServiceError(code, str(error))
    if isinstance(error, OSError):
        return _translate_os_error(error)
    return ServiceError(ErrorCode.INTERNAL, "the export failed inside the server; see its log")


def _translate_os_error(error: OSError) -> ServiceError:
    if error.errno in _DISK_FULL:
        message = "the server's disk is full; retry when space has been freed"
        return ServiceError(ErrorCode.STORAGE_FULL, message)
    return ServiceError(ErrorCode.STORAGE_ERROR, f"the server's disk failed: {error.strerror}")

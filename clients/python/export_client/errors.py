"""What can go wrong: one root, few branches, one seam for the errors of Flight.

    ExportError
    ├── AlreadyExists      the request id is in progress, or belongs to another request
    ├── Cancelled          the export was cancelled
    ├── ConnectionFailed   the server cannot be reached, or the connection broke
    ├── DownloadFailed     the bytes that came are not the bytes of the export
    ├── IncompleteExport   the stream ended early or with another number of rows
    ├── InvalidRequest     the descriptor, the schema or the data are refused: do not retry
    ├── TaskNotFound       no such export, or not this client's
    ├── TimedOut           the client waited as long as it was told to
    ├── Unauthorized       no token, a wrong one, or no right to this export
    └── Unavailable        the server cannot do it now: retry later

A code that this version does not know, and INTERNAL, are a plain `ExportError`. Errors of the
data's own source are never wrapped.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.flight as fl


class ExportError(Exception):
    """An export, or a question about one, failed.

    `code` is a stable name, `message` one sentence for people, `retryable` whether the same
    request can succeed later, `task_id` the export concerned, if one exists, `retry_after` the
    seconds after which the server expects to take the request, if it said so.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retryable: bool = False,
        task_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        # All five are args, so that the error survives pickling between processes.
        super().__init__(code, message, retryable, task_id, retry_after)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.task_id = task_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class AlreadyExists(ExportError):
    """The request id is in progress (see `task_id`), or belongs to another request."""


class Cancelled(ExportError):
    """The export was cancelled."""


class ConnectionFailed(ExportError):
    """The server cannot be reached, or the connection broke."""


class DownloadFailed(ExportError):
    """The bytes that came are not the bytes of the export."""


class IncompleteExport(ExportError):
    """The stream ended early or with another number of rows than declared."""


class InvalidRequest(ExportError):
    """The descriptor, the schema or the data are refused; retrying cannot help."""


class TaskNotFound(ExportError):
    """There is no such export, or it is not this client's."""


class TimedOut(ExportError):
    """The client waited as long as it was told to."""


class Unauthorized(ExportError):
    """No token, a wrong one, or no right to this export."""


class Unavailable(ExportError):
    """The server cannot do it now; the same request can succeed later."""


_CODES: Final[dict[type[ExportError], tuple[str, ...]]] = {
    AlreadyExists: ("ALREADY_EXISTS", "REQUEST_ID_CONFLICT"),
    Cancelled: ("CANCELLED",),
    IncompleteExport: ("INCOMPLETE_STREAM", "ROW_COUNT_MISMATCH"),
    InvalidRequest: (
        "INVALID_DESCRIPTOR",
        "INVALID_SCHEMA",
        "UNSUPPORTED_TYPE",
        "INVALID_DATA",
        "LIMIT_EXCEEDED",
    ),
    TaskNotFound: ("TASK_NOT_FOUND",),
    Unauthorized: ("UNAUTHENTICATED", "PERMISSION_DENIED"),
    Unavailable: (
        "QUEUE_FULL",
        "RATE_LIMITED",
        "SHUTTING_DOWN",
        "QUEUE_TIMEOUT",
        "STREAM_STALLED",
        "STORAGE_FULL",
        "STORAGE_ERROR",
        "UPLOAD_ERROR",
        "INTERRUPTED",
    ),
    ExportError: ("INTERNAL",),
}
_KINDS: Final = {code: kind for kind, codes in _CODES.items() for code in codes}
_RETRYABLE_KINDS: Final = (IncompleteExport, Unavailable)

_CAUSES: Final = (
    ("http1.x server", "an HTTP server answers there; is that the Flight port?"),
    ("Connection refused", "connection refused; is the server running at that address and port?"),
    (
        "Ssl handshake",
        "the TLS handshake failed; grpc+tls:// is for TLS, grpc:// for plain servers",
    ),
    ("lookup", "the host name is not known"),
    ("handshaker shutdown", "no answer; is a firewall in between?"),
    ("imeout", "no answer; is a firewall in between?"),
    ("Socket closed", "the connection broke; the server may have stopped"),
    ("reset", "the connection broke; the server may have stopped"),
)

# What pyarrow appends to a server's message.
_TAIL: Final = re.compile(
    r"\.? (Detail|Client context|gRPC client debug context):.*|\n.*", re.DOTALL
)
_CODED: Final = re.compile(r"([A-Z][A-Z_]+): (.+)", re.DOTALL)


def of_code(
    code: str,
    message: str,
    *,
    retryable: bool | None = None,
    task_id: str | None = None,
    retry_after: float | None = None,
) -> ExportError:
    """The error of a protocol code; `retryable` follows from the code when not given."""
    kind = _KINDS.get(code, ExportError)
    if retryable is None:
        retryable = issubclass(kind, _RETRYABLE_KINDS)
    return kind(code, message, retryable, task_id, retry_after)


@contextmanager
def wire_errors(url: str, *, task_id: str | None = None) -> Iterator[None]:
    """The seam: whatever Flight raises inside leaves as an `ExportError`."""
    try:
        yield
    except (fl.FlightError, pa.ArrowException, OSError) as error:
        raise from_wire(error, url, task_id) from error


def from_wire(error: Exception, url: str, task_id: str | None = None) -> ExportError:
    """What an error of Flight means.

    The server's `extra_info` decides when there is one: pyarrow decorates the message, and has
    no class for most codes.
    """
    info = _extra_info(error)
    if info is not None:
        return of_code(
            str(info["code"]),
            str(info.get("message", "")) or _sentence(error),
            retryable=info.get("retryable"),
            task_id=info.get("task_id") or task_id,
            retry_after=info.get("retry_after_seconds"),
        )
    coded = _CODED.fullmatch(_sentence(error))
    if coded is not None and coded[1] in _KINDS:
        return of_code(coded[1], coded[2], task_id=task_id)
    return _from_class(error, url, task_id)


def _extra_info(error: Exception) -> dict[str, Any] | None:
    try:
        info = json.loads(getattr(error, "extra_info", b""))
    except ValueError:
        return None
    return info if isinstance(info, dict) and "code" in info else None


def _from_class(error: Exception, url: str, task_id: str | None) -> ExportError:
    """The transport itself failed, or something that is no Export Middleware answered."""
    match error:
        case fl.FlightUnavailableError():
            cause = next((text for sign, text in _CAUSES if sign in str(error)), "no connection")
            message = f"cannot reach the export server at {url}: {cause}"
            return ConnectionFailed("CONNECTION_FAILED", message, True, task_id)
        case fl.FlightInternalError() if "RST_STREAM" in str(error):
            # What a proxy makes of a server that dies in the middle of a call.
            message = f"the connection to the export server at {url} broke behind a proxy"
            return ConnectionFailed("CONNECTION_FAILED", message, True, task_id)
        case fl.FlightTimedOutError():
            message = f"the export server at {url} did not answer within the client's timeout"
            return TimedOut("TIMED_OUT", message, True, task_id)
        case fl.FlightUnauthenticatedError():
            return of_code("UNAUTHENTICATED", f"{url} does not accept the token", task_id=task_id)
        case fl.FlightUnauthorizedError():
            return of_code("PERMISSION_DENIED", f"{url} does not permit this", task_id=task_id)
        case fl.FlightCancelledError():
            return of_code("CANCELLED", "the call was cancelled", task_id=task_id)
        case pa.ArrowNotImplementedError():
            message = f"{url} does not know this call; is it an export server of this version?"
            return ExportError("UNIMPLEMENTED", message, False, task_id)
        case _:
            return of_code("INTERNAL", _sentence(error) or f"{url} failed", task_id=task_id)


def _sentence(error: Exception) -> str:
    return _TAIL.sub("", str(error))

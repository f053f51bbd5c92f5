"""What an error looks like over HTTP: the one table domain error -> status, and two faces.

Programs get `{"error": {"code", "message", "retryable"}}`; a person whose browser asks for HTML
gets the same sentence on a page. Neither holds a path, a traceback or a credential.
"""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Final, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ExceptionHandler

from flight_server.errors import ErrorCode, ServiceError, translate

STATUS: Final[Mapping[ErrorCode, HTTPStatus]] = {
    ErrorCode.INVALID_DESCRIPTOR: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_SCHEMA: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNSUPPORTED_TYPE: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_DATA: HTTPStatus.BAD_REQUEST,
    ErrorCode.INCOMPLETE_STREAM: HTTPStatus.BAD_REQUEST,
    ErrorCode.ROW_COUNT_MISMATCH: HTTPStatus.BAD_REQUEST,
    ErrorCode.LIMIT_EXCEEDED: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    ErrorCode.TASK_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    ErrorCode.REQUEST_ID_CONFLICT: HTTPStatus.CONFLICT,
    ErrorCode.QUEUE_FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.SHUTTING_DOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.QUEUE_TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    ErrorCode.STREAM_STALLED: HTTPStatus.GATEWAY_TIMEOUT,
    ErrorCode.CANCELLED: HTTPStatus.CONFLICT,
    ErrorCode.STORAGE_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
    ErrorCode.STORAGE_ERROR: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.UPLOAD_ERROR: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERRUPTED: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}

SAFE_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    # The query of a link is a credential: it goes to no other site.
    "Referrer-Policy": "no-referrer",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}}\
</style>
<h1>{title}</h1>
<p>{message}</p>
"""
_PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


class HttpError(Exception):
    """An answer that is not the one asked for: `code` for programs, `message` for people."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.retryable = retryable
        self.headers = headers or {}
        super().__init__(f"{status.value} {code}: {message}")


def from_service(error: ServiceError) -> HttpError:
    """The HTTP face of a domain error."""
    return HttpError(STATUS[error.code], error.code, error.message, retryable=error.code.retryable)


def error_response(request: Request, error: HttpError) -> Response:
    """`error` as a page for people or as JSON for programs, whichever the request prefers."""
    headers = {**SAFE_HEADERS, "Cache-Control": "no-store", "Vary": "Accept", **error.headers}
    if prefers_html(request.headers.get("accept", "")):
        page = _PAGE.format(title=escape(error.status.phrase), message=escape(error.message))
        headers["Content-Security-Policy"] = _PAGE_POLICY
        return HTMLResponse(page, error.status, headers)
    body = {"code": error.code, "message": error.message, "retryable": error.retryable}
    return JSONResponse({"error": body}, error.status, headers)


def prefers_html(accept: str) -> bool:
    """Whether an Accept header names HTML, and nothing that JSON would satisfy ranks above it."""
    ranks: dict[str, float] = {}
    for part in accept.split(","):
        media_type, _, parameters = part.partition(";")
        ranks[media_type.strip().lower()] = _quality(parameters)
    html = ranks.get("text/html", 0.0)
    return html > 0 and html >= ranks.get("application/json", 0.0)


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


Raised = TypeVar("Raised", bound=Exception)


def exception_handlers() -> dict[type[Exception], ExceptionHandler]:
    """Every way out of an endpoint, for `Starlette(exception_handlers=...)`."""
    return {
        HttpError: _answer_http,
        ServiceError: _answer_service,
        HTTPException: _answer_starlette,
        Exception: _answer_unknown,
    }


async def _answer_http(request: Request, error: Exception) -> Response:
    return error_response(request, _checked(error, HttpError))


async def _answer_service(request: Request, error: Exception) -> Response:
    return error_response(request, from_service(_checked(error, ServiceError)))


async def _answer_starlette(request: Request, error: Exception) -> Response:
    """No such route, or no such method on it."""
    raised = _checked(error, HTTPException)
    status = HTTPStatus(raised.status_code)
    message = f"{request.method} is not served at this address: {status.phrase.lower()}"
    return error_response(request, HttpError(status, status.name, message, headers=raised.headers))


async def _answer_unknown(request: Request, error: Exception) -> Response:
    """Say nothing of its inside; Starlette raises it again for the server's log."""
    return error_response(request, from_service(translate(error)))


def _checked(error: Exception, kind: type[Raised]) -> Raised:
    if not isinstance(error, kind):
        raise TypeError(f"handler of {kind.__name__} was given {type(error).__name__}") from error
    return error

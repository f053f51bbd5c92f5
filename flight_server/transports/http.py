"""The HTTP door for people: downloads and the status of tasks."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flight_server.errors import ErrorCode, ServiceError
from flight_server.links import LinkSigner
from flight_server.transports.http_calls import LoggedCalls
from flight_server.transports.http_errors import SAFE_HEADERS, HttpError, exception_handlers
from flight_server.transports.http_files import FileDoor, FileLookup

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
"""Tasks in one answer."""

_LIMIT: Final = re.compile("[0-9]{1,4}")

TaskObject: TypeAlias = Mapping[str, object]
"""A task as the protocol shows it, ready for JSON."""


class TaskApi(Protocol):
    """The use cases behind the API. May block; called from many threads; raises ServiceError."""

    def list(self, state: str | None, limit: int, after: str | None) -> Sequence[TaskObject]:
        """Up to `limit` tasks, newest first, of one state, older than the task `after`."""
        ...

    def get(self, task_id: str) -> TaskObject:
        """One task. Raises TASK_NOT_FOUND."""
        ...

    def cancel(self, task_id: str) -> TaskObject:
        """The task, which has ended. Idempotent. Raises TASK_NOT_FOUND."""
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_http_app(
    *,
    signer: LinkSigner,
    files: FileLookup,
    tasks: TaskApi,
    now: Callable[[], datetime] = _utc_now,
) -> Starlette:
    """The application to serve on `server.status_port`."""
    door = FileDoor(signer, files, now)
    return Starlette(
        routes=[door.route, *_TaskRoutes(tasks).routes],
        middleware=[Middleware(LoggedCalls)],
        exception_handlers=exception_handlers(),
    )


class _TaskRoutes:
    def __init__(self, tasks: TaskApi) -> None:
        self._tasks = tasks

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/api/tasks", self._list, methods=["GET"]),
            Route("/api/tasks/{task_id}", self._get, methods=["GET"]),
            Route("/api/tasks/{task_id}/cancel", self._cancel, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        """`{tasks, next}`: `next` is the `after` of the following page, null on the last one."""
        query = request.query_params
        limit = _limit(query.get("limit"))
        tasks = await run_in_threadpool(
            self._tasks.list, query.get("state"), limit, query.get("after")
        )
        following = tasks[-1]["task_id"] if len(tasks) == limit else None
        return _answer({"tasks": tasks, "next": following})

    async def _get(self, request: Request) -> Response:
        return _answer(await run_in_threadpool(self._tasks.get, request.path_params["task_id"]))

    async def _cancel(self, request: Request) -> Response:
        _require_json(request)
        return _answer(await run_in_threadpool(self._tasks.cancel, request.path_params["task_id"]))


def _answer(body: object) -> Response:
    # Tasks hold signed links: they stay out of every cache.
    return JSONResponse(body, headers={**SAFE_HEADERS, "Cache-Control": "no-store"})


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (_LIMIT.fullmatch(text) and 1 <= int(text) <= MAX_LIMIT):
        message = f"limit {text[:20]!r} is not a whole number from 1 to {MAX_LIMIT}"
        raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)
    return int(text)


def _require_json(request: Request) -> None:
    """Refuse what another site's page could make a browser send.

    A form can post across sites only as text/plain, multipart/form-data or urlencoded. For
    application/json a browser asks first (CORS preflight), and this door never agrees.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = f"content type {content_type!r} is refused here; send application/json"
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)

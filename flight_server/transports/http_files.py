"""Downloads: `GET /files/{task_id}/{filename}?expires=…&signature=…`.

The signature is verified before anything is looked up, so that nobody can find out which tasks
exist. Whoever holds a genuine link was given it for a file that existed: a file that is not there
any more is therefore 410 Gone and not 404, and so is a link whose time is over.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from flight_server.errors import ErrorCode, ServiceError
from flight_server.filenames import content_disposition
from flight_server.links import LinkExpired, LinkInvalid, LinkSigner
from flight_server.transports.http_errors import SAFE_HEADERS, HttpError
from flight_server.transports.http_ranges import UnsatisfiableRange, satisfiable_ranges


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A finished file, as its task describes it."""

    path: Path
    filename: str
    content_type: str
    size: int
    sha256: str

    @property
    def etag(self) -> str:
        """A strong validator: equal tags are equal bytes."""
        return f'"{self.sha256}"'


class FileLookup(Protocol):
    """Finds the file behind a genuine link. May block; called from many threads."""

    def find_file(self, task_id: str, filename: str) -> ServedFile | None:
        """The file of a COMPLETED task, or None when there is none of that name (any more)."""
        ...


class _Download(FileResponse):
    chunk_size = 256 * 1024  # each read is a hop to a thread: four times fewer than by default


class FileDoor:
    """The endpoint of signed links."""

    def __init__(self, signer: LinkSigner, files: FileLookup, now: Callable[[], datetime]) -> None:
        self._signer = signer
        self._files = files
        self._now = now

    @property
    def route(self) -> Route:
        """Where the links point."""
        return Route("/files/{task_id}/{filename}", self._download, methods=["GET", "HEAD"])

    async def _download(self, request: Request) -> Response:
        task_id, filename = self._verified(request)
        file, status = await run_in_threadpool(self._find, task_id, filename)
        headers = _headers(file)
        if _unchanged(request, file.etag):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        _keep_usable_range(request, file)
        return _Download(
            file.path, headers={**headers, "Content-Type": file.content_type}, stat_result=status
        )

    def _verified(self, request: Request) -> tuple[str, str]:
        task_id, filename = request.path_params["task_id"], request.path_params["filename"]
        expires = request.query_params.get("expires", "")
        signature = request.query_params.get("signature", "")
        try:
            self._signer.verify(
                task_id, filename, expires=expires, signature=signature, now=self._now()
            )
        except LinkInvalid as error:
            message = "This link is not valid. Was it copied completely?"
            raise HttpError(HTTPStatus.FORBIDDEN, "LINK_INVALID", message) from error
        except LinkExpired as error:
            message = "This link has expired. Ask for a new one where you found it."
            raise HttpError(HTTPStatus.GONE, "LINK_EXPIRED", message) from error
        return task_id, filename

    def _find(self, task_id: str, filename: str) -> tuple[ServedFile, os.stat_result]:
        if (file := self._files.find_file(task_id, filename)) is None:
            raise _gone()
        try:
            status = file.path.stat()
        except FileNotFoundError as error:
            raise _gone() from error
        if status.st_size != file.size:
            message = "the file was changed on the server's disk and is not served"
            raise ServiceError(ErrorCode.STORAGE_ERROR, message, task_id=task_id)
        return file, status


def _headers(file: ServedFile) -> dict[str, str]:
    return {
        **SAFE_HEADERS,
        "Cache-Control": "private",
        "Content-Disposition": content_disposition(file.filename),
        "ETag": file.etag,
    }


def _gone() -> HttpError:
    message = "This file is no longer available. Export it again to get a new link."
    return HttpError(HTTPStatus.GONE, "FILE_GONE", message)


def _unchanged(request: Request, etag: str) -> bool:
    """Whether the client has these bytes already; If-None-Match compares weakly (RFC 9110)."""
    known = request.headers.get("if-none-match", "").split(",")
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in known)


def _keep_usable_range(request: Request, file: ServedFile) -> None:
    """Leave in the request the ranges to be sent, in plain form, or none for the whole file."""
    headers = MutableHeaders(scope=request.scope)
    header, condition = headers.get("range"), headers.get("if-range")
    del headers["range"], headers["if-range"]
    if header is None or condition not in {None, file.etag}:
        return
    try:
        ranges = satisfiable_ranges(header, file.size)
    except UnsatisfiableRange as error:
        raise HttpError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "RANGE_NOT_SATISFIABLE",
            f"The file has {file.size} bytes; none of them is in the range asked for.",
            headers={"Content-Range": f"bytes */{file.size}"},
        ) from error
    if ranges:
        headers["range"] = "bytes=" + ",".join(f"{first}-{last}" for first, last in ranges)

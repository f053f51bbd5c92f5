"""The use cases, whatever door they come through: export, status, list, cancel, sign, read.

A client sees its own tasks only; another's id is TASK_NOT_FOUND, as one that does not exist.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final

from exporters import formats
from exporters.options import FormatStyles
from flight_server.errors import ErrorCode, ServiceError
from flight_server.export import Export
from flight_server.health import Health
from flight_server.limits import check_request
from flight_server.logs import Event, get_logger
from flight_server.metrics import Metrics
from flight_server.pipeline import Pipeline
from flight_server.request import ExportRequest, can_be_recorded
from flight_server.storage.base import LimitedLinks, Readable, Storage, Target
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, new_task_id, utc_now
from flight_server.tasks.store import RequestIdTaken, TaskStore
from flight_server.view import task_view

MAX_PAGE: Final = 1_000
"""Tasks in one answer of `list`."""

DEFAULT_PAGE: Final = 100

_log = get_logger("service")


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What the configuration says of the use cases."""

    require_commit: bool
    url_expiry: timedelta
    styles: FormatStyles = field(default_factory=dict)


class ExportService:
    """The use cases over one manager, store and storage. Thread safe."""

    def __init__(
        self,
        *,
        manager: TaskManager,
        store: TaskStore,
        storage: Storage,
        pipeline: Pipeline,
        health: Health,
        options: ServiceOptions,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._manager = manager
        self._store = store
        self._storage = storage
        self._pipeline = pipeline
        self._health = health
        self._options = options
        self._clock = clock

    @property
    def metrics(self) -> Metrics:
        """What the doors count into."""
        return self._pipeline.metrics

    @property
    def styles(self) -> FormatStyles:
        """What the doors read requests with: the styles that the configuration has."""
        return self._options.styles

    def open(self, request: ExportRequest, client: str) -> Export | Task:
        """Let an export in, or give the COMPLETED task that the same request has made before.

        Raises `ServiceError`: ALREADY_EXISTS while the same request is in progress,
        REQUEST_ID_CONFLICT when its id belongs to another descriptor, LIMIT_EXCEEDED for more than
        any export may be, QUEUE_FULL, SHUTTING_DOWN.
        """
        check_request(request, self._pipeline.limits)
        now = self._clock()
        task = Task(
            task_id=new_task_id(now),
            request_id=request.request_id or secrets.token_hex(16),
            client=client,
            fingerprint=request.fingerprint,
            format=request.format,
            filename=request.filename,
            content_type=request.content_type,
            rows_expected=request.rows,
            created_at=now,
        )
        try:
            running = self._manager.open(task)
        except RequestIdTaken as taken:
            return _answer_again(taken, request)
        _log.bind(task_id=task.task_id).info(
            Event.TaskCreated, "an export was accepted", client=client, format=task.format
        )
        return Export(running, request, self._pipeline, require_commit=self._options.require_commit)

    def view(self, task: Task) -> dict[str, Any]:
        """The task as JSON, with a link signed now if it is COMPLETED."""
        if task.state is not TaskState.COMPLETED:
            return task_view(task)
        expires = self._limited(self._clock() + self._options.url_expiry)
        url = self._storage.link(target_of(task), expires)
        return task_view(task, url=url, expires=expires)

    def status(
        self, client: str | None, *, task_id: str | None = None, request_id: str | None = None
    ) -> Task:
        """A task by either id. Raises TASK_NOT_FOUND."""
        self.metrics.tasks.status_query()
        if not can_be_recorded(task_id or request_id or ""):
            raise _not_found(repr(task_id or request_id))
        if task_id is None and client is not None and request_id is not None:
            found = self._store.find(client, request_id)
            task_id = found.task_id if found else None
        task = self._manager.get(task_id) if task_id else None
        if task is None or client not in (None, task.client):
            wanted = task_id or request_id or ""
            _log.info(Event.StatusNotFound, "an unknown task was asked for", asked_for=wanted[:64])
            raise _not_found(wanted)
        _log.bind(task_id=task.task_id).debug(Event.StatusQueried, "the status was asked for")
        return task

    def list(
        self,
        client: str | None,
        *,
        state: str | None = None,
        limit: int = DEFAULT_PAGE,
        after: str | None = None,
    ) -> list[Task]:
        """Tasks, newest first. Raises INVALID_DESCRIPTOR for an unknown state or limit."""
        if state is not None and state not in TaskState.__members__:
            known = ", ".join(TaskState)
            raise _invalid(f"unknown state {state[:40]!r}; available: {known}")
        if not 1 <= limit <= MAX_PAGE:
            raise _invalid(f"limit {limit} is not allowed; from 1 to {MAX_PAGE}")
        wanted = None if state is None else TaskState(state)
        return self._manager.list(client=client, state=wanted, limit=limit, after=after)

    def cancel(self, client: str | None, task_id: str) -> Task:
        """End a task; one that is finished is returned as it is. Raises TASK_NOT_FOUND.

        Where another replica has it, that is noticed there within a quarter of a second.
        """
        before = self.status(client, task_id=task_id)
        elsewhere = not (before.state.finished or self._manager.runs(task_id))
        task = self._manager.cancel(task_id)
        if elsewhere and task.state is TaskState.CANCELLED:
            self._clear_away(task)
        return task

    def sign(
        self, client: str | None, task_id: str, expires_in: timedelta | None = None
    ) -> tuple[str, datetime]:
        """A link to a COMPLETED file and its expiry. Raises TASK_NOT_FOUND, INVALID_DESCRIPTOR."""
        task = self._completed(client, task_id)
        lifetime = self._options.url_expiry if expires_in is None else expires_in
        if not timedelta() < lifetime <= self._options.url_expiry:
            most = int(self._options.url_expiry.total_seconds())
            raise _invalid(f"expires_seconds: from 1 to {most}, the life of a link here")
        expires = self._limited(self._clock() + lifetime)
        return self._storage.link(target_of(task), expires), expires

    def read(self, client: str | None, task_id: str) -> tuple[Task, BinaryIO]:
        """A COMPLETED task and its file, to be closed by the caller. Raises TASK_NOT_FOUND."""
        task = self._completed(client, task_id)
        if not isinstance(self._storage, Readable):
            raise _invalid("the storage of this server is read by links only; use the url")
        try:
            return task, self._storage.open_reader(target_of(task))
        except FileNotFoundError as error:
            message = f"the file of task {task_id} is no longer available; export it again"
            raise ServiceError(ErrorCode.TASK_NOT_FOUND, message, task_id=task_id) from error

    def formats(self) -> dict[str, Any]:
        """Every format with its extensions, options, their defaults and the styles there are."""
        return {
            name: {
                "content_type": each.content_type,
                "extensions": [name, *sorted(each.options.other_extensions)],
                "options": each.options.describe(self.styles.get(name)),
            }
            for name, each in sorted(formats().items())
        }

    def health(self) -> dict[str, object]:
        """The state of the service and of its components."""
        return self._health.report().as_dict()

    def _clear_away(self, task: Task) -> None:
        """Remove what is to be seen from here of a task that another replica had; it may be dead.

        What cannot be removed now is found by a later sweep.
        """
        try:
            self._storage.delete(target_of(task))
        except ServiceError as error:
            message = "what was kept of a cancelled export cannot be removed now"
            _log.bind(task_id=task.task_id).error(Event.UploadError, message, error=error)

    def _limited(self, expires: datetime) -> datetime:
        """`expires`, or earlier where what signs the link ends before."""
        storage = self._storage
        limit = storage.links_hold_until() if isinstance(storage, LimitedLinks) else None
        return expires if limit is None else min(expires, limit)

    def _completed(self, client: str | None, task_id: str) -> Task:
        task = self.status(client, task_id=task_id)
        if task.state is not TaskState.COMPLETED:
            message = f"task {task_id} is {task.state}; it has a file only once it is COMPLETED"
            raise ServiceError(ErrorCode.TASK_NOT_FOUND, message, task_id=task_id)
        return task


def target_of(task: Task) -> Target:
    """Where the file of a task is kept."""
    return Target(task.task_id, task.client, task.filename, task.content_type, task.request_id)


def _answer_again(taken: RequestIdTaken, request: ExportRequest) -> Task:
    """The idempotent answer to a request whose id is known."""
    existing = taken.existing
    if existing.fingerprint != request.fingerprint:
        raise ServiceError(
            ErrorCode.REQUEST_ID_CONFLICT,
            f"request_id {existing.request_id!r} was used for another export, "
            f"task {existing.task_id}; use a new one",
            task_id=existing.task_id,
        ) from taken
    if existing.state is TaskState.COMPLETED:
        return existing
    raise taken


def _not_found(wanted: str) -> ServiceError:
    return ServiceError(ErrorCode.TASK_NOT_FOUND, f"there is no task {wanted[:64]!r}")


def _invalid(message: str) -> ServiceError:
    return ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)

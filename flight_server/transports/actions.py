"""The actions of the Flight door: JSON in, JSON out.

`CancelFlightInfo` alone is protobuf, as the Flight specification has it; its two messages are small
enough to be read and written here.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Final, TypeVar

from pyarrow import flight
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flight_server.errors import ErrorCode, ServiceError
from flight_server.service import DEFAULT_PAGE, MAX_PAGE, ExportService
from flight_server.tasks.model import TaskState
from flight_server.view import timestamp

MAX_BODY_BYTES: Final = 64 * 1024

Results = Iterable[bytes]
Model = TypeVar("Model", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Id = Annotated[str, Field(min_length=1, max_length=128)]


class _Nothing(_Body):
    """No keys."""


class _TaskId(_Body):
    task_id: Id


class _EitherId(_Body):
    task_id: Id | None = None
    request_id: Id | None = None


class ListBody(_Body):
    """Which tasks to list."""

    state: str | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE
    after: Id | None = None


class _Url(_TaskId):
    expires_seconds: Annotated[int, Field(ge=1)] | None = None


class Actions:
    """Every action by name, over the service."""

    def __init__(self, service: ExportService) -> None:
        self._service = service
        self._actions: Mapping[str, tuple[Callable[[str, bytes], Results], str]] = {
            "status": (self._status, "{task_id} or {request_id}: the task"),
            "list": (self._list, "{state?, limit?, after?}: tasks, newest first"),
            "cancel": (self._cancel, "{task_id}: ends the task and returns it"),
            "url": (self._url, "{task_id, expires_seconds?}: {url, url_expires_at}"),
            "formats": (
                self._formats,
                "{}: formats with their extensions, options, defaults and styles",
            ),
            "health": (self._health, "{}: {status, components}"),
            "CancelFlightInfo": (self._cancel_flight_info, "as in the Flight specification"),
        }

    def listed(self) -> list[tuple[str, str]]:
        """Names and descriptions."""
        return [(name, description) for name, (_, description) in self._actions.items()]

    def run(self, client: str, name: str, body: bytes) -> Results:
        """The results of an action. Raises INVALID_DESCRIPTOR for one that does not exist."""
        if name not in self._actions:
            available = ", ".join(self._actions)
            raise _invalid(f"unknown action {name[:40]!r}; available: {available}")
        if len(body) > MAX_BODY_BYTES and name != "CancelFlightInfo":
            raise _invalid(f"the body has {len(body)} bytes; at most {MAX_BODY_BYTES}")
        return self._actions[name][0](client, body)

    def _status(self, client: str, body: bytes) -> Results:
        asked = parse_body(_EitherId, body)
        if (asked.task_id is None) == (asked.request_id is None):
            raise _invalid("give either task_id or request_id")
        task = self._service.status(client, task_id=asked.task_id, request_id=asked.request_id)
        return [_json(self._service.view(task))]

    def _list(self, client: str, body: bytes) -> Results:
        asked = parse_body(ListBody, body)
        tasks = self._service.list(client, state=asked.state, limit=asked.limit, after=asked.after)
        return (_json(self._service.view(task)) for task in tasks)

    def _cancel(self, client: str, body: bytes) -> Results:
        task = self._service.cancel(client, parse_body(_TaskId, body).task_id)
        return [_json(self._service.view(task))]

    def _url(self, client: str, body: bytes) -> Results:
        asked = parse_body(_Url, body)
        seconds = asked.expires_seconds
        lifetime = None if seconds is None else timedelta(seconds=min(seconds, 10**9))
        url, expires = self._service.sign(client, asked.task_id, lifetime)
        return [_json({"url": url, "url_expires_at": timestamp(expires)})]

    def _formats(self, _client: str, body: bytes) -> Results:
        parse_body(_Nothing, body)
        return [_json(self._service.formats())]

    def _health(self, _client: str, body: bytes) -> Results:
        parse_body(_Nothing, body)
        return [_json(self._service.health())]

    def _cancel_flight_info(self, client: str, body: bytes) -> Results:
        task_id = task_id_of(flight_info_in(body))
        task = self._service.cancel(client, task_id)
        cancelled = task.state is TaskState.CANCELLED
        return [_CANCELLED if cancelled else _NOT_CANCELLABLE]


_CANCELLED: Final = b"\x08\x01"
"""CancelFlightInfoResult {status: CANCEL_STATUS_CANCELLED} (Flight.proto)."""

_NOT_CANCELLABLE: Final = b"\x08\x03"

_INFO_FIELD: Final = b"\x0a"
"""Field 1, length-delimited: CancelFlightInfoRequest.info."""


def flight_info_in(body: bytes) -> flight.FlightInfo:
    """The FlightInfo in a serialized CancelFlightInfoRequest. Raises INVALID_DESCRIPTOR."""
    if body[:1] != _INFO_FIELD:
        raise _not_a_request()
    length, start = _varint(body, len(_INFO_FIELD))
    if len(body) - start != length:
        raise _not_a_request()
    try:
        return flight.FlightInfo.deserialize(body[start:])
    except (flight.FlightError, ValueError, OSError):
        raise _invalid("the body holds no FlightInfo") from None


def _varint(body: bytes, place: int) -> tuple[int, int]:
    """The length that stands at `place`, and where it ends."""
    value = 0
    for shift, octet in enumerate(body[place : place + 5]):
        value |= (octet & 0x7F) << 7 * shift
        if octet < 0x80:
            return value, place + shift + 1
    raise _not_a_request()


def task_id_of(info: flight.FlightInfo) -> str:
    """The task that a FlightInfo of ours describes."""
    return path_task_id(info.descriptor)


def path_task_id(descriptor: flight.FlightDescriptor) -> str:
    """The task id in a PATH descriptor. Raises INVALID_DESCRIPTOR."""
    path = descriptor.path or []
    if len(path) != 1 or not path[0]:
        raise _invalid("give a PATH descriptor with one segment, the task_id")
    return str(path[0].decode(errors="replace"))


def parse_body(model: type[Model], body: bytes) -> Model:
    """The JSON object in `body`; an empty body has no keys. Raises INVALID_DESCRIPTOR."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(model.model_fields) or "none"
        where = f"{key}: " if key else ""
        raise _invalid(f"{where}{first['msg']}; keys of this body: {known}") from None


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _not_a_request() -> ServiceError:
    return _invalid("the body is not a CancelFlightInfoRequest")


def _invalid(message: str) -> ServiceError:
    return ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)

"""The door of the original contract: decodes, delegates to the service, encodes.

It knows nothing of the gRPC library: the shim gives it the messages of a call as bytes, and
takes its answers and errors.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import quote

from google.protobuf.message import DecodeError

from flight_server.errors import ErrorCode, ServiceError
from flight_server.export import Export
from flight_server.logs import Event, get_logger
from flight_server.request import ExportRequest
from flight_server.service import ExportService
from flight_server.tasks.model import Task
from flight_server.transports.errors import answer_to
from flight_server.transports.export_pb2 import TaskStatusRequest
from flight_server.transports.flight import ANONYMOUS
from flight_server.transports.grpc_answers import export_response, status_response
from flight_server.transports.grpc_intake import Intake
from flight_server.transports.grpc_request import column_names, empty_is_null, request_of
from flight_server.transports.grpc_rows import RowDecoder
from flight_server.transports.grpc_stream import GrpcStream
from flight_server.transports.grpc_wire import metadata_of, payload_of
from flight_server.transports.refusals import refusals, refused

TASK_ID: Final = "x-task-id"
"""Of the initial metadata, and of the trailing ones of an error: the task of the call."""

ERROR: Final = "x-error"
"""Of the initial metadata of a refused call: `CODE: message`, percent-encoded."""

DRAIN_SECONDS: Final = 5.0
DRAIN_BYTES: Final = 64 * 1024 * 1024
"""How long, and how much, a client may go on sending after its call has failed.

A client that has not half-closed when the call ends may lose the status (libcurl before 8 does).
"""

_SAFE: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
"""What gRPC leaves as it is in a `grpc-message`."""

Announce = Callable[[Mapping[str, str]], None]
"""Sends the initial metadata, the first time; later ones do nothing."""


_log = get_logger("grpc")


class GrpcDoor:
    """Both methods of the contract, on bytes. Thread safe."""

    def __init__(self, service: ExportService, first_message: timedelta) -> None:
        self._service = service
        self._first_message = first_message.total_seconds()

    def stream_export(self, intake: Intake, announce: Announce) -> bytes:
        """One export, from its first message to the encoded answer.

        Raises `ServiceError`, after the client was told at once and has been drained.
        """
        try:
            return self._export(intake, announce)
        except Exception as error:  # noqa: BLE001  # nothing may reach the wire untranslated
            answer = answer_to(error, _log)
            announce(_refusal(answer))
            intake.drain(DRAIN_SECONDS, DRAIN_BYTES)
            raise answer from None

    def crowded(self, retry_after: float) -> ServiceError:
        """Why one more export is refused, before it is read; it is counted as such."""
        message = f"as many calls are open as may be; retry in {retry_after:g} s"
        error = ServiceError(ErrorCode.QUEUE_FULL, message, retry_after=retry_after)
        refused(self._service.metrics, ANONYMOUS, error)
        return error

    def query_task_status(self, body: bytes) -> bytes:
        """The encoded state of a task. Raises `ServiceError`."""
        try:
            task = self._service.status(ANONYMOUS, task_id=_task_id(body))
            return status_response(task, self._url(task))
        except Exception as error:  # noqa: BLE001  # nothing may reach the wire untranslated
            raise answer_to(error, _log) from None

    def _export(self, intake: Intake, announce: Announce) -> bytes:
        with refusals(self._service.metrics, ANONYMOUS):
            request = self._request(intake)
            export = self._service.open(request, ANONYMOUS)
        if isinstance(export, Task):
            return self._same_again(export, intake, announce)
        announce({TASK_ID: export.task.task_id})
        intake.on_break(partial(_abandon, export))
        task = export.run(self._stream(intake, request), _unobserved)
        return export_response(task, self._url(task))

    def _request(self, intake: Intake) -> ExportRequest:
        message = intake.take(self._first_message)
        if message is None:
            text = "the stream ended before its metadata; send it as the first message"
            raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, text)
        payload = payload_of(message)
        if payload.kind == "batch":
            text = "a batch came first; send metadata as the first message"
            raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, text)
        return request_of(metadata_of(payload), self._service.styles)

    def _same_again(self, task: Task, intake: Intake, announce: Announce) -> bytes:
        """The answer that the same request has got before; its rows are not read."""
        announce({TASK_ID: task.task_id})
        intake.drain(DRAIN_SECONDS, DRAIN_BYTES)
        return export_response(task, self._url(task))

    def _url(self, task: Task) -> str | None:
        url: str | None = self._service.view(task)["url"]
        return url

    def _stream(self, intake: Intake, request: ExportRequest) -> GrpcStream:
        decoder = RowDecoder(column_names(request), empty_is_null=empty_is_null(request))
        return GrpcStream(intake, decoder)


def _abandon(export: Export, error: ServiceError) -> None:
    """The client has gone. What goes wrong here is made good when the export gets its slot."""
    try:
        export.abandon(error.failure)
    except ServiceError as failed:
        _log.error(Event.SystemError, "an export could not be ended", error=failed)


def _refusal(error: ServiceError) -> dict[str, str]:
    headers = {ERROR: quote(str(error), safe=_SAFE)}
    return headers if error.task_id is None else {**headers, TASK_ID: error.task_id}


def _task_id(body: bytes) -> str:
    try:
        task_id: str = TaskStatusRequest.FromString(body).task_id
    except DecodeError as error:
        text = "the request is no valid TaskStatusRequest in protobuf"
        raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, text) from error
    if not task_id:
        raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, "task_id is missing; it is required")
    return task_id


def _unobserved(task: Task) -> None:
    """A client-streaming call has no place for progress; the status has."""

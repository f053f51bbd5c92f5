"""The Flight door: decodes, delegates to the service, encodes."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
from pyarrow import flight

from exporters.options import FormatStyles
from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import get_logger
from flight_server.request import ExportRequest, parse_command, parse_path
from flight_server.service import ExportService
from flight_server.stream import Message
from flight_server.tasks.model import Task, TaskState
from flight_server.together import together
from flight_server.transports.actions import Actions, ListBody, parse_body, path_task_id
from flight_server.transports.errors import answering
from flight_server.transports.flight_calls import MIDDLEWARE, called
from flight_server.transports.http_server import DoorError
from flight_server.transports.put_client import PutClient
from flight_server.transports.put_results import PutResults
from flight_server.transports.refusals import refusals

FILE_SCHEMA: Final = pa.schema([pa.field("data", pa.binary(), nullable=False)])
"""What `do_get` streams: the file's bytes in order."""

CHUNK_BYTES: Final = 1024 * 1024

ANONYMOUS: Final = "anonymous"
"""The client of every call while authentication is off."""

_log = get_logger("flight")


class FlightDoor(flight.FlightServerBase):
    """Serves the protocol on `location`; gRPC gives each call a thread of its own."""

    def __init__(self, location: str, service: ExportService) -> None:
        self._service = service
        self._actions = Actions(service)
        super().__init__(location, middleware=MIDDLEWARE)

    def close(self, timeout: float) -> None:
        """Take no more calls, and give open ones `timeout` seconds.

        Flight alone would wait for ever: a client that has stopped holds its call.
        """
        together([self.shutdown], timeout)

    def do_put(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        """One export."""
        with called(context), answering():
            with refusals(self._service.metrics, ANONYMOUS):
                request = _request(descriptor, self._service.styles)
                export = self._service.open(request, ANONYMOUS)
            task = export if isinstance(export, Task) else export.task
            results = PutResults(writer, _log.bind(task_id=task.task_id))
            if isinstance(export, Task):
                results.result(self._service.view(export))
                return
            results.accepted(task)
            client = PutClient(context, self._service, results, wait=request.wait)
            client.finish(export.run(FlightStream(reader), client.observe, client.waits))

    def list_actions(
        self,
        context: flight.ServerCallContext,  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        """The actions of the protocol."""
        return self._actions.listed()

    def do_action(
        self,
        context: flight.ServerCallContext,
        action: flight.Action,
    ) -> Iterator[bytes]:
        """One action; its results as JSON."""
        with called(context), answering():
            results = self._actions.run(ANONYMOUS, action.type, action.body.to_pybytes())
        return _answered(iter(results))

    def list_flights(
        self,
        context: flight.ServerCallContext,
        criteria: bytes,
    ) -> Iterator[flight.FlightInfo]:
        """The client's exports, newest first; `criteria` is the body of `list`, or empty."""
        with called(context), answering():
            asked = parse_body(ListBody, criteria)
            tasks = self._service.list(
                ANONYMOUS, state=asked.state, limit=asked.limit, after=asked.after
            )
        return _answered(self._info(task) for task in tasks)

    def get_flight_info(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
    ) -> flight.FlightInfo:
        """Where a file can be had; without endpoints while there is none."""
        with called(context), answering():
            task = self._service.status(ANONYMOUS, task_id=path_task_id(descriptor))
            return self._info(task)

    def get_schema(
        self,
        context: flight.ServerCallContext,  # noqa: ARG002
        descriptor: flight.FlightDescriptor,  # noqa: ARG002
    ) -> flight.SchemaResult:
        """The schema of `do_get`: the same for every file, so that nothing is looked up.

        Whatever is raised here pyarrow sends with its traceback, Flight errors too (measured on
        26.0): nothing may be.
        """
        return flight.SchemaResult(FILE_SCHEMA)

    def do_get(
        self,
        context: flight.ServerCallContext,
        ticket: flight.Ticket,
    ) -> flight.FlightDataStream:
        """The bytes of a finished file."""
        with called(context), answering():
            task_id = ticket.ticket.decode(errors="replace")
            _, file = self._service.read(ANONYMOUS, task_id)
        return flight.GeneratorStream(FILE_SCHEMA, _answered(_chunks(file)))

    def do_exchange(
        self,
        context: flight.ServerCallContext,  # noqa: ARG002
        descriptor: flight.FlightDescriptor,  # noqa: ARG002
        reader: flight.MetadataRecordBatchReader,  # noqa: ARG002
        writer: flight.MetadataRecordBatchWriter,  # noqa: ARG002
    ) -> None:
        """Refused in our words: Flight's own refusal is a traceback."""
        with answering():
            message = "do_exchange is not part of the protocol; export with do_put"
            raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)

    def _info(self, task: Task) -> flight.FlightInfo:
        view = self._service.view(task)
        return flight.FlightInfo(
            FILE_SCHEMA,
            flight.FlightDescriptor.for_path(task.task_id),
            _endpoints(task, view["url"]),
            -1,
            -1 if task.size_bytes is None else task.size_bytes,
            ordered=True,
            app_metadata=json.dumps(view).encode(),
        )


class FlightStream:
    """The messages of one `do_put`, for the service.

    Whatever ends a call early (a killed client, a deadline, a reset) is a plain end of stream here
    (measured on pyarrow 26), so an error while reading is always one of the bytes received.
    """

    def __init__(self, reader: flight.MetadataRecordBatchReader) -> None:
        self._reader = reader

    @property
    def schema(self) -> pa.Schema:
        """Of every batch. Raises INVALID_SCHEMA when the first message brought none."""
        try:
            return self._reader.schema
        except (pa.ArrowException, OSError) as error:
            message = "the stream has no schema; send one with the descriptor"
            raise ServiceError(ErrorCode.INVALID_SCHEMA, message) from error

    def read(self) -> Message | None:
        """The next message; see `MessageStream.read`."""
        try:
            chunk = self._reader.read_chunk()
        except StopIteration:
            return None
        except (pa.ArrowException, OSError) as error:
            raise _bad_stream(error) from error
        metadata = chunk.app_metadata
        return Message(chunk.data, None if metadata is None else metadata.to_pybytes())


def _request(descriptor: flight.FlightDescriptor, styles: FormatStyles) -> ExportRequest:
    if descriptor.descriptor_type == flight.DescriptorType.CMD:
        return parse_command(descriptor.command, styles)
    return parse_path(descriptor.path or (), styles)


def _bad_stream(error: Exception) -> ServiceError:
    """Batches that do not fit the schema, or are not Arrow at all."""
    reason = str(error).split("\n")[0].split(". Detail:")[0].rstrip(".")
    return ServiceError(ErrorCode.INVALID_DATA, f"the stream is not valid Arrow data: {reason}")


def _endpoints(task: Task, url: str | None) -> list[flight.FlightEndpoint]:
    """One endpoint: the bytes by the link, or by the ticket over this connection."""
    if task.state is not TaskState.COMPLETED:
        return []
    links = [url] if url and url.startswith(("http://", "https://")) else []
    return [flight.FlightEndpoint(task.task_id.encode(), [*links, _SAME_CONNECTION])]


_SAME_CONNECTION: Final = "arrow-flight-reuse-connection://?"
"""Flight's name for "ask the server that told you"."""


def _chunks(file: Any) -> Iterator[pa.RecordBatch]:
    with file:
        while data := file.read(CHUNK_BYTES):
            yield pa.record_batch([pa.array([data], pa.binary())], schema=FILE_SCHEMA)


def _answered(items: Iterator[Any]) -> Iterator[Any]:
    """`items`, whose errors leave as Flight errors."""
    with answering():
        yield from items


def open_flight_door(host: str, port: int, service: ExportService) -> FlightDoor:
    """A door that answers already; `port` 0 takes a free one. Raises `DoorError`."""
    authority = f"[{host}]" if ":" in host else host
    try:
        return FlightDoor(f"grpc://{authority}:{port}", service)
    except (pa.ArrowException, OSError) as error:
        message = f"server.flight_port: port {port} of {host} cannot be opened"
        raise DoorError(message) from error

"""gRPC's library: a server whose methods are bytes in and bytes out, and the calls of it.

Nothing but this module and `grpc_extras` imports it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import grpc

from flight_server.config import Config
from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import calling
from flight_server.tasks.turnover import UNMEASURED
from flight_server.transports.errors import GRPC_STATUSES
from flight_server.transports.grpc_door import ERROR, TASK_ID, GrpcDoor
from flight_server.transports.grpc_extras import REFLECTIONS, Ready, add_extras
from flight_server.transports.grpc_intake import Intake
from flight_server.transports.grpc_wire import MAX_MESSAGE_BYTES
from flight_server.transports.http_server import DoorError

Request = TypeVar("Request")
Handler: TypeAlias = Callable[[Request, grpc.ServicerContext], bytes]

SERVICE: Final = "export.ExportService"

RETRYABLE: Final = "x-retryable"
"""Of the trailing metadata of an error: `true` or `false`."""

PUSHBACK: Final = "grpc-retry-pushback-ms"
"""Of the trailing metadata of an error: in how many milliseconds a retry is likely to be taken.

The name is gRPC's (gRFC A6). Its libraries retry by it by themselves where they are configured to
and no initial metadata came (measured with grpcio 1.85); a refused export has its reason in them,
so that here the caller's own code decides.
"""

UNARY_THREADS: Final = 8
"""For the status and health, whatever the exports do."""

DRAINING_THREADS: Final = 16
"""For calls that have been refused and are drained."""

_BROKEN: Final = (
    "the call broke off before its client half-closed it: it was cancelled, its connection or its "
    f"time was over, or a message had more than {MAX_MESSAGE_BYTES // 2**20} MiB; send it again"
)


@dataclass(frozen=True, slots=True)
class GrpcSettings:
    """What the configuration says of the door."""

    host: str
    port: int
    exports: int
    """That may run or wait at once: slots and places in the queue."""
    calls_a_connection: int
    health_interval: timedelta

    @classmethod
    def of(cls, config: Config) -> "GrpcSettings":
        """The settings of a server."""
        return cls(
            host=config.server.host,
            port=config.server.port,
            exports=config.concurrency.max_concurrent_tasks + config.concurrency.task_queue_size,
            calls_a_connection=config.server.max_connections,
            health_interval=config.monitoring.health_check_interval,
        )


class GrpcServer:
    """The open door; `port` is the one that it has."""

    def __init__(self, door: GrpcDoor, ready: Ready, settings: GrpcSettings) -> None:
        streams = settings.exports + DRAINING_THREADS
        self._streams = threading.BoundedSemaphore(streams)
        self._door = door
        self._pool = ThreadPoolExecutor(streams + UNARY_THREADS + REFLECTIONS, "grpc-call")
        self._server = grpc.server(self._pool, options=_options(settings.calls_a_connection))
        self._server.add_registered_method_handlers(SERVICE, self._handlers())
        self._health = add_extras(self._server, SERVICE, ready, settings.health_interval)
        self.port = self._bind(settings.host, settings.port)
        self._server.start()
        self._health.start()

    def look(self) -> None:
        """Tell those who watch the health that it may have changed."""
        self._health.look()

    def drain(self) -> None:
        """Tell those who watch the health, for good, that no more exports are taken."""
        self._health.enter_graceful_shutdown()

    def close(self, timeout: float) -> None:
        """Take no more calls, give open ones `timeout` seconds, then cancel them."""
        self._health.stop()
        self._server.stop(timeout).wait(timeout + 1)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _bind(self, host: str, port: int) -> int:
        authority = f"[{host}]" if ":" in host else host
        try:
            bound: int = self._server.add_insecure_port(f"{authority}:{port}")
        except RuntimeError as error:
            raise DoorError(f"server.port: port {port} of {host} cannot be opened") from error
        return bound

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        return {
            "StreamExport": grpc.stream_unary_rpc_method_handler(_called(self._stream_export)),
            "QueryTaskStatus": grpc.unary_unary_rpc_method_handler(
                _called(self._query_task_status)
            ),
        }

    def _stream_export(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        announce = _Announcement(context)
        if not self._streams.acquire(blocking=False):
            crowded = self._door.crowded(UNMEASURED)
            announce({ERROR: str(crowded)})
            _abort(context, crowded)
        intake = Intake(_messages(requests, context))
        try:
            if context.add_callback(intake.over):
                intake.start()
                return self._door.stream_export(intake, announce)
            raise _broken()
        except ServiceError as error:
            _abort(context, error)
        finally:
            self._streams.release()

    def _query_task_status(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return self._door.query_task_status(body)
        except ServiceError as error:
            _abort(context, error)


class _Announcement:
    """Sends the initial metadata of a call, once; a client that has gone hears nothing."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self._sent = False

    def __call__(self, headers: Mapping[str, str]) -> None:
        if self._sent:
            return
        self._sent = True
        try:
            self._context.send_initial_metadata(tuple(headers.items()))
        except grpc.RpcError:
            return  # cancelled: whoever reads the messages is told


def _called(handle: Handler[Request]) -> Handler[Request]:
    """`handle`, whose log lines carry the ids of its call."""

    def handler(request: Request, context: grpc.ServicerContext) -> bytes:
        with calling(dict(context.invocation_metadata()).get("traceparent")):
            return handle(request, context)

    return handler


def _messages(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """The messages of a call; ends only where the client has half-closed.

    In one of eight cancelled or broken calls grpcio's iterator ends as after a half-close: it hears
    first that there is no message and then why (measured on 1.85: 142 of 1,173 calls). Asked
    again, it has heard both (142 of 142).
    """
    try:
        yield from requests
        next(requests, None)
    except grpc.RpcError:
        raise _broken() from None
    if not context.is_active():
        raise _broken()


def _broken() -> ServiceError:
    """A new one each time: an error carries the task and the frames that it came through."""
    return ServiceError(ErrorCode.INCOMPLETE_STREAM, _BROKEN)


def _abort(context: grpc.ServicerContext, error: ServiceError) -> NoReturn:
    """End a call with the status of an error."""
    trailing = {RETRYABLE: str(error.code.retryable).lower()}
    if error.task_id is not None:
        trailing[TASK_ID] = error.task_id
    if error.retry_after is not None:
        trailing[PUSHBACK] = str(round(error.retry_after * 1000))
    context.set_trailing_metadata(tuple(trailing.items()))
    context.abort(grpc.StatusCode[GRPC_STATUSES[error.code]], str(error))
    raise error  # never: `abort` raises


def _options(calls_a_connection: int) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_concurrent_streams", calls_a_connection),
        # Two servers on one port would each get some of the calls.
        ("grpc.so_reuseport", 0),
        # A client whose machine has gone sends no end: its calls break after 40 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Clients may do the same, also while they wait for their slot.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]

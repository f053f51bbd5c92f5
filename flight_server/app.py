"""The composition root: builds the server from its configuration, runs it, drains and stops it."""

import os
import secrets
import threading
from contextlib import ExitStack
from datetime import timedelta
from socket import socket
from types import TracebackType
from typing import Final, Self

from exporters import CsvOptions, Workers, XlsxOptions, formats
from exporters.options import EVERYONE, FormatStyles
from flight_server.config import Config
from flight_server.errors import ErrorCode, Failure
from flight_server.health import Health
from flight_server.housekeeping import Housekeeper
from flight_server.links import LinkSigner
from flight_server.logs import Event, get_logger
from flight_server.metrics import Metrics
from flight_server.pipeline import Pipeline
from flight_server.recovery import Recovery
from flight_server.retrying import Retrying
from flight_server.service import ExportService, ServiceOptions, target_of
from flight_server.storage.base import LocalPath, Remote, Storage, Terms
from flight_server.storage.registry import StorageContext, open_storage
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import Task, TaskState, utc_now
from flight_server.tasks.running import Running
from flight_server.tasks.store import TaskStore
from flight_server.tasks.watchdog import Watchdog
from flight_server.transports.flight import FlightDoor, open_flight_door
from flight_server.transports.grpc_door import GrpcDoor
from flight_server.transports.grpc_shim import GrpcServer, GrpcSettings
from flight_server.transports.http import create_http_app
from flight_server.transports.http_ops import create_ops_app
from flight_server.transports.http_people import PeopleApi
from flight_server.transports.http_server import HttpDoor, address_of, bind
from flight_server.warm_up import warm_up

WATCH_INTERVAL: Final = timedelta(seconds=1)

DOOR_TIMEOUT: Final = 5.0
"""Seconds that a door gets to close once no export runs any more."""

_SHUT_DOWN: Final = Failure(
    ErrorCode.SHUTTING_DOWN, "the server was shut down before the export was finished; retry"
)

_log = get_logger("server")


class Server:
    """A running server: entered, every door is open; left, all of it is released.

    Entering raises `DoorError`, `StateError` or `ServiceError` with one sentence when it cannot.
    """

    addresses: dict[str, str | int]
    """What the ready file says: the address of every open door, and the process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._health = Health()
        self._metrics = Metrics(formats().keys())
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        _log.info(Event.ServerStarted, "every door is open", addresses=self.addresses)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        _log.info(Event.ServerStopped, "the server has stopped")

    def drain(self, hurry: threading.Event) -> None:
        """Refuse new exports and let running ones finish within `server.shutdown_grace`.

        Those that are left then, or once `hurry` is set, end FAILED with SHUTTING_DOWN; but for
        those that are UPLOADING: their files are durable, and the next start publishes them.
        """
        self._health.draining()
        self._grpc.look()
        self._manager.drain()
        idle = threading.Event()
        waiter = threading.Thread(target=self._wait_idle, args=(idle, hurry), daemon=True)
        waiter.start()
        hurry.wait(self._config.server.shutdown_grace.total_seconds())
        if not idle.is_set():
            for running in self._manager.running:
                if running.task.state is not TaskState.UPLOADING:
                    _shut_down(running)

    def _wait_idle(self, idle: threading.Event, hurry: threading.Event) -> None:
        if self._manager.wait_idle(self._config.server.shutdown_grace):
            idle.set()
            hurry.set()

    def _start(self, stack: ExitStack) -> None:
        config = self._config
        # Ports first: a second server on the same ports must not touch the first one's tasks.
        host = config.server.host
        people = _bound(stack, host, config.server.status_port, "server.status_port")
        ops = _bound(stack, host, config.monitoring.metrics_port, "monitoring.metrics_port")
        # gRPC takes no bound socket, and complains on standard error when it cannot bind itself.
        bind(host, config.server.flight_port, "server.flight_port").close()
        bind(host, config.server.port, "server.port").close()
        store = TaskStore(config.state.url)
        stack.callback(store.close)
        key = store.secret("links", lambda: secrets.token_bytes(32))
        base_url = config.storage.local.public_url or _url("http", people)
        storage = open_storage(StorageContext(config, base_url, key))
        stack.callback(storage.close)
        self._manager = _manager(config, store)
        service = self._service(stack, store, storage)
        recovery = Recovery(self._manager, store, storage)
        recovery.settle(now=not isinstance(storage, Remote))
        stack.callback(recovery.stop)
        self._watch(stack, store, storage)
        api = PeopleApi(service, storage)
        http_app = create_http_app(signer=LinkSigner(key), files=api, tasks=api)
        _open_http(stack, HttpDoor(http_app, people, "http"))
        _open_http(stack, HttpDoor(create_ops_app(self._health, self._metrics), ops, "ops"))
        flight = open_flight_door(host, config.server.flight_port, service)
        stack.callback(_close_flight, flight)
        door = GrpcDoor(service, first_message=config.server.timeout)
        self._grpc = GrpcServer(door, lambda: self._health.report().ready, GrpcSettings.of(config))
        stack.callback(self._grpc.close, DOOR_TIMEOUT)
        self.addresses = {
            "flight": f"grpc://{_authority(host, flight.port)}",
            "grpc": _authority(host, self._grpc.port),
            "http": _url("http", people),
            "ops": _url("http", ops),
            "pid": os.getpid(),
        }
        self._health.started()
        self._grpc.look()

    def _service(self, stack: ExitStack, store: TaskStore, storage: Storage) -> ExportService:
        config = self._config
        performance = config.performance
        workers = Workers(performance.thread_count, performance.memory_budget)
        stack.callback(workers.close)
        styles = _styles(config)
        warm_up(workers, styles)
        self._health.add("state", lambda: _answering(store))
        self._health.add("storage", storage.check)
        self._metrics.watch_tasks(lambda: self._manager.active, lambda: self._manager.queued)
        self._metrics.watch_disk("temp", config.storage.temp_directory)
        if isinstance(storage, LocalPath):
            self._metrics.watch_disk("files", config.storage.local.directory)
        return ExportService(
            manager=self._manager,
            store=store,
            storage=storage,
            pipeline=Pipeline(
                storage, workers, self._metrics, _mask_key(config, store), config.limits
            ),
            health=self._health,
            options=ServiceOptions(
                require_commit=config.flight.require_commit,
                url_expiry=_terms(config, storage).link_lifetime,
                styles=styles,
            ),
        )

    def _watch(self, stack: ExitStack, store: TaskStore, storage: Storage) -> None:
        config = self._config
        watchdog = Watchdog(
            self._manager,
            config.flight.stream_idle_timeout,
            config.server.max_task_duration,
            WATCH_INTERVAL,
            on_error=_could_not_end,
        )
        watchdog.start()
        stack.callback(watchdog.stop)
        if config.storage.cleanup_enabled:
            retention = _terms(config, storage).retention or config.storage.local.retention
            # Tasks are remembered as long as their files are kept, where that has an end.
            housekeeper = Housekeeper(storage, store, retention=retention, clock=utc_now)
            housekeeper.start()
            stack.callback(housekeeper.stop)


def retry(config: Config, task_id: str) -> tuple[Task, str]:
    """Publish the file that a failed task has left; the COMPLETED task and a link to the file.

    Raises `StateError` and `ServiceError` as `Retrying` does.
    """
    with ExitStack() as stack:
        store = TaskStore(config.state.url)
        stack.callback(store.close)
        key = store.secret("links", lambda: secrets.token_bytes(32))
        storage = open_storage(StorageContext(config, _public_url(config), key))
        stack.callback(storage.close)
        task = Retrying(store, storage).retry(task_id)
        return task, storage.link(
            target_of(task), utc_now() + _terms(config, storage).link_lifetime
        )


def _public_url(config: Config) -> str:
    """Where a server of this configuration gives out local files."""
    server = config.server
    return (
        config.storage.local.public_url or f"http://{_authority(server.host, server.status_port)}"
    )


def _styles(config: Config) -> FormatStyles:
    return {
        CsvOptions.format_name: {EVERYONE: config.csv.defaults},
        XlsxOptions.format_name: config.xlsx.styles,
    }


def _terms(config: Config, storage: Storage) -> Terms:
    """Those of a storage that has its own, else those of `storage.local`."""
    if isinstance(storage, Remote):
        return storage.terms()
    return Terms(config.storage.local.url_expiry, config.storage.local.retention)


def _mask_key(config: Config, store: TaskStore) -> bytes:
    """The configured key, or one that all servers over the same state have."""
    configured = config.security.mask_key.get_secret_value()
    if configured:
        return configured.encode()
    return store.secret("masks", lambda: secrets.token_bytes(32))


def _manager(config: Config, store: TaskStore) -> TaskManager:
    return TaskManager(
        store,
        slots=config.concurrency.max_concurrent_tasks,
        queue_size=config.concurrency.task_queue_size,
        queue_timeout=config.concurrency.queue_timeout,
    )


def _shut_down(running: Running) -> None:
    """End a task; what goes wrong with one must not keep the others from being ended."""
    try:
        running.end(_SHUT_DOWN)
    except Exception as error:  # noqa: BLE001
        _could_not_end(error)


def _could_not_end(error: Exception) -> None:
    _log.error(Event.SystemError, "an export could not be ended", error=error)


def _answering(store: TaskStore) -> str:
    store.ping()
    return "the state database answers"


def _bound(stack: ExitStack, host: str, port: int, key: str) -> socket:
    sock = bind(host, port, key)
    stack.callback(sock.close)
    return sock


def _open_http(stack: ExitStack, door: HttpDoor) -> None:
    door.start()
    stack.callback(door.stop, DOOR_TIMEOUT)


def _close_flight(door: FlightDoor) -> None:
    """Close the door, within a bound.

    `shutdown` waits for open calls without a deadline, and a stopped client holds its call.
    """
    closing = threading.Thread(target=door.shutdown, name="flight-shutdown", daemon=True)
    closing.start()
    closing.join(DOOR_TIMEOUT)


def _url(scheme: str, sock: socket) -> str:
    return f"{scheme}://{_authority(*address_of(sock))}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

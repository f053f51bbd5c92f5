"""The composition root: builds the server from its configuration, runs it, drains and stops it."""

import os
import secrets
import threading
from contextlib import ExitStack
from datetime import timedelta
from socket import socket
from types import TracebackType
from typing import Final, Self

from exporters import Workers, formats
from flight_server import parts
from flight_server.config import Config
from flight_server.draining import could_not_end, drain
from flight_server.health import PATIENCE, Health
from flight_server.housekeeping import Housekeeper
from flight_server.links import LinkSigner
from flight_server.logs import Event, get_logger
from flight_server.membership import Membership
from flight_server.metrics import Metrics
from flight_server.monitor import Monitor
from flight_server.observing import observe
from flight_server.pipeline import Pipeline
from flight_server.retrying import Retrying
from flight_server.service import ExportService, ServiceOptions, target_of
from flight_server.storage.base import Storage
from flight_server.storage.registry import StorageContext, open_storage
from flight_server.tasks.model import Task, utc_now
from flight_server.tasks.store import TaskStore
from flight_server.tasks.watchdog import Watchdog
from flight_server.transports.doors import Doors
from flight_server.transports.flight import open_flight_door
from flight_server.transports.grpc_door import DRAIN_SECONDS, GrpcDoor
from flight_server.transports.grpc_shim import GrpcServer, GrpcSettings
from flight_server.transports.http import create_http_app
from flight_server.transports.http_ops import create_ops_app
from flight_server.transports.http_people import PeopleApi
from flight_server.transports.http_server import HttpDoor, bind
from flight_server.warm_up import warm_up

WATCH_INTERVAL: Final = timedelta(seconds=1)

FLIGHT_SECONDS: Final = 3.0
HTTP_SECONDS: Final = 5.0
OPS_SECONDS: Final = 1.0
GRPC_SECONDS: Final = DRAIN_SECONDS + 1.0
"""How long calls may stay open once no export runs: results and downloads that are under way.

A gRPC client whose export was ended has its status once it has been drained.
"""

_log = get_logger("server")


class Server:
    """A running server: entered, every door is open; left, all of it is released.

    Entering raises `DoorError`, `StateError` or `ServiceError` with one sentence when it cannot.
    """

    addresses: dict[str, str | int]
    """What the ready file says: the address of every open door, and the process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._health = Health(min(PATIENCE, config.monitoring.health_check_interval))
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
        """Be ready no more, and let running exports finish within `server.shutdown_grace`.

        Or until `hurry` is set; see `draining.drain`. Questions and downloads go on meanwhile.
        """
        self._health.draining()
        self._manager.drain()
        self._grpc.drain()
        drain(self._manager, self._config.server.shutdown_grace, hurry)

    def _start(self, stack: ExitStack) -> None:
        config = self._config
        # Ports first: a second server on the same ports must not touch the first one's tasks.
        host = config.server.host
        people = _bound(stack, host, config.server.status_port, "server.status_port")
        ops = _bound(stack, host, config.monitoring.metrics_port, "monitoring.metrics_port")
        # gRPC takes no bound socket, and complains on standard error when it cannot bind itself.
        bind(host, config.server.flight_port, "server.flight_port").close()
        bind(host, config.server.port, "server.port").close()
        # From here on it can be asked whether it is ready yet: to settle the state may take long.
        ops_door = HttpDoor(create_ops_app(self._health, self._metrics), ops, "ops")
        ops_door.start()
        stack.callback(ops_door.stop, OPS_SECONDS)
        store = TaskStore(config.state.url)
        stack.callback(store.close)
        key = store.secret("links", lambda: secrets.token_bytes(32))
        base_url = config.storage.local.public_url or parts.url("http", people)
        storage = open_storage(StorageContext(config, base_url, key))
        stack.callback(storage.close)
        member = stack.enter_context(Membership(config, store))
        self._manager = parts.manager(config, store, member.replica)
        member.live(self._manager)
        observe(self._health, self._metrics, config, store, storage, member.replica, self._manager)
        service = self._service(stack, store, storage)
        member.settle(self._manager, storage, self._metrics)
        self._watch(stack, store, storage)
        doors = Doors()
        stack.callback(doors.close)
        api = PeopleApi(service, storage)
        http_app = create_http_app(signer=LinkSigner(key), files=api, tasks=api)
        _open_http(doors, HttpDoor(http_app, people, "http"))
        flight = open_flight_door(host, config.server.flight_port, service)
        doors.add(flight.close, FLIGHT_SECONDS)
        door = GrpcDoor(service, first_message=config.server.timeout)
        self._grpc = GrpcServer(door, lambda: self._health.report().ready, GrpcSettings.of(config))
        doors.add(self._grpc.close, GRPC_SECONDS)
        self.addresses = {
            "flight": f"grpc://{parts.authority(host, flight.port)}",
            "grpc": parts.authority(host, self._grpc.port),
            "http": parts.url("http", people),
            "ops": parts.url("http", ops),
            "pid": os.getpid(),
        }
        stack.enter_context(Monitor(self._health, config.monitoring.health_check_interval))
        self._health.started()
        self._grpc.look()

    def _service(self, stack: ExitStack, store: TaskStore, storage: Storage) -> ExportService:
        config = self._config
        performance = config.performance
        workers = Workers(performance.thread_count, performance.memory_budget)
        stack.callback(workers.close)
        styles = parts.styles(config)
        warm_up(workers, styles)
        self._metrics.host.watch_blocks(lambda: workers.in_flight)
        return ExportService(
            manager=self._manager,
            store=store,
            storage=storage,
            pipeline=Pipeline(
                storage, workers, self._metrics, parts.mask_key(config, store), config.limits
            ),
            health=self._health,
            options=ServiceOptions(
                require_commit=config.flight.require_commit,
                url_expiry=parts.terms(config, storage).link_lifetime,
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
            on_error=could_not_end,
            on_ended=self._metrics.tasks.watchdog_ended,
        )
        watchdog.start()
        stack.callback(watchdog.stop)
        if config.storage.cleanup_enabled:
            retention = parts.terms(config, storage).retention or config.storage.local.retention
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
        storage = open_storage(StorageContext(config, parts.public_url(config), key))
        stack.callback(storage.close)
        member = stack.enter_context(Membership(config, store))
        member.live()
        task = Retrying(store, storage, member.replica.id).retry(task_id)
        return task, storage.link(
            target_of(task), utc_now() + parts.terms(config, storage).link_lifetime
        )


def _bound(stack: ExitStack, host: str, port: int, key: str) -> socket:
    sock = bind(host, port, key)
    stack.callback(sock.close)
    return sock


def _open_http(doors: Doors, door: HttpDoor) -> None:
    door.start()
    doors.add(door.stop, HTTP_SECONDS)

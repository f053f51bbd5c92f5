"""The parts of a server that follow from its configuration alone, and how its doors are called."""

import secrets
from socket import socket

from exporters import CsvOptions, XlsxOptions
from exporters.options import EVERYONE, FormatStyles
from flight_server.config import Config
from flight_server.storage.base import Remote, Storage, Terms
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.replica import Replica
from flight_server.tasks.store import TaskStore
from flight_server.transports.http_server import address_of


def public_url(config: Config) -> str:
    """Where a server of this configuration gives out local files."""
    server = config.server
    return config.storage.local.public_url or f"http://{authority(server.host, server.status_port)}"


def styles(config: Config) -> FormatStyles:
    """The organisation's own looks of files, by format."""
    return {
        CsvOptions.format_name: {EVERYONE: config.csv.defaults},
        XlsxOptions.format_name: config.xlsx.styles,
    }


def terms(config: Config, storage: Storage) -> Terms:
    """Those of a storage that has its own, else those of `storage.local`."""
    if isinstance(storage, Remote):
        return storage.terms()
    return Terms(config.storage.local.url_expiry, config.storage.local.retention)


def mask_key(config: Config, store: TaskStore) -> bytes:
    """The configured key, or one that all servers over the same state have."""
    configured = config.security.mask_key.get_secret_value()
    if configured:
        return configured.encode()
    return store.secret("masks", lambda: secrets.token_bytes(32))


def manager(config: Config, store: TaskStore, replica: Replica) -> TaskManager:
    """Slots and queue as configured, for the tasks of `replica`."""
    return TaskManager(
        store,
        replica=replica,
        slots=config.concurrency.max_concurrent_tasks,
        queue_size=config.concurrency.task_queue_size,
        queue_timeout=config.concurrency.queue_timeout,
    )


def url(scheme: str, sock: socket) -> str:
    """The address of a door, by the socket that it listens on."""
    return f"{scheme}://{authority(*address_of(sock))}"


def authority(host: str, port: int) -> str:
    """Host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

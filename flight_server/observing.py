"""What a running server lets operators see of itself: where its checks and gauges are asked."""

from flight_server.config import Config
from flight_server.health import Health
from flight_server.metrics import Metrics
from flight_server.storage.base import LocalPath, Storage
from flight_server.storage.part_count import InParts
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import TaskState
from flight_server.tasks.replica import Replica
from flight_server.tasks.store import TaskStore


def observe(
    health: Health,
    metrics: Metrics,
    config: Config,
    store: TaskStore,
    storage: Storage,
    replica: Replica,
    manager: TaskManager,
) -> None:
    """Check the components of a server from now on, and have every gauge know whom to ask."""
    health.add("state", lambda: _answering(store))
    health.add("replica", replica.check)
    health.add("storage", storage.check)
    metrics.service.watch(
        ready=lambda: health.known().ready,
        components=lambda: {part.name: part.ok for part in health.known().components},
    )
    lease = config.state.lease_timeout.total_seconds()
    metrics.replicas.watch(lambda: replica.heartbeat_age, lease)
    _show_storage(metrics, config, storage)
    _show_tasks(metrics, config, manager)


def _show_storage(metrics: Metrics, config: Config, storage: Storage) -> None:
    metrics.host.watch_disk("temp", config.storage.temp_directory)
    if isinstance(storage, LocalPath):
        metrics.host.watch_disk("files", config.storage.local.directory)
    if isinstance(storage, InParts):
        metrics.uploads.watch_parts(storage.parts_sent)


def _show_tasks(metrics: Metrics, config: Config, manager: TaskManager) -> None:
    concurrency = config.concurrency
    metrics.tasks.bounds(concurrency.max_concurrent_tasks, concurrency.task_queue_size)
    metrics.tasks.watch(
        active=lambda: manager.active,
        queued=lambda: manager.queued,
        silence=lambda: _longest_silence(manager),
    )


def _answering(store: TaskStore) -> str:
    store.ping()
    return "the state database answers"


def _longest_silence(manager: TaskManager) -> float:
    """Seconds; 0 where nobody is awaited."""
    now = manager.monotonic()
    running = (each for each in manager.running if each.task.state is TaskState.PROCESSING)
    return max([0.0, *(now - each.idle_since for each in running)])

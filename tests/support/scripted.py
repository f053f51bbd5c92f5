"""The service without doors: real tasks and workers, files in memory, streams from a script."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from exporters import Workers
from flight_server.config.limits_section import LimitsSection
from flight_server.health import Health
from flight_server.metrics import Metrics
from flight_server.pipeline import Pipeline
from flight_server.service import ExportService, ServiceOptions
from flight_server.storage.memory import MemoryStorage
from flight_server.stream import Message
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.store import TaskStore
from tests.support.exports import SCHEMA

COMMIT = Message(None, b'{"commit": true}')


class Script:
    """A stream that gives messages, and calls what is callable among them in between."""

    def __init__(self, *steps: Message | Callable[[], object], schema: pa.Schema = SCHEMA) -> None:
        self.schema = schema
        self._steps = iter(steps)

    def read(self) -> Message | None:
        for step in self._steps:
            if isinstance(step, Message):
                return step
            step()
        return None


@dataclass(frozen=True)
class Bench:
    """One service and its parts."""

    service: ExportService
    manager: TaskManager
    store: TaskStore
    storage: MemoryStorage
    pipeline: Pipeline
    metrics: Metrics


@contextmanager
def bench(
    storage: MemoryStorage | None = None, slots: int = 4, limits: LimitsSection | None = None
) -> Iterator[Bench]:
    """A service whose links live for a day."""
    with ExitStack() as stack:
        store = TaskStore("sqlite://")
        stack.callback(store.close)
        workers = Workers(2, 64 * 1024 * 1024)
        stack.callback(workers.close)
        kept = storage or MemoryStorage()
        metrics = Metrics(["csv", "xlsx"])
        key = b"a secret of the bench"
        pipeline = Pipeline(kept, workers, metrics, key, limits or LimitsSection())
        manager = TaskManager(store, slots=slots, queue_size=1, queue_timeout=timedelta(seconds=20))
        options = ServiceOptions(require_commit=True, url_expiry=timedelta(days=1))
        service = ExportService(
            manager=manager,
            store=store,
            storage=kept,
            pipeline=pipeline,
            health=Health(),
            options=options,
        )
        yield Bench(service, manager, store, kept, pipeline, metrics)

"""All metrics of one service, in a registry of their own."""

from collections.abc import Collection
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from flight_server.metrics.clients import ClientMetrics
from flight_server.metrics.host import HostMetrics
from flight_server.metrics.replicas import ReplicaMetrics
from flight_server.metrics.service import ServiceMetrics
from flight_server.metrics.tasks import TaskMetrics
from flight_server.metrics.uploads import UploadMetrics


class Metrics:
    """What is counted, by what it is about. Two services in one process count apart."""

    def __init__(self, formats: Collection[str]) -> None:
        self.registry: Final = CollectorRegistry()
        self.service: Final = ServiceMetrics(self.registry)
        self.tasks: Final = TaskMetrics(formats, ClientMetrics(self.registry), self.registry)
        self.uploads: Final = UploadMetrics(self.registry)
        self.replicas: Final = ReplicaMetrics(self.registry)
        self.host: Final = HostMetrics(self.registry)
        ProcessCollector(registry=self.registry)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Every metric in the best format for an Accept header, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

"""Metrics by client, of a bounded number of clients."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from flight_server.metrics.names import FirstNames

MOST_CLIENTS: Final = 100
"""Clients that have counters of their own: the first that come. Later ones share `other`."""


class ClientMetrics:
    """What each client has made of the service. Thread safe."""

    def __init__(self, registry: CollectorRegistry, most: int = MOST_CLIENTS) -> None:
        self._names = FirstNames(most)
        self._tasks = Counter(
            "export_client_tasks",
            "Exports of a client that ended",
            ["client", "state"],
            registry=registry,
        )
        self._refused = _counter(
            "export_client_refused", "Exports of a client that were refused", registry
        )
        self._rows = _counter("export_client_records", "Rows received of a client", registry)
        self._bytes = _counter(
            "export_client_bytes", "Bytes written to files of a client", registry
        )

    def finished(self, client: str, state: str) -> None:
        """An export ended in `state`."""
        self._tasks.labels(self._names.label(client), state).inc()

    def refused(self, client: str) -> None:
        """An export was refused before it was accepted."""
        self._refused.labels(self._names.label(client)).inc()

    def rows(self, client: str, count: int) -> None:
        """`count` more rows were received."""
        self._rows.labels(self._names.label(client)).inc(count)

    def bytes(self, client: str, count: int) -> None:
        """`count` more bytes of a file were written."""
        self._bytes.labels(self._names.label(client)).inc(count)


def _counter(name: str, meaning: str, registry: CollectorRegistry) -> Counter:
    return Counter(name, meaning, ["client"], registry=registry)

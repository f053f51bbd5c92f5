"""Metrics of the replicas that share the state, as this one sees them."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class ReplicaMetrics:
    """The lease of this replica, the others, and what dead ones have left. Thread safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._age = Gauge(
            "export_heartbeat_age_seconds",
            "Since this replica has last renewed its lease",
            registry=registry,
        )
        self._lease = Gauge(
            "export_lease_timeout_seconds",
            "Without a heartbeat for so long a replica is taken for dead",
            registry=registry,
        )
        self._alive = Gauge(
            "export_replicas_alive",
            "Replicas that live, this one among them, at its last look",
            registry=registry,
        )
        self._waiting = Gauge(
            "export_orphans_waiting",
            "Exports of dead replicas whose files are not published yet, at the last look",
            registry=registry,
        )
        self._orphans = Counter(
            "export_orphans",
            "Exports of dead replicas that this one has settled",
            ["outcome"],
            registry=registry,
        )
        self._completed = self._orphans.labels("completed")
        self._interrupted = self._orphans.labels("interrupted")

    def watch(self, heartbeat_age: Callable[[], float], lease: float) -> None:
        """Ask at every scrape for the seconds since the last heartbeat; a lease lasts `lease`."""
        self._age.set_function(heartbeat_age)
        self._lease.set(lease)

    def seen(self, alive: int, orphans: int) -> None:
        """So many replicas live, and so many exports of dead ones wait."""
        self._alive.set(alive)
        self._waiting.set(orphans)

    def completed(self) -> None:
        """The export of a dead replica is COMPLETED."""
        self._completed.inc()

    def interrupted(self) -> None:
        """The export of a dead replica is FAILED with INTERRUPTED."""
        self._interrupted.inc()

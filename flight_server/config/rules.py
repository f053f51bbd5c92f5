"""What must hold between keys, and what this version cannot honour.

A security setting that does nothing is worse than none: it is refused, never ignored.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flight_server.config.kinds import Flaw
from flight_server.config.quantities import is_loopback
from flight_server.config.sections import MonitoringSection, SecuritySection, ServerSection


@dataclass(frozen=True)
class Fault:
    """What is wrong with the value of `key`, going on from "server.host: 0.0.0.0 …"."""

    key: str
    text: str
    reads: frozenset[str] = frozenset()
    """The other keys that were looked at."""
    part: Flaw | None = None
    """What is wrong within the value, when it is not the value as a whole."""


class BrokenRulesError(ValueError):
    """Values that are right each by itself but not together."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.key} {fault.text}" for fault in self.faults))


def faults(
    server: ServerSection, security: SecuritySection, monitoring: MonitoringSection
) -> Iterator[Fault]:
    """Find every rule that is broken."""
    yield from _not_built(security)
    yield from _reachable(server, security)
    yield from _colliding(server, monitoring)


def _not_built(security: SecuritySection) -> Iterator[Fault]:
    if security.auth_enabled:
        yield Fault(
            "security.auth_enabled",
            "cannot be honoured: this version has no authentication; set it to false, and keep "
            "server.host on loopback or let a proxy authenticate",
        )
    if security.tls_enabled:
        yield Fault(
            "security.tls_enabled",
            "cannot be honoured: this version has no TLS; set it to false, and keep server.host "
            "on loopback or let a proxy terminate TLS",
        )
    if security.allowed_clients:
        yield Fault(
            "security.allowed_clients",
            "cannot be honoured: this version cannot tell one client from another; set it to []",
        )


def _reachable(server: ServerSection, security: SecuritySection) -> Iterator[Fault]:
    if is_loopback(server.host) or security.auth_enabled or security.allow_anonymous:
        return
    yield Fault(
        "server.host",
        "can be reached from other machines, and this version has no authentication; set "
        "security.allow_anonymous to true if everyone who reaches it may export and read, or "
        "server.host to 127.0.0.1",
        frozenset({"security.auth_enabled", "security.allow_anonymous"}),
    )


def _colliding(server: ServerSection, monitoring: MonitoringSection) -> Iterator[Fault]:
    owners: dict[int, str] = {}
    for key, port in (
        ("server.flight_port", server.flight_port),
        ("server.port", server.port),
        ("server.status_port", server.status_port),
        ("monitoring.metrics_port", monitoring.metrics_port),
    ):
        owner = owners.setdefault(port, key)
        if port and owner != key:
            text = f"is the port of {owner} too; every door needs its own, or 0 for a free one"
            yield Fault(key, text, frozenset({owner}))

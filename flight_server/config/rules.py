"""What must hold between keys, and what this version cannot honour.

A security setting that does nothing is worse than none: it is refused, never ignored.
"""

import re
from collections.abc import Iterator
from typing import Final

from flight_server.config.choices import Backend, Credentials, Encryption, Signature
from flight_server.config.faults import Fault
from flight_server.config.objects import region_of
from flight_server.config.oss_section import OssSection
from flight_server.config.quantities import is_loopback
from flight_server.config.sections import (
    MonitoringSection,
    SecuritySection,
    ServerSection,
    StateSection,
    StorageSection,
)


def faults(
    server: ServerSection,
    security: SecuritySection,
    monitoring: MonitoringSection,
    storage: StorageSection,
    oss: OssSection,
    state: StateSection,
) -> Iterator[Fault]:
    """Find every rule that is broken."""
    yield from _not_built(security)
    yield from _reachable(server, security)
    yield from _colliding(server, monitoring)
    yield from _too_short(state)
    if storage.backend == Backend.OSS:
        yield from _incomplete(oss)
        yield from _unsigned(oss)
        yield from _contradicting(oss)


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


_BACKEND: Final = frozenset({"storage.backend"})
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def _incomplete(oss: OssSection) -> Iterator[Fault]:
    """Find what the oss backend cannot do without."""
    if not oss.endpoint:
        yield Fault("oss.endpoint", "is needed by storage.backend oss", _BACKEND)
    if not _BUCKET.fullmatch(oss.bucket):
        yield Fault(
            "oss.bucket",
            "is no name of a bucket; storage.backend oss needs one: 3 to 63 lower-case letters, "
            "digits and hyphens",
            _BACKEND,
        )
    needed = {
        Credentials.STATIC: {
            "oss.access_key_id": oss.access_key_id,
            "oss.access_key_secret": oss.access_key_secret.get_secret_value(),
        },
        Credentials.ECS_RAM_ROLE: {"oss.ecs_role": oss.ecs_role},
        Credentials.ENVIRONMENT: {},
    }
    for key, value in needed[oss.credentials].items():
        if not value:
            text = f"is needed by oss.credentials {oss.credentials}"
            yield Fault(key, text, _BACKEND | {"oss.credentials"})


def _unsigned(oss: OssSection) -> Iterator[Fault]:
    """Refuse signature v4 without a region: oss2 would make links that do not work."""
    if oss.signature is Signature.V4 and not oss.region and not region_of(oss.endpoint):
        yield Fault(
            "oss.region",
            "is needed by oss.signature v4, since oss.endpoint names none, as "
            "oss-cn-hangzhou.aliyuncs.com does",
            _BACKEND | {"oss.signature", "oss.endpoint"},
        )


def _contradicting(oss: OssSection) -> Iterator[Fault]:
    if oss.cname and oss.path_style:
        text = "is true, as is oss.cname: a domain bound to the bucket has no bucket in its path"
        yield Fault("oss.path_style", text, _BACKEND | {"oss.cname"})
    if oss.kms_key_id and oss.server_side_encryption is not Encryption.KMS:
        text = "is used by oss.server_side_encryption kms only"
        yield Fault("oss.kms_key_id", text, _BACKEND | {"oss.server_side_encryption"})


def _too_short(state: StateSection) -> Iterator[Fault]:
    """One beat that is late must not make a replica look dead."""
    if state.lease_timeout < 3 * state.heartbeat_interval:
        yield Fault(
            "state.lease_timeout",
            "is less than three times state.heartbeat_interval: a replica that is merely busy "
            "would be taken for dead; give at least three times as much",
        )

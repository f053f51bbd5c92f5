"""What the launcher is told."""

from dataclasses import dataclass
from pathlib import Path


class ClusterFailed(Exception):
    """The cluster cannot start or go on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Of the proxy, as asked for; 0 is a free one."""

    flight: int
    grpc: int
    http: int


@dataclass(frozen=True, slots=True)
class Settings:
    """How the cluster is made."""

    directory: Path
    """Everything that it keeps is below."""
    ready_file: Path
    """Written when it is ready, and whenever a replica goes or comes back."""
    ports: Ports
    state_url: str | None
    """Of a PostgreSQL that is there; None starts one."""
    separate_spools: bool
    """Whether each replica has files in the making of its own, as on a disk of its own."""
    restart: bool
    """Whether a replica that has ended is started again."""
    overrides: tuple[str, ...]
    """`section.key=value` for both replicas."""

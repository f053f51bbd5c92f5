"""Every key of the configuration: type, default, bounds and meaning.

A key that the server does not act upon yet is accepted, because deployed files hold it, and says
so in its description.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr

from exporters import CsvOptions, XlsxOptions
from flight_server.config.backends import BackendName
from flight_server.config.basics import (
    DAY,
    MIB,
    MS,
    TIB,
    Count,
    Port,
    Retention,
    Section,
    Switch,
    Timeout,
)
from flight_server.config.choices import (
    Backend,
    LogFormat,
    LogLevel,
)
from flight_server.config.kinds import (
    Choice,
    Directory,
    Number,
    OrElse,
    Secret,
    Text,
    Words,
)
from flight_server.config.quantities import DatabaseUrl, Duration, Host, HttpUrl, Size
from flight_server.config.styles import OptionSet, StyleSet


def _later(part: str, meaning: str) -> str:
    """Describe a key that waits for a part of the server."""
    return f"{meaning} (accepted; used by {part}, not built yet)"


def _without_effect(meaning: str, reason: str) -> str:
    """Describe a key that deployed files hold and this server has no use for."""
    return f"{meaning} (accepted, without effect: {reason})"


class ServerSection(Section):
    """Doors and their times."""

    host: Annotated[str, Host()] = Field(
        default="127.0.0.1",
        description="Address of every door; other than loopback needs security.allow_anonymous",
    )
    flight_port: Port = Field(default=8815, description="Arrow Flight; 0 picks a free port")
    port: Port = Field(default=9090, description="The original gRPC contract")
    status_port: Port = Field(default=9091, description="HTTP for people: downloads, status")
    max_connections: Count = Field(
        default=100, description="Calls that one gRPC connection may have open"
    )
    timeout: Timeout = Field(
        default=timedelta(seconds=30), description="Time for the first message of a gRPC export"
    )
    shutdown_grace: Annotated[timedelta, Duration(0 * MS, DAY)] = Field(
        default=timedelta(seconds=30), description="Time for running exports after SIGTERM"
    )
    max_task_duration: Timeout = Field(
        default=timedelta(hours=6), description="An export that runs longer is ended"
    )


class ConcurrencySection(Section):
    """How many exports at once."""

    max_concurrent_tasks: Annotated[int, Number(1, 10_000)] = Field(
        default=10, description="Exports that run at the same time"
    )
    task_queue_size: Annotated[int, Number(0, 100_000)] = Field(
        default=100, description="Exports that may wait for a slot; more are refused"
    )
    queue_timeout: Timeout = Field(
        default=timedelta(minutes=5), description="Longest wait for a slot"
    )


class PerformanceSection(Section):
    """What exports share."""

    buffer_size: Annotated[int, Size(4096, 1024 * MIB)] = Field(
        default=10 * MIB,
        description=_without_effect("Bytes buffered for a stream", "2 MiB are enough"),
    )
    max_batch_size: Count = Field(
        default=1000,
        description=_without_effect("Records in one batch of a stream", "a batch may have 64 MiB"),
    )
    write_timeout: Timeout = Field(
        default=timedelta(seconds=30),
        description=_without_effect("Time to write a batch", "the idle timeout guards streams"),
    )
    threads: Annotated[int | None, OrElse("cores", Number(1, 1024))] = Field(
        default=None, description="Formatting and compressing threads, shared by all exports"
    )
    memory_budget: Annotated[int, Size(MIB, TIB)] = Field(
        default=256 * MIB, description="Bytes of blocks in flight over all exports"
    )

    @property
    def thread_count(self) -> int:
        """`threads`, or the cores that this process may use."""
        if self.threads is not None:
            return self.threads
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


class CsvSection(Section):
    """What CSV files look like."""

    defaults: Annotated[Mapping[str, Any], OptionSet(CsvOptions)] = Field(
        default={}, description="Options of who gives none, instead of the built-in defaults"
    )


class XlsxSection(Section):
    """What workbooks look like."""

    styles: Annotated[Mapping[str, Mapping[str, Any]], StyleSet(XlsxOptions)] = Field(
        default={},
        description="Styles by name, besides or instead of the built-in ones: their options",
    )


class LocalStorageSection(Section):
    """Finished files on the server's own disk."""

    directory: Annotated[Path, Directory()] = Field(
        default=Path("./data/files"), description="Finished files"
    )
    retention: Retention = Field(default=7 * DAY, description="Finished files are deleted after")
    url_expiry: Retention = Field(default=7 * DAY, description="How long a signed link lives")
    public_url: Annotated[str | None, OrElse("", HttpUrl())] = Field(
        default=None, description="Base of the links; empty: made from the status port"
    )


class StorageSection(Section):
    """Where files are made and kept."""

    backend: Annotated[str, BackendName()] = Field(
        default=Backend.LOCAL, description="Keeper of finished files"
    )
    temp_directory: Annotated[Path, Directory()] = Field(
        default=Path("/tmp/export-middleware"),  # noqa: S108 - the original's default
        description="Files in the making",
    )
    temp_retention: Retention = Field(
        default=timedelta(hours=1), description="Abandoned files in the making are deleted after"
    )
    cleanup_enabled: Switch = Field(default=True, description="Delete what is past its retention")
    min_free_bytes: Annotated[int, Size(0, 1024 * TIB)] = Field(
        default=256 * MIB, description="Space that exports leave free on the disk"
    )
    local: LocalStorageSection = Field(default_factory=LocalStorageSection)


class SecuritySection(Section):
    """Who may export."""

    auth_enabled: Switch = Field(
        default=False, description="Authentication; true is refused: this version has none"
    )
    tls_enabled: Switch = Field(
        default=False, description="TLS; true is refused: this version has none"
    )
    allowed_clients: Annotated[tuple[str, ...], Words()] = Field(
        default=(), description="Clients by name; refused unless empty: this version knows no names"
    )
    allow_anonymous: Switch = Field(
        default=False, description="Everyone who reaches server.host may export and read"
    )
    mask_key: Annotated[SecretStr, Secret(least=16)] = Field(
        default=SecretStr(""),
        description="Key of masks that hash, never shown; empty: made at the first start and kept "
        "in the state",
    )


class LoggingSection(Section):
    """What is written about the work."""

    level: Annotated[LogLevel, Choice(LogLevel, aliases={"warn": "warning"})] = Field(
        default=LogLevel.INFO, description="Least severity that is written"
    )
    format: Annotated[LogFormat, Choice(LogFormat)] = Field(
        default=LogFormat.JSON, description="json: an object a line; text: for people"
    )
    output: Annotated[str, Text(required=True)] = Field(
        default="stdout", description="stdout, stderr or the path of a file"
    )
    enable_tracing: Switch = Field(default=False, description=_later("tracing", "Record spans"))


class MonitoringSection(Section):
    """The door for operators."""

    metrics_port: Port = Field(default=8080, description="HTTP for operators: health and metrics")
    health_check_interval: Timeout = Field(
        default=timedelta(seconds=30), description="Time between looks at storage and state"
    )


class FlightSection(Section):
    """Arrow Flight."""

    require_commit: Switch = Field(
        default=True, description="A stream without a commit fails (INCOMPLETE_STREAM)"
    )
    stream_idle_timeout: Timeout = Field(
        default=timedelta(seconds=60),
        description="A stream that sends nothing for so long is ended",
    )


class StateSection(Section):
    """The record of tasks, which several replicas may share."""

    url: Annotated[str, DatabaseUrl()] = Field(
        default="sqlite:///./data/state.db",
        repr=False,
        description="SQLAlchemy URL of SQLite or PostgreSQL; its password is never shown",
    )
    heartbeat_interval: Timeout = Field(
        default=timedelta(seconds=2), description="A replica renews its lease so often"
    )
    lease_timeout: Timeout = Field(
        default=timedelta(seconds=15),
        description="A replica that has not renewed its lease for so long is taken for dead; at "
        "least three heartbeats",
    )
    recovery_timeout: Timeout = Field(
        default=timedelta(minutes=10),
        description="How long the file of a dead replica is waited for where no other can read it",
    )

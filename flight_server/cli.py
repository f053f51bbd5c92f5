"""The command line: `export-middleware serve`, `retry`, `check-config`, `version`."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from flight_server import logs
from flight_server.app import Server
from flight_server.app import retry as retry_export
from flight_server.config import Config, ConfigError, load_config
from flight_server.errors import ServiceError
from flight_server.signals import StopSignals
from flight_server.tasks.store import StateError
from flight_server.transports.http_server import DoorError

EXIT_CONFIGURATION: Final = 2
EXIT_START: Final = 1

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Record batches in over Arrow Flight, Excel and CSV files and signed links out.",
)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="YAML file; without it, every key has its default")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="wins over file and environment"),
]
ReadyFile = Annotated[
    Path | None,
    typer.Option("--ready-file", help="written when every door is open: their addresses as JSON"),
]


@app.command()
def serve(
    config: ConfigFile = None, overrides: Overrides = None, ready_file: ReadyFile = None
) -> None:
    """Run the server until SIGTERM or SIGINT; a second signal does not wait for running exports."""
    loaded = _load(config, overrides)
    _configure_logs(loaded)
    signals = StopSignals(loaded.server.shutdown_grace.total_seconds())
    try:
        _remove_stale(ready_file)
        with Server(loaded) as server:
            signals.started()
            with _ready(ready_file, server.addresses):
                signals.wait()
                server.drain(signals.second)
    except (DoorError, StateError, ServiceError, _ReadyFileError) as error:
        _exit(str(error), EXIT_START)
    # A client that has stopped holds a thread of gRPC that no one can end: do not wait for it.
    sys.stdout.flush()
    os._exit(0)


@app.command()
def retry(
    task_id: Annotated[str, typer.Argument(help="of an export that FAILED; see the log")],
    config: ConfigFile = None,
    overrides: Overrides = None,
) -> None:
    """Publish the file of an export that failed when it was whole, without its client.

    Such a file is kept for storage.temp_retention. A server may run over the same configuration.
    """
    loaded = _load(config, overrides)
    _configure_logs(loaded)
    try:
        task, link = retry_export(loaded, task_id)
    except (StateError, ServiceError) as error:
        _exit(str(error), EXIT_START)
    typer.echo(f"{task.filename} is {task.state}, {task.size_bytes:,} bytes\n{link}")


@app.command("check-config")
def check_config(config: ConfigFile = None, overrides: Overrides = None) -> None:
    """Check a configuration and print it whole, defaults filled in and secrets masked."""
    typer.echo(_load(config, overrides).to_yaml(), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("export-middleware"))


def main() -> None:
    """Run the command line."""
    app()


def _load(path: Path | None, overrides: list[str] | None) -> Config:
    try:
        return load_config(path, environ=os.environ, overrides=overrides or ())
    except ConfigError as error:
        _exit(str(error), EXIT_CONFIGURATION)


def _configure_logs(config: Config) -> None:
    output = config.logging.output
    try:
        logs.configure(config.logging.level, config.logging.format, output)
    except OSError as error:
        _exit(f"logging.output: {output!r} cannot be opened: {error.strerror}", EXIT_START)


def _exit(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


class _ReadyFileError(Exception):
    """The ready file cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"--ready-file: {str(path)!r} cannot be written: {error.strerror}")


def _remove_stale(path: Path | None) -> None:
    """Remove the ready file of a killed server, whose doors are not open; not a living one's."""
    if path is None or _names_a_process(path):
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _ReadyFileError(path, error) from error


def _names_a_process(path: Path) -> bool:
    """Whether the server that wrote a ready file still runs."""
    try:
        os.kill(json.loads(path.read_text())["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


@contextlib.contextmanager
def _ready(path: Path | None, addresses: dict[str, str | int]) -> Iterator[None]:
    """Keep the ready file while the server runs; it appears whole or not at all."""
    if path is None:
        yield
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(addresses) + "\n")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise _ReadyFileError(path, error) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)

"""A server of our own as a subprocess, in a directory of its own that is gone afterwards."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
STOP_SECONDS = 40.0
"""Longer than `server.shutdown_grace`, which the server takes when an export still runs."""

_POLL_SECONDS = 0.02

_FREE_PORTS = (
    "server.flight_port=0",
    "server.port=0",
    "server.status_port=0",
    "monitoring.metrics_port=0",
)


class ServerFailed(Exception):
    """The server did not start or did not stop as it should; the message says which."""


class RunningServer:
    """A server whose doors are open.

    It leads a process group of its own, so that Ctrl-C in the terminal reaches only the script,
    which then stops the server.
    """

    def __init__(self, process: subprocess.Popen[bytes], addresses: Mapping[str, Any]) -> None:
        self._process = process
        self.flight: str = addresses["flight"]
        self.grpc: str = addresses["grpc"]
        self.http: str = addresses["http"]
        self.pid: int = process.pid

    def stop(self) -> int:
        """Send SIGTERM and wait; the exit code. Raises `ServerFailed` if a process is left."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerFailed(f"the server runs on {STOP_SECONDS:g} s after SIGTERM") from None
        if _group_exists(self.pid):
            raise ServerFailed("the server has exited but left a process behind")
        return code


@contextlib.contextmanager
def running_server(*overrides: str) -> Iterator[RunningServer]:
    """A server on its embedded defaults, except free ports and a temporary directory.

    `overrides` are `section.key=value`. However the block is left, the process and the directory
    are gone afterwards. Raises `ServerFailed` when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="export-middleware-") as name:
        directory = Path(name)
        log = directory / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                _command(overrides),
                cwd=directory,  # the defaults are relative: ./data/files, ./data/state.db
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        try:
            yield RunningServer(process, _wait_ready(process, directory / "ready.json", log))
        finally:
            _end(process)


def _command(overrides: Sequence[str]) -> list[str]:
    script = Path(sys.executable).with_name("export-middleware")
    if not script.exists():
        raise ServerFailed("the command export-middleware is not installed; run: make setup")
    command = [str(script), "serve", "--ready-file", "ready.json"]
    for override in (*_FREE_PORTS, "storage.temp_directory=./spool", *overrides):
        command += ["--set", override]
    return command


def _environment() -> dict[str, str]:
    """The caller's environment without what would change the server's defaults."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EXPORT_", "OSS_")) and name != "LOG_LEVEL"
    }


def _wait_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Mapping[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-5:]
            said = "\n".join(last) or "it said nothing"
            raise ServerFailed(f"the server exited with {process.returncode} at its start: {said}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"the server is not ready after {START_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    addresses: Mapping[str, Any] = json.loads(ready.read_text())
    return addresses


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server that is still there: on the way out nothing is waited for at length."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

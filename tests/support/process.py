"""`export-middleware serve` as a process of its own, and others next to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyarrow import flight

from tests.support.exports import Actions
from tests.support.site import Site
from tests.support.waiting import wait_for

BIN = Path(sys.executable).parent
COMMAND = str(BIN / "export-middleware")
CLIENT = str(BIN / "export-client")


@dataclass(frozen=True)
class Served:
    """A server process whose doors are open."""

    site: Site
    process: subprocess.Popen[str]
    addresses: dict[str, str]
    client: flight.FlightClient
    actions: Actions

    @property
    def flight(self) -> str:
        return self.addresses["flight"]

    @property
    def grpc(self) -> str:
        return self.addresses["grpc"]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def exit_code(self, timeout: float = 30) -> int:
        """Its exit code, once it has ended by itself; where it hangs, the stacks of its threads."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)
            raise AssertionError(self.process.communicate(timeout=20)[1]) from None


def serve_command(site: Site, *overrides: str) -> list[str]:
    """The command line of a server at `site`."""
    settings = [*site.overrides, f"logging.output={site.log}", *overrides]
    sets = [word for setting in settings for word in ("--set", setting)]
    return [COMMAND, "serve", "--ready-file", str(site.root / "ready.json"), *sets]


@contextmanager
def served(site: Site, *overrides: str) -> Iterator[Served]:
    """A server process; killed at the end if it has not ended by itself."""
    ready = site.root / "ready.json"
    ready.unlink(missing_ok=True)  # of a server that was killed
    process = start(serve_command(site, *overrides))
    try:
        # Long: on a machine that is busy with other tests a start takes its time.
        wait_for(lambda: ready.exists() or process.poll() is not None, 60)
        assert process.poll() is None, process.communicate()[1]
        addresses = json.loads(ready.read_text())
        with flight.FlightClient(addresses["flight"]) as client:
            yield Served(site, process, addresses, client, Actions(client))
    finally:
        end(process)


def start(command: Sequence[str]) -> subprocess.Popen[str]:
    """A process with pipes for what it says."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )


def end(process: subprocess.Popen[str]) -> None:
    """Kill `process` if it runs, and take its pipes away."""
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=20)


def run(command: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
    """A process to its end."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environ},
        check=False,
    )

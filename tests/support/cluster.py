"""Two replicas behind a proxy, as `make cluster` starts them, and clients of each of them."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from pyarrow import flight

from deploy.cluster.proxy import program, ready_replicas
from deploy.cluster.settings import ClusterFailed
from tests.support.exports import Actions, Json
from tests.support.process import run
from tests.support.waiting import wait_for

ROOT: Final = Path(__file__).parents[2]

_START: Final = 60.0


def require_proxy() -> None:
    """Skip the test, saying what is missing; where CI is "true", fail."""
    try:
        program("haproxy")
        program("nginx")
    except ClusterFailed as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@dataclass(frozen=True)
class Door:
    """A way in: the proxy, or one replica itself. Each has a connection of its own."""

    flight: str
    grpc: str
    http: str
    ops: str
    """Empty for the proxy."""
    client: flight.FlightClient
    actions: Actions

    def running(self) -> int:
        """Exports that run at a replica now."""
        metrics = httpx.get(f"{self.ops}/metrics").text
        [count] = re.findall(r"^export_active_tasks (\S+)$", metrics, re.MULTILINE)
        return int(float(count))


class Cluster:
    """A cluster that runs."""

    def __init__(
        self, process: subprocess.Popen[bytes], ready_file: Path, stack: ExitStack
    ) -> None:
        self.process = process
        self.ready_file = ready_file
        told = self.told()
        self.directory = ready_file.parent
        self.proxy = _door(told["proxy"], stack)
        self.a, self.b = (_door(replica, stack) for replica in told["replicas"])

    def told(self) -> Json:
        """The ready file, as it is now."""
        told: Json = json.loads(self.ready_file.read_text())
        return told

    def pid(self, name: str) -> int | None:
        """The process of replica `name`, None while it has none."""
        return {each["name"]: each["pid"] for each in self.told()["replicas"]}[name]

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send the process of a replica a signal; its pid."""
        pid = self.pid(name)
        assert pid is not None
        os.kill(pid, number)
        return pid

    def ready(self) -> set[str]:
        """The replicas that get new calls."""
        return ready_replicas(self.told()["proxy"]["status"])

    def wait_for_another(self, name: str, pid: int) -> None:
        """Until replica `name` has another process than `pid`, and gets calls."""
        wait_for(lambda: self.pid(name) not in (None, pid), _START)
        wait_for(lambda: self.ready() == {"a", "b"}, _START)

    def pids(self) -> list[int]:
        """Every process but the database's."""
        told = self.told()
        replicas = [each["pid"] for each in told["replicas"] if each["pid"] is not None]
        return [told["pid"], *told["proxy"]["pids"].values(), *replicas]


@contextmanager
def cluster(*arguments: str) -> Iterator[Cluster]:
    """Started as `make cluster` does, on free ports, in a directory that is gone at the end.

    The directory is directly below the one for temporary files, as that of `postgres`.
    """
    with tempfile.TemporaryDirectory(prefix="cluster-", ignore_cleanup_errors=True) as root:
        ready_file = Path(root) / "data" / "cluster.json"
        output = Path(root) / "output"
        with output.open("wb") as said:
            process = subprocess.Popen(
                [*cluster_command(ready_file.parent), *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for(lambda: ready_file.exists() or process.poll() is not None, _START)
            assert process.poll() is None, output.read_text()
            with ExitStack() as stack:
                yield Cluster(process, ready_file, stack)
        finally:
            stop(process)


def failed_launch(directory: Path, *arguments: str) -> str:
    """What the launcher says that cannot start; nothing else than one line."""
    ended = run([*cluster_command(directory), *arguments])
    assert ended.returncode == 1, ended.stdout
    [line] = ended.stderr.splitlines()
    return line


def cluster_command(directory: Path) -> list[str]:
    """The command line of a cluster on free ports."""
    ports = [word for door in ("flight", "grpc", "http") for word in (f"--{door}-port", "0")]
    return [sys.executable, "-m", "deploy.cluster", "--directory", str(directory), *ports]


def stop(process: subprocess.Popen[bytes]) -> int:
    """Stop a cluster as Ctrl-C does, if it runs; the launcher's exit code."""
    process.send_signal(signal.SIGINT)
    return process.wait(_START)


def _door(told: Json, stack: ExitStack) -> Door:
    # A pool of its own: one process's clients of an address would share one connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    client = stack.enter_context(flight.FlightClient(told["flight"], generic_options=options))
    return Door(
        told["flight"], told["grpc"], told["http"], told.get("ops", ""), client, Actions(client)
    )

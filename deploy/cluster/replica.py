"""One replica: a server process that comes back at the same addresses."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from deploy.cluster.addresses import Doors, at
from deploy.cluster.process import Process
from deploy.cluster.settings import ClusterFailed

RESTART_SECONDS: Final = 1.0
"""Between its end and its next start, as an orchestrator waits."""


class Replica:
    """A replica, with a directory for what is its own."""

    def __init__(
        self,
        name: str,
        doors: Doors,
        directory: Path,
        lock: IO[str],
        overrides: Sequence[str],
        state_url: str,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.doors = doors
        self.log = directory / "server.log"
        self._directory = directory
        self._ready = directory / "ready.json"
        self._lock = lock
        self._overrides = overrides
        # Not an argument: every user of a machine sees those, and the URL may have a password.
        self._environ = {"EXPORT_STATE__URL": state_url}
        self._process: Process | None = None
        self._ended_at = 0.0

    @property
    def pid(self) -> int | None:
        """Of the process that runs."""
        return None if self._process is None else self._process.pid

    @property
    def is_due(self) -> bool:
        """Whether it has been without a process for long enough."""
        return self._process is None and time.monotonic() - self._ended_at >= RESTART_SECONDS

    def start(self) -> None:
        """Start the process; it is not ready yet."""
        self._ready.unlink(missing_ok=True)  # of a process that was killed
        output = self._directory / "output.log"
        self._process = Process(
            f"replica {self.name}", self._command(), output, self._lock, self._environ
        )

    def is_ready(self) -> bool:
        """Whether every door is open."""
        return self._process is not None and self._ready.exists()

    def check(self) -> None:
        """Raises ClusterFailed if the process has ended, with what it said."""
        if self._process is not None and self._process.exit_code is not None:
            raise ClusterFailed(f"{self._process.name} did not start: {self._process.said()}")

    def ended(self) -> str | None:
        """How the process has ended, told once; None while it runs."""
        process = self._process
        if process is None or process.exit_code is None:
            return None
        self._process = None
        self._ended_at = time.monotonic()
        if process.exit_code < 0:
            return f"by signal {-process.exit_code}"
        if process.exit_code == 0:
            return "with exit code 0"
        return f"with exit code {process.exit_code}: {process.said()}"

    def terminate(self) -> None:
        """Ask the process to end; asked twice, it does not wait for its exports."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, seconds: float) -> None:
        """Wait for its end after `terminate`, for so long; then kill it."""
        if self._process is not None:
            self._process.stop(seconds)

    def as_dict(self) -> dict[str, object]:
        """For programs: its addresses, and its process, null while it has none."""
        return {
            "name": self.name,
            "pid": self.pid,
            "flight": f"grpc://{at(self.doors.flight)}",
            "grpc": at(self.doors.grpc),
            "http": f"http://{at(self.doors.http)}",
            "ops": f"http://{at(self.doors.ops)}",
            "log": str(self.log),
        }

    def _command(self) -> list[str]:
        script = Path(sys.executable).with_name("export-middleware")
        if not script.exists():
            raise ClusterFailed("the command export-middleware is not installed; run: make setup")
        own = [
            f"server.flight_port={self.doors.flight}",
            f"server.port={self.doors.grpc}",
            f"server.status_port={self.doors.http}",
            f"monitoring.metrics_port={self.doors.ops}",
            f"logging.output={self.log}",
        ]
        sets = [word for override in (*self._overrides, *own) for word in ("--set", override)]
        return [str(script), "serve", "--ready-file", str(self._ready), *sets]

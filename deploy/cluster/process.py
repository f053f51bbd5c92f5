"""A process of the cluster, stopped by its id and by nothing else."""

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

_LAST_LINES: Final = 5


class Process:
    """A process that has been started; what it says goes to a file.

    It leads a process group of its own, so that Ctrl-C in the terminal reaches only the launcher,
    which then stops it. It keeps `lock` open, so that the lock lasts as long as the process.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        output: Path,
        lock: IO[str],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._output = output
        with output.open("wb") as said:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                process_group=0,
                pass_fds=(lock.fileno(),),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Negative for a signal; None while it runs."""
        return self._process.poll()

    def said(self) -> str:
        """Its last lines."""
        lines = self._output.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-_LAST_LINES:]) or "it said nothing"

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def stop(self, seconds: float) -> None:
        """Wait for its end after `terminate`, for so long; then kill it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return
        self._process.kill()
        self._process.wait()

"""One process for all that is run, to see that it works: figures need a fresh one each."""

import json
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Self


class LastingWorker:
    """A worker that takes commands until it is left; what fails ends it, and says why itself."""

    def __init__(self, command: Sequence[str], cwd: str) -> None:
        self._process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, arguments: Sequence[object]) -> str:
        """The line that it answers with; empty when it has failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([str(each) for each in arguments]), file=self._process.stdin, flush=True)
        return self._process.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

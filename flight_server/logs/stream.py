"""Where lines go."""

import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class Stream:
    """A standard stream or a file. Lines of several threads never mix.

    Standard streams are looked up at each line, since they can be replaced. A file is appended to,
    one write a line, and its directory is made.

    Raises:
        OSError: the file cannot be opened.

    """

    def __init__(self, output: str) -> None:
        self._name = output
        self._lock = threading.Lock()
        self._lost = 0
        self._file: TextIO | None = None
        if output not in ("stdout", "stderr"):
            path = Path(output)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    @property
    def is_terminal(self) -> bool:
        """Whether a person is looking."""
        return self._target.isatty()

    @property
    def _target(self) -> TextIO:
        return self._file or (sys.stdout if self._name == "stdout" else sys.stderr)

    def write(self, line: str) -> bool:
        """Write `line` and its end; False when it was lost."""
        with self._lock:
            try:
                target = self._target
                target.write(_encodable(line, target.encoding) + "\n")
                target.flush()
            except (OSError, ValueError):  # a full disk, a broken pipe, a closed stream
                self._lost += 1
                return False
        return True

    def take_lost(self) -> int:
        """Return how many lines were lost since the last time."""
        with self._lock:
            lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        """Close a file; a standard stream stays open."""
        if self._file:
            with self._lock, suppress(OSError):  # what it held back is lost, as any line may be
                self._file.close()


def _encodable(line: str, encoding: str | None) -> str:
    """Return `line` with what `encoding` has not spelt out."""
    encoding = encoding or "utf-8"
    return line if line.isascii() else line.encode(encoding, "backslashreplace").decode(encoding)

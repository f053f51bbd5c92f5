"""A directory that processes share: a lock that tells whether one lives, and a name for all.

Both are kept in `.replicas` below it.
"""

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

_PLACE: Final = ".replicas"
_SUFFIX: Final = ".lock"
_ID: Final = "id"


class ProcessLock:
    """A file that one process holds locked as long as it lives, however it ends.

    On a file system without locks there is none, and nobody is told anything.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / _PLACE / f"{name}{_SUFFIX}"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Make and lock the file. Raises OSError when it cannot be made."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        if not _locked(self._descriptor):
            self.give_back()

    def give_back(self) -> None:
        """Remove the file; another process's too, once it is free."""
        self._path.unlink(missing_ok=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_free(self) -> bool:
        """Whether the process that took it has ended; False where there is no such file."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY)
        except OSError:
            return False
        try:
            return _locked(descriptor)
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def directory_id(directory: Path) -> str:
    """A name of `directory`, the same for all who share it, wherever they have mounted it.

    It is made by who comes first. Raises OSError when it cannot be.
    """
    place = directory / _PLACE
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, made = place / _ID, place / f"{_ID}-{secrets.token_hex(8)}"
    if not path.exists():
        made.write_text(secrets.token_hex(8), encoding="ascii")
        with suppress(FileExistsError):
            path.hardlink_to(made)  # whole at once, and only if nobody was first
        made.unlink()
    return path.read_text(encoding="ascii")

"""Removal of local files that outlived their retention."""

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from flight_server.errors import translate
from flight_server.storage.base import is_task_id


class Sweep:
    """One pass over the local directories; touches nothing that the service would not have made.

    What cannot be removed does not keep the rest from being removed: the first such failure is
    raised by `result()`. A file that somebody else removed meanwhile is no failure: replicas may
    share the directories.
    """

    def __init__(self) -> None:
        self._removed = 0
        self._failure: OSError | None = None

    def unfinished(
        self, directory: Path, suffix: str, before: float, keep: Collection[str]
    ) -> None:
        """Remove `<task_id><suffix>` last written `before` (Unix seconds), unless it is kept."""
        for file in directory.glob(f"*{suffix}"):
            task_id = file.name.removesuffix(suffix)
            if is_task_id(task_id) and task_id not in keep and _is_old_file(file, before):
                self._remove(file.unlink)

    def finished(self, directory: Path, before: float) -> None:
        """Remove `<task_id>/<filename>` published `before`, with its directory.

        The age is the directory's, whose last change was the publishing: a file that was resumed
        after a long outage is younger than its last byte. A directory that is young and empty is
        about to get its file.
        """
        for task_directory in directory.iterdir():
            if is_task_id(task_directory.name) and _is_old_directory(task_directory, before):
                with contextlib.suppress(FileNotFoundError):
                    for file in task_directory.iterdir():
                        self._remove(file.unlink)
                self._remove(task_directory.rmdir, counts=False)

    def result(self) -> int:
        """How many files were removed. Raises ServiceError when one could not be."""
        if self._failure is not None:
            raise translate(self._failure) from self._failure
        return self._removed

    def _remove(self, remove: Callable[[], None], *, counts: bool = True) -> None:
        try:
            remove()
        except FileNotFoundError:
            return
        except OSError as error:
            self._failure = self._failure or error
        else:
            self._removed += counts


def _is_old_file(path: Path, before: float) -> bool:
    return _is_old(path, before, S_ISREG)


def _is_old_directory(path: Path, before: float) -> bool:
    return _is_old(path, before, S_ISDIR)


def _is_old(path: Path, before: float, kind: Callable[[int], bool]) -> bool:
    """Whether `path`, links not followed, is of that kind and last changed `before`."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return kind(status.st_mode) and status.st_mtime < before

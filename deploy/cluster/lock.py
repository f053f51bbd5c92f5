"""One cluster in a directory, also after its launcher was killed."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from deploy.cluster.settings import ClusterFailed


@contextlib.contextmanager
def locked(directory: Path, ready_file: Path) -> Iterator[IO[str]]:
    """Keep other clusters out of `directory`; processes that have the file open keep it locked.

    Raises ClusterFailed if it is locked, with the processes that `ready_file` names.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterFailed(
                f"{directory}: a cluster runs here, or what a killed launcher has left; "
                f"stop it: kill {' '.join(map(str, living(ready_file)))}"
            ) from None
        yield lock


def living(ready_file: Path) -> list[int]:
    """The processes of a ready file that still run: the launcher's alone, if it does."""
    try:
        told: dict[str, Any] = json.loads(ready_file.read_text())
    except (OSError, ValueError):
        return []
    if _runs(told["pid"]):
        return [told["pid"]]
    pids = [*told["proxy"]["pids"].values(), *(each["pid"] for each in told["replicas"])]
    return [pid for pid in pids if pid is not None and _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

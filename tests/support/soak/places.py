"""Where spools and finished files are, and what is there that belongs to nobody."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

from tests.support.oss import Fault, FaultKind, OssServer, When

PART_SIZE = 100 * 1024
"""The smallest that OSS takes: most files go up in several parts."""

REPLICAS = ".replicas"
"""Where replicas that share a directory for spools know each other by; it stays."""

OTHER_FILE_SYSTEM = Path("/dev/shm")
ROOM = 1024**3


class Place(Protocol):
    """A store, seen from behind."""

    overrides: Sequence[str]

    def trouble(self, random: Random) -> None:
        """Let something go wrong that a server has to bear."""
        ...

    def hurry(self) -> None:
        """Be as fast as can be: nothing is to be hit any more."""
        ...

    def wrong(self, completed: Collection[str], given_up: Collection[str]) -> list[str]:
        """A sentence for each file that is missing or too many, given the COMPLETED tasks.

        Spools of tasks that were `given_up` while they were UPLOADING are kept for a retry by hand.
        """
        ...


class LocalPlace:
    """Directories of this machine."""

    def __init__(self, spools: Sequence[Path], files: Path) -> None:
        self.overrides = [f"storage.local.directory={files}"]
        self._spools = spools
        self._files = files

    def trouble(self, random: Random) -> None:
        pass

    def hurry(self) -> None:
        pass

    def wrong(self, completed: Collection[str], given_up: Collection[str]) -> list[str]:
        files = {path.parent.name for path in self._files.glob("*/*")}
        too_many = [each.name for each in self._files.iterdir() if each.name not in completed]
        return [*_spooled(self._spools, given_up), *_compared(files, completed), *_left(too_many)]


class OssPlace:
    """A bucket of a test server that is slow, and now and then fails a request."""

    def __init__(self, spools: Sequence[Path], server: OssServer) -> None:
        self.overrides = [
            "storage.backend=oss",
            f"oss.endpoint={server.endpoint}",
            "oss.region=cn-hangzhou",
            "oss.bucket=exports",
            "oss.access_key_id=test-id",
            "oss.access_key_secret=test-secret",
            f"oss.part_size={PART_SIZE}",
            "oss.parallel_parts=2",
        ]
        self._spools = spools
        self._server = server

    def trouble(self, random: Random) -> None:
        """One fault that another attempt mends, in place of those that did not come."""
        kind = random.choice([FaultKind.STATUS, FaultKind.RESET, FaultKind.SLOW])
        when = random.choice([When.BEFORE_STORING, When.AFTER_STORING])
        operation = random.choice(["UploadPart", "PutObject", "CompleteMultipartUpload"])
        self._server.faults.clear()
        self._server.faults.add(
            Fault(kind, operation, nth=random.randint(1, 6), when=when, seconds=random.random())
        )

    def hurry(self) -> None:
        self._server.faults.clear()
        self._server.bandwidth, self._server.latency = None, 0.0

    def wrong(self, completed: Collection[str], given_up: Collection[str]) -> list[str]:
        objects = [key.split("/")[-2] for key in list(self._server.objects)]
        uploads = [f"upload of {each.key}" for each in list(self._server.uploads.values())]
        too_many = [each for each in objects if each not in completed]
        return [
            *_spooled(self._spools, given_up),
            *_compared(objects, completed),
            *_left(too_many + uploads),
        ]


@contextmanager
def spool_elsewhere(here: Path) -> Iterator[Path]:
    """A directory on another file system, where publishing is a copy; else one in `here`."""
    other = OTHER_FILE_SYSTEM
    if not other.is_dir() or not os.access(other, os.W_OK) or shutil.disk_usage(other).free < ROOM:
        other = here
    with tempfile.TemporaryDirectory(prefix="soak-", dir=other) as directory:
        yield Path(directory) / "spool"


def _spooled(spools: Sequence[Path], given_up: Collection[str]) -> list[str]:
    found = [path.name for spool in spools if spool.is_dir() for path in spool.iterdir()]
    return _left(
        [name for name in found if name != REPLICAS and name.partition(".")[0] not in given_up]
    )


def _compared(there: Collection[str], completed: Collection[str]) -> list[str]:
    return [f"{task} is COMPLETED and has no file" for task in completed if task not in there]


def _left(names: Sequence[str]) -> list[str]:
    return [f"{name} is left" for name in names]

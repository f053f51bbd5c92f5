"""How much memory the process has, and how much it may have."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_GROUP_OF_PROCESS: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")


def resident_bytes() -> int:
    """The resident memory of this process; where /proc is missing, its highest value so far."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except FileNotFoundError:
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest if sys.platform == "darwin" else highest * 1024
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def memory_limit(process: Path = _GROUP_OF_PROCESS, groups: Path = _GROUPS) -> int:
    """Bytes that this process may have: those of the machine, or of a control group if fewer.

    Control groups are what containers and services of systemd are limited by.
    """
    limits = (_limit(file) for file in _files(process, groups))
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for limit in limits if limit is not None)])


def _files(process: Path, groups: Path) -> Iterator[Path]:
    """Where the limits stand of the group of the process and of those that it is in."""
    try:
        lines = process.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2
            root, name = groups, "memory.max"
        elif "memory" in controllers.split(","):  # version 1
            root, name = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = PurePosixPath(path.lstrip("/"))
        yield from (root / each / name for each in (group, *group.parents))


def _limit(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None  # "max"

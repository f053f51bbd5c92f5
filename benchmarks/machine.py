"""On what, and with what, the figures were made. Names neither the host nor its user."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def machine_facts() -> list[tuple[str, str]]:
    """The machine and the interpreter, for people."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())
    return [
        ("processor", _processor()),
        ("cores", str(len(os.sched_getaffinity(0)))),
        ("memory", f"{memory / 2**30:.1f} GiB"),
        ("system", f"{platform.system()} {platform.machine()}, {'-'.join(platform.libc_ver())}"),
        ("Python", platform.python_version()),
        ("load before the run", f"{load} (1, 5 and 15 minutes)"),
    ]


def package_versions(names: Iterable[str]) -> dict[str, str | None]:
    """The installed version of each distribution; None for one that is missing."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    if name == "python":
        return platform.python_version()
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's model as Linux names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _colon, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()

"""The installations that are tried: a store, a state, and the servers over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.oss import OssServer
from tests.support.site import Site
from tests.support.soak.blows import Longest
from tests.support.soak.episode import Episode
from tests.support.soak.fleet import Fleet, Member
from tests.support.soak.places import LocalPlace, OssPlace, spool_elsewhere

SETTINGS = [
    "concurrency.max_concurrent_tasks=2",  # of five clients, so that some wait
    "server.shutdown_grace=500ms",
    "storage.min_free_bytes=0",
]

BANDWIDTH = 3_000_000.0
"""Bytes a second of the store elsewhere: the largest files take two seconds."""

LATENCY = 0.01

LEASE = 3.0
RECOVERY_TIMEOUT = 4.0
LONGEST = Longest(pause=5.0, away=9.0)
"""A frozen replica is so for longer than its lease, and shorter than it is waited for; one that is
missing may be too long, where no other can read its spools."""


@contextmanager
def local(seed: str, root: Path) -> Iterator[Episode]:
    """One server whose files stay on this machine; where it can be, on another file system."""
    with spool_elsewhere(root) as spool:
        place = LocalPlace([spool], root / "files")
        fleet = Fleet([_member("server", root, spool, place.overrides)])
        yield Episode(seed, fleet, place, f"sqlite:///{root / 'state.db'}")


@contextmanager
def oss(seed: str, root: Path) -> Iterator[Episode]:
    """One server whose files go to a slow store."""
    with _slow_oss() as server:
        spool = root / "spool"
        place = OssPlace([spool], server)
        fleet = Fleet([_member("server", root, spool, place.overrides)])
        yield Episode(seed, fleet, place, f"sqlite:///{root / 'state.db'}")


@contextmanager
def shared_local(seed: str, root: Path, state_url: str) -> Iterator[Episode]:
    """Two replicas that share the state and all directories."""
    spool = root / "spool"
    place = LocalPlace([spool], root / "files")
    fleet = _replicas(root, [spool, spool], [f"state.url={state_url}", *place.overrides])
    yield Episode(seed, fleet, place, state_url, LONGEST)


@contextmanager
def shared_oss(
    seed: str, root: Path, state_url: str, longest: Longest = LONGEST
) -> Iterator[Episode]:
    """Two replicas that share the state, the directory for spools and a slow store."""
    with _slow_oss() as server:
        spool = root / "spool"
        place = OssPlace([spool], server)
        fleet = _replicas(root, [spool, spool], [f"state.url={state_url}", *place.overrides])
        yield Episode(seed, fleet, place, state_url, longest)


@contextmanager
def separate_oss(seed: str, root: Path, state_url: str) -> Iterator[Episode]:
    """Two replicas with a disk each, which share the state and a slow store."""
    with _slow_oss() as server:
        spools = [root / "spool-a", root / "spool-b"]
        place = OssPlace(spools, server)
        timeout = f"state.recovery_timeout={RECOVERY_TIMEOUT:g}s"
        fleet = _replicas(root, spools, [timeout, f"state.url={state_url}", *place.overrides])
        yield Episode(seed, fleet, place, state_url, LONGEST, RECOVERY_TIMEOUT)


SINGLE = {"local": local, "oss": oss}
REPLICAS = {"shared-local": shared_local, "shared-oss": shared_oss, "separate-oss": separate_oss}


@contextmanager
def _slow_oss() -> Iterator[OssServer]:
    with OssServer() as server:
        server.bandwidth, server.latency = BANDWIDTH, LATENCY
        yield server


def _replicas(root: Path, spools: list[Path], overrides: list[str]) -> Fleet:
    shared = ["state.heartbeat_interval=500ms", f"state.lease_timeout={LEASE:g}s", *overrides]
    names = ["a", "b"]
    return Fleet(
        [
            _member(name, root / name, spool, shared)
            for name, spool in zip(names, spools, strict=True)
        ]
    )


def _member(name: str, root: Path, spool: Path, overrides: list[str]) -> Member:
    return Member(name, Site(root), [*SETTINGS, f"storage.temp_directory={spool}", *overrides])

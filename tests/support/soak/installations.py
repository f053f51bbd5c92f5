"""The installations that are tried: a store, a state, and the servers over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.oss import OssServer
from tests.support.site import Site
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


@contextmanager
def local(seed: str, root: Path) -> Iterator[Episode]:
    """One server whose files stay on this machine; where it can be, on another file system."""
    with spool_elsewhere(root) as spool:
        place = LocalPlace([spool], root / "files")
        yield _single(seed, root, place, spool)


@contextmanager
def oss(seed: str, root: Path) -> Iterator[Episode]:
    """One server whose files go to a slow store."""
    with OssServer() as server:
        server.bandwidth, server.latency = BANDWIDTH, LATENCY
        spool = root / "spool"
        yield _single(seed, root, OssPlace([spool], server), spool)


INSTALLATIONS = {"local": local, "oss": oss}


def _single(seed: str, root: Path, place: LocalPlace | OssPlace, spool: Path) -> Episode:
    overrides = [*SETTINGS, f"storage.temp_directory={spool}", *place.overrides]
    member = Member("server", Site(root), overrides)
    return Episode(seed, Fleet([member]), place, f"sqlite:///{root / 'state.db'}")

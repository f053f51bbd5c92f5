"""Servers killed at any moment, in short; `make soak` does it at length."""

from pathlib import Path

from tests.support.postgres import Postgres
from tests.support.soak.blows import Longest
from tests.support.soak.installations import oss, shared_oss

SEED = "quick"
"""Of a seed plans and blows are always the same; what they meet is not. This one's come soon."""


def test_what_was_announced_outlives_every_kill(tmp_path: Path) -> None:
    with oss(SEED, tmp_path) as episode:
        episode.run(deaths=4)
    assert episode.tally.downloads


def test_what_was_announced_outlives_every_kill_of_a_replica(
    tmp_path: Path, postgres_server: Postgres
) -> None:
    brief = Longest(pause=0.5, away=1.0)
    with shared_oss(SEED, tmp_path, postgres_server.database(), brief) as episode:
        episode.run(deaths=2)
    assert episode.tally.downloads

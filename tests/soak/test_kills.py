"""More than a hundred kills, over all states of exports. `make soak` runs this, nothing else."""

from pathlib import Path

import pytest

from tests.support.postgres import Postgres
from tests.support.soak.episode import Episode
from tests.support.soak.installations import REPLICAS, SINGLE
from tests.support.soak.tally import Tally

DEATHS = 10
"""Of each episode; after it the files and the records are counted."""

SINGLES, REPLICATED = 3, 2
"""Episodes of each installation."""

FEWEST = {"QUEUED": 20, "PROCESSING": 20, "UPLOADING": 20}
"""Deaths in the whole run at which a task was in that state."""


@pytest.mark.parametrize("number", range(SINGLES))
@pytest.mark.parametrize("name", SINGLE)
def test_what_was_announced_outlives_every_kill(
    name: str, number: int, seed: str, total: Tally, tmp_path: Path
) -> None:
    with SINGLE[name](f"{seed}/{name}/{number}", tmp_path) as episode:
        run(episode, total)


@pytest.mark.parametrize("number", range(REPLICATED))
@pytest.mark.parametrize("name", REPLICAS)
def test_what_was_announced_outlives_every_kill_of_a_replica(
    name: str, number: int, seed: str, total: Tally, tmp_path: Path, postgres_server: Postgres
) -> None:
    url = postgres_server.database()
    with REPLICAS[name](f"{seed}/{name}/{number}", tmp_path, url) as episode:
        run(episode, total)


def run(episode: Episode, total: Tally) -> None:
    try:
        episode.run(DEATHS)
    finally:
        total.add(episode.tally)


def test_every_state_was_hit(total: Tally) -> None:
    """Else the run has shown less than it says. It stands last, and needs all of them."""
    assert total.deaths >= DEATHS * (SINGLES * len(SINGLE) + REPLICATED * len(REPLICAS))
    hit = {state: total.deaths_with[state] for state in FEWEST}
    assert all(hit[state] >= fewest for state, fewest in FEWEST.items()), hit

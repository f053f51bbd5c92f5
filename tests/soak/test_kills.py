"""More than a hundred kills, over all states of exports. `make soak` runs this, nothing else."""

from pathlib import Path

import pytest

from tests.support.soak.installations import INSTALLATIONS
from tests.support.soak.tally import Tally

DEATHS = 10
"""Of each episode; between two the files and the records are counted."""

EPISODES = 6
"""Of each installation."""

FEWEST = {"QUEUED": 20, "PROCESSING": 20, "UPLOADING": 20}
"""Deaths in the whole run at which a task was in that state."""


@pytest.mark.parametrize("number", range(EPISODES))
@pytest.mark.parametrize("name", INSTALLATIONS)
def test_what_was_announced_outlives_every_kill(
    name: str, number: int, seed: str, total: Tally, tmp_path: Path
) -> None:
    with INSTALLATIONS[name](f"{seed}/{name}/{number}", tmp_path) as episode:
        try:
            episode.run(DEATHS)
        finally:
            total.add(episode.tally)


def test_every_state_was_hit(total: Tally) -> None:
    """Else the run has shown less than it says. It stands last, and needs all of them."""
    assert total.deaths >= DEATHS * EPISODES * len(INSTALLATIONS)
    missed = {state: total.deaths_with[state] for state in FEWEST}
    assert all(missed[state] >= fewest for state, fewest in FEWEST.items()), missed

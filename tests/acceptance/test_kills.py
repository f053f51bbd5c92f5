"""Servers killed at any moment, in short; `make soak` does it at length."""

from pathlib import Path

import pytest

from tests.support.soak.installations import INSTALLATIONS

SEED = "short"
"""Of a seed plans and blows are always the same; what they meet is not."""

DEATHS = 3


@pytest.mark.parametrize("name", ["local", "oss"])
def test_what_was_announced_outlives_every_kill(name: str, tmp_path: Path) -> None:
    with INSTALLATIONS[name](SEED, tmp_path) as episode:
        episode.run(DEATHS)
    assert episode.tally.deaths >= DEATHS
    assert episode.tally.downloads

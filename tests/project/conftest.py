"""What several tests of documents look at."""

import pytest

from tests.support.scenes import Told, acted


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a server told to which everything has happened."""
    return acted(tmp_path_factory.mktemp("scenes"))

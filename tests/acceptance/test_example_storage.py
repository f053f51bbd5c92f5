"""A package of a third party, installed beside the server, is one more storage of it."""

from pathlib import Path

import pytest
from pyarrow import flight

from tests.support.exports import csv_of, export
from tests.support.process import COMMAND, run, served
from tests.support.site import Site
from tests.support.third_party import install

EXAMPLE = Path(__file__).parents[1] / "example_storage"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return install(EXAMPLE, tmp_path_factory.mktemp("example"))


def test_an_installed_storage_keeps_files_like_any_other(
    path: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", path)
    with served(site, "storage.backend=archive") as server:
        task = export(server.client, 1000)
        assert task["state"] == "COMPLETED"
        assert task["url"].startswith(f"archive://{task['task_id']}/")
        found = flight.FlightDescriptor.for_path(task["task_id"])
        ticket = server.client.get_flight_info(found).endpoints[0].ticket
        pieces = server.client.do_get(ticket).read_all()["data"].to_pylist()
        assert b"".join(pieces) == csv_of(1000)
    assert (site.root / "files" / "archive.db").exists()
    assert not site.spools()


def test_a_storage_that_nobody_offers_is_refused_with_those_there_are(
    path: str, site: Site
) -> None:
    command = [COMMAND, "check-config", "--set", "storage.backend=tape"]
    refused = run(command, PYTHONPATH=path)
    assert refused.returncode != 0
    assert (
        "storage.backend: 'tape' (--set) is not available; "
        "available: local, oss, s3, gcs, azure, memory, archive"
    ) in refused.stderr
    accepted = run([*command[:-1], "storage.backend=archive"], PYTHONPATH=path)
    assert accepted.returncode == 0
    assert "  backend: archive\n" in accepted.stdout

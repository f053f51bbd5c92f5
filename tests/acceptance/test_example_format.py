"""A package of a third party, installed beside the server, is one more format of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from tests.support.exports import Put, refused
from tests.support.process import served
from tests.support.site import Site

EXAMPLE = Path(__file__).parents[1] / "example_format"
ORDERS = pa.record_batch(
    {"id": [1, 2], "what": ["a|b", "two\nlines"], "paid": [True, None]},
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has put the package, built from a copy of its source and without any index."""
    root = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, root / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    command = [*pip, *offline, "--target", str(root / "site"), str(root / "source")]
    subprocess.run(command, check=True, timeout=120)
    return root / "site"


def test_an_installed_format_is_exported_like_any_other(
    installed: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    with served(site) as server:
        described = server.actions.one("formats")["markdown"]
        assert described["extensions"] == ["markdown", "md"]
        assert described["options"] == {"null": {"default": "", "description": "the text for null"}}
        columns = [{"name": "what", "header": "What"}, {"name": "id"}, {"name": "paid"}]
        command = {"filename": "orders.md", "columns": columns, "options": {"null": "?"}}
        put = Put(server.client, command, ORDERS.schema)
        put.send_batch(ORDERS)
        put.commit(2)
        task = put.result()
        assert (task["state"], task["format"], task["rows"]) == ("COMPLETED", "markdown", 2)
        answer = httpx.get(task["url"])
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert answer.text == (
            "| What | id | paid |\n"
            "| --- | ---: | --- |\n"
            "| a\\|b | 1 | true |\n"
            "| two<br>lines | 2 | ? |\n"
        )
        with refused("INVALID_DESCRIPTOR") as refusal:
            Put(server.client, {"filename": "a.md", "options": {"nul": "?"}}).answers()
        assert "did you mean 'null'?" in refusal.message

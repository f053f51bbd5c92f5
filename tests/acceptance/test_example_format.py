"""A package of a third party, installed beside the server, is one more format of it."""

from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from tests.support.exports import Put, refused
from tests.support.process import served
from tests.support.site import Site
from tests.support.third_party import install

EXAMPLE = Path(__file__).parents[1] / "example_format"
ORDERS = pa.record_batch(
    {"id": [1, 2], "what": ["a|b", "two\nlines"], "paid": [True, None]},
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return install(EXAMPLE, tmp_path_factory.mktemp("example"))


def test_an_installed_format_is_exported_like_any_other(
    path: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", path)
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

"""docs/operations.md says what a server tells operators, no more and no less."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flight_server.errors import ErrorCode
from flight_server.logs import Event
from flight_server.logs.entry import LEVELS
from flight_server.metrics.clients import MOST_CLIENTS
from flight_server.tasks.model import TaskState
from tests.support.exports import Json
from tests.support.scenes import Told
from tests.support.site import Running

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
)["groups"][0]["rules"]


def rows(first_cell: str) -> list[list[str]]:
    """The cells of the rows of the tables whose first column is headed so."""
    tables = re.findall(rf"^\| {first_cell} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", DOCS, re.MULTILINE)
    assert tables, first_cell
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for table in tables
        for line in table.splitlines()
    ]


def names(cell: str) -> set[str]:
    """What stands in backquotes."""
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_metrics_of_the_page_are_those_of_a_server(told: Told) -> None:
    scraped = {
        family.name: (family.kind, set(family.labels), family.meaning)
        for family in told.metrics.values()
    }
    documented = {
        name.strip("`"): (kind, names(labels), meaning)
        for name, kind, labels, meaning in rows("metric")
    }
    assert documented == scraped


def test_the_metrics_of_the_page_are_in_order() -> None:
    listed = [row[0] for row in rows("metric")]
    assert listed == sorted(listed)


def test_the_labels_of_the_page_are_those_of_the_metrics(told: Told) -> None:
    scraped = {label for family in told.metrics.values() for label in family.labels}
    documented = {row[0].strip("`"): row[1] for row in rows("label")}
    assert documented.keys() == scraped - {"python", "version"}
    assert names(documented["state"]) == {state.value for state in TaskState if state.finished}
    assert f"the first {MOST_CLIENTS} names" in documented["client"]


@pytest.mark.parametrize("label", ["code", "directory", "outcome", "component"])
def test_the_values_of_a_label_are_those_of_the_page(told: Told, label: str) -> None:
    [documented] = [row[1] for row in rows("label") if row[0] == f"`{label}`"]
    known = {
        "code": {code.value for code in ErrorCode},
        "component": {row[0].strip("`") for row in rows("component")},
        "directory": {"temp", "files"},
        "outcome": {"completed", "interrupted"},
    }[label]
    for family in told.metrics.values():
        assert family.labels.get(label, set()) <= known
    if label in {"directory", "outcome"}:
        assert {name for name in names(documented) if "." not in name} == known


def test_the_events_of_the_page_are_those_of_the_log() -> None:
    assert sorted(row[0].strip("`") for row in rows("event")) == sorted(Event)


@pytest.mark.parametrize("event", Event)
def test_every_event_is_logged_with_the_level_and_the_fields_of_the_page(
    told: Told, event: Event
) -> None:
    lines = told.seen(event)
    assert lines
    [(levels, fields)] = [
        (set(row[1].split(", ")), names(row[3])) for row in rows("event") if row[0] == f"`{event}`"
    ]
    assert {line["level"] for line in lines} <= levels <= set(LEVELS)
    assert {name for line in lines for name in line["fields"]} <= fields


def test_the_keys_of_a_line_are_those_of_the_page(told: Told) -> None:
    documented = {row[0].strip("`") for row in rows("key")}
    assert {key for line in told.lines for key in line} == documented


def test_a_line_of_an_export_carries_its_call(told: Told) -> None:
    """But for those that another server, or a sweep, writes about it."""
    of_tasks = [line for line in told.lines if "task_id" in line]
    assert of_tasks
    without = [line for line in of_tasks if not {"session_id", "trace_id"} <= line.keys()]
    assert without == []


def test_the_components_of_the_page_are_those_of_a_server(server: Running) -> None:
    told: Json = server.web.get(f"{server.ops}/health/ready").json()
    assert [row[0] for row in rows("component")] == [f"`{name}`" for name in told["components"]]
    [example] = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)
    shown: Json = yaml.safe_load(example)
    assert shown.keys() == told.keys()
    assert shown["components"].keys() == told["components"].keys()
    assert shown["components"]["state"].keys() == told["components"]["state"].keys()


def test_the_addresses_of_the_page_answer(server: Running) -> None:
    for address, _ in rows("address"):
        method, path = address.strip("`").split()
        assert server.web.request(method, f"{server.ops}{path}").status_code == 200


def test_the_alerts_of_the_page_are_those_of_the_rules() -> None:
    documented = [(name.strip("`"), severity) for name, severity, _ in rows("alert")]
    assert documented == [(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS]
    assert all(len(advice) > 20 for _, _, advice in rows("alert"))


def test_the_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", DOCS, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCS)) <= anchors


def test_the_codes_of_the_page_exist() -> None:
    for row in rows("code"):
        assert set(row[0].split(", ")) <= {code.value for code in ErrorCode}

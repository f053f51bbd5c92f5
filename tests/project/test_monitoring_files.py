"""The alerts and the dashboard load, and ask only for what a server tells."""

import json
import re
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.promql import BadQuery, Query, Selector, parsed
from tests.support.scenes import Told

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "export-middleware.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

PROMETHEUS_OWN: Final = {"up": set[str]()}
TARGET: Final = {"job", "instance"}
"""What Prometheus adds to every series."""


def plain(text: str) -> str:
    """An expression of Grafana with its variables filled in."""
    return text.replace("$__rate_interval", "1m").replace("$job", "a").replace("$instance", "b")


def queries() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", plain(target["expr"])
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            [(selector, label)] = re.findall(r"label_values\((.+), (\w+)\)", variable["definition"])
            yield variable["name"], plain(f"count by ({label}) ({selector})")


QUERIES = dict(queries())


def series(told: Told) -> dict[str, dict[str, set[str]]]:
    """Every name that a query may use, with its labels and their values."""
    known = {name: {label: set[str]() for label in TARGET} for name in PROMETHEUS_OWN}
    for family in told.metrics.values():
        for name, labels in family.series.items():
            values = {label: family.labels.get(label, set()) for label in labels}
            known[name] = {**values, **{label: set() for label in TARGET}}
    return known


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_metrics_and_labels_that_exist(told: Told, name: str) -> None:
    known, query = series(told), parsed(QUERIES[name])
    assert query.selectors
    for selector in query.selectors:
        assert selector.name in known
        assert selector.matchers.keys() <= known[selector.name].keys()
        assert_values_exist(selector, known[selector.name])
    for labels, selectors in query.grouped:
        reachable = {label for each in selectors for label in known[each.name]}
        assert set(labels) <= reachable


def assert_values_exist(selector: Selector, known: dict[str, set[str]]) -> None:
    """A value that no series has is a query that never finds anything."""
    for label, (sign, value) in selector.matchers.items():
        if label not in TARGET:
            wanted = set(value.split("|")) if sign in {"=~", "!~"} else {value}
            assert wanted <= known[label]


def test_a_quantile_keeps_the_bounds_of_its_buckets() -> None:
    for expr in QUERIES.values():
        if "histogram_quantile" in expr:
            [selector] = parsed(expr).selectors
            assert selector.name.endswith("_bucket")
            assert re.search(r"sum by \((?:\w+, )?le\)", expr)


def test_every_metric_of_ours_is_shown(told: Told) -> None:
    used = {each.name for expr in QUERIES.values() for each in parsed(expr).selectors}
    for name, family in told.metrics.items():
        if name.startswith("export_"):
            assert used & family.series.keys(), name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_how_bad_it_is(told: Told, rule: dict[str, Any]) -> None:
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    shown = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert shown <= left_over(parsed(rule["expr"]), series(told))


def left_over(query: Query, known: dict[str, dict[str, set[str]]]) -> set[str]:
    """The labels of the first operand: what it is grouped by, or all that it has."""
    labels, selectors = query.grouped[0]
    return set(labels) or set(known[selectors[0].name])


def test_alerts_have_names_of_their_own() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_the_dashboard_loads_without_edits() -> None:
    """No data source of one installation, no ids of its database."""
    assert "id" not in DASHBOARD
    assert "__inputs" not in DASHBOARD
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in PANELS:
        assert panel["datasource"] == source
        assert all(target["datasource"] == source for target in panel["targets"])
    declared = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert declared == {"datasource", "instance", "job"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__rate_interval", "__all"} == declared


def test_the_panels_are_whole_and_do_not_overlap() -> None:
    every = DASHBOARD["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert all(panel["title"] for panel in every)
    assert all(panel["description"] for panel in PANELS)
    places = [panel["gridPos"] for panel in every]
    assert all(at["x"] + at["w"] <= 24 for at in places)
    cells = [set(product(*map(span, (at["x"], at["y"]), (at["w"], at["h"])))) for at in places]
    assert not [1 for one, other in combinations(cells, 2) if one & other]


def span(start: int, length: int) -> range:
    return range(start, start + length)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_legend_names_labels_that_its_query_keeps(told: Told, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        query = parsed(plain(target["expr"]))
        grouped = [labels for labels, _ in query.grouped if labels]
        kept = set(grouped[0]) if grouped else set(series(told)[query.selectors[0].name])
        assert named <= kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sum(",
        "rate(x)",
        "x[5m]",
        "rate(x[5])",
        "sum by job (x)",
        "x{job=a}",
        'x{job=="a"}',
        "x and",
        "nonsense(x)",
        "x > on job y",
        "x y",
        "x{",
        "a ? b",
    ],
)
def test_what_prometheus_would_refuse_is_refused_here(text: str) -> None:
    with pytest.raises(BadQuery):
        parsed(text)


def test_a_query_is_taken_apart() -> None:
    selected = 'sum by (a, b) (rate(x_total{c!~"d|e"}[5m]))'
    query = parsed(f"{selected} > on (a) group_left () 0.1 * -max(y)")
    assert query.selectors == [Selector("x_total", {"c": ("!~", "d|e")}), Selector("y")]
    assert (["a", "b"], [query.selectors[0]]) in query.grouped
    assert (["a"], query.selectors) in query.grouped

"""deploy/k8s agrees with the image, with itself and with the code."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from flight_server.config import Config, load_config
from flight_server.config.model import KEYS
from flight_server.health import Health
from flight_server.metrics import Metrics
from flight_server.transports.http_ops import create_ops_app
from tests.support.image import ETC, ROOT, STATE, final_stage, image_user
from tests.support.stopping import longest

HERE = ROOT / "deploy" / "k8s"
DOCS = (ROOT / "docs" / "deployment.md").read_text()


def documents() -> Iterator[dict[str, Any]]:
    for name in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((HERE / name).read_text())


KUSTOMIZATION: dict[str, Any] = yaml.safe_load((HERE / "kustomization.yaml").read_text())
OBJECTS = {(each["kind"], each["metadata"]["name"]): each for each in documents()}
STATEFUL_SET = OBJECTS["StatefulSet", "export-middleware"]["spec"]
POD = STATEFUL_SET["template"]["spec"]
[SERVER] = POD["containers"]
ENVIRON = {each["name"]: each["valueFrom"] for each in SERVER["env"]}
CONFIG = load_config(
    HERE / "config.yaml",
    environ=final_stage().environ
    | {
        "EXPORT_PERFORMANCE__THREADS": "2",
        "EXPORT_STATE__URL": "postgresql://u:p@db/export",
        "EXPORT_S3__ACCESS_KEY_ID": "id",
        "EXPORT_S3__SECRET_ACCESS_KEY": "secret",
    },
)
PORTS = {
    "flight": CONFIG.server.flight_port,
    "grpc": CONFIG.server.port,
    "http": CONFIG.server.status_port,
    "ops": CONFIG.monitoring.metrics_port,
}


def key_of(variable: str) -> str:
    return variable.removeprefix("EXPORT_").lower().replace("__", ".")


def test_every_file_is_a_resource_and_takes_part() -> None:
    files = {path.name for path in HERE.iterdir()} - {"kustomization.yaml", "config.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


def test_the_image_is_the_one_that_is_built_and_has_the_version_of_the_project() -> None:
    [version] = re.findall(
        r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    [image] = KUSTOMIZATION["images"]
    assert (image["name"], image["newTag"]) == (SERVER["image"], version)
    assert "command" not in SERVER
    assert "args" not in SERVER


def test_the_configuration_is_where_the_image_looks_for_it() -> None:
    [made] = KUSTOMIZATION["configMapGenerator"]
    assert made["files"] == ["config.yaml"]
    [volume] = [each for each in POD["volumes"] if each["name"] == "config"]
    assert volume["configMap"]["name"] == made["name"]
    mounts = {each["name"]: each["mountPath"] for each in SERVER["volumeMounts"]}
    assert mounts == {"config": ETC, "data": STATE}
    assert f"{mounts['config']}/config.yaml" in final_stage().one("CMD").words


def test_variables_are_keys_and_secrets_come_from_the_secret_that_the_page_makes() -> None:
    assert {key_of(name) for name in ENVIRON} <= set(KEYS)
    secrets = [each["secretKeyRef"] for each in ENVIRON.values() if "secretKeyRef" in each]
    assert {each["name"] for each in secrets} == {"export-middleware"}
    made = re.findall(r"--from-literal=([\w-]+)=", DOCS)
    assert sorted(made) == sorted(each["key"] for each in secrets)
    assert [each["key"] for each in secrets if not each.get("optional")] == ["state-url"]
    assert "kubectl create secret generic export-middleware " in DOCS


def test_the_configuration_has_no_secret() -> None:
    told = yaml.safe_load((HERE / "config.yaml").read_text())
    given = {f"{section}.{key}" for section, keys in told.items() for key in keys}
    secret = {name for name, key in KEYS.items() if isinstance(key.default, SecretStr)}
    assert given & (secret | {"state.url"}) == set()
    assert all("value" not in each for each in SERVER["env"])


def test_it_says_that_everybody_who_reaches_it_may_export_and_a_policy_says_who_does() -> None:
    assert CONFIG.security.allow_anonymous
    policy = OBJECTS["NetworkPolicy", "export-middleware"]["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert all(rule["from"] for rule in policy["ingress"])
    let_in = [port["port"] for rule in policy["ingress"] for port in rule["ports"]]
    assert sorted(let_in) == sorted(PORTS)
    labels = policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
    assert [f"{name}={value}" in DOCS for name, value in labels.items()] == [True]


def test_ports_are_those_of_the_doors() -> None:
    assert {each["name"]: each["containerPort"] for each in SERVER["ports"]} == PORTS
    for name in ("export-middleware", "export-middleware-replicas"):
        ports = OBJECTS["Service", name]["spec"]["ports"]
        assert {each["targetPort"]: each["port"] for each in ports} == {
            door: port for door, port in PORTS.items() if door != "ops"
        }
    annotations = STATEFUL_SET["template"]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == PORTS["ops"]


def test_everything_selects_the_pods() -> None:
    labels = STATEFUL_SET["template"]["metadata"]["labels"]
    for kind, name in OBJECTS:
        spec = OBJECTS[kind, name]["spec"]
        if kind == "Service":
            assert spec["selector"] == labels
        elif kind == "NetworkPolicy":
            assert spec["podSelector"]["matchLabels"] == labels
        elif kind != "HorizontalPodAutoscaler":
            assert spec["selector"]["matchLabels"] == labels
    assert STATEFUL_SET["serviceName"] == "export-middleware-replicas"
    assert OBJECTS["Service", "export-middleware-replicas"]["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize(
    ("probe", "path"),
    [
        ("startupProbe", "/health/live"),
        ("livenessProbe", "/health/live"),
        ("readinessProbe", "/health/ready"),
    ],
)
def test_probes_ask_what_the_door_for_operators_answers(probe: str, path: str) -> None:
    routes = {
        route.path for route in create_ops_app(Health(timedelta(seconds=1)), Metrics([])).routes
    }
    assert SERVER[probe]["httpGet"] == {"path": path, "port": "ops"}
    assert path in routes
    assert STATEFUL_SET["template"]["metadata"]["annotations"]["prometheus.io/path"] in routes


def test_a_pod_has_the_time_that_a_server_needs_to_stop() -> None:
    command, seconds = SERVER["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    needed = timedelta(seconds=int(seconds)) + longest(CONFIG)
    assert timedelta(seconds=POD["terminationGracePeriodSeconds"]) == needed


def test_a_replica_keeps_its_spools_in_a_directory_of_its_own_on_its_volume() -> None:
    """The root of a volume is not the image's user's, and the server refuses such directories."""
    [claim] = STATEFUL_SET["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    assert CONFIG.storage.temp_directory.parent == Path(STATE)
    assert CONFIG.storage.backend != Config().storage.backend, "files must outlive a pod"
    assert set(STATEFUL_SET["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}


def test_the_pod_is_confined_as_the_image_allows() -> None:
    user = image_user()
    of_pod, of_server = POD["securityContext"], SERVER["securityContext"]
    assert {of_pod[name] for name in ("runAsUser", "runAsGroup", "fsGroup")} == {user}
    assert of_pod["runAsNonRoot"] is True
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_server == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["automountServiceAccountToken"] is False


def test_the_number_of_replicas_follows_a_metric_that_the_server_has() -> None:
    scaler = OBJECTS["HorizontalPodAutoscaler", "export-middleware"]["spec"]
    target = scaler["scaleTargetRef"]
    assert (target["kind"], target["name"]) in OBJECTS
    assert "replicas" not in STATEFUL_SET
    [metric] = [each["pods"] for each in scaler["metrics"]]
    name = metric["metric"]["name"]
    assert name in {each.name for each in Metrics([]).registry.collect()}
    assert int(metric["target"]["averageValue"]) < CONFIG.concurrency.max_concurrent_tasks
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    assert OBJECTS["PodDisruptionBudget", "export-middleware"]["spec"]["maxUnavailable"] == 1


def test_the_rule_of_the_page_makes_that_metric_one_of_pods() -> None:
    [text] = re.findall(r"^```yaml\n(rules:.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    [rule] = yaml.safe_load(text)["rules"]
    assert rule["seriesQuery"].startswith("export_active_tasks{")
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}


def test_memory_is_enough_for_what_the_configuration_lets_stand_in_it() -> None:
    store, slots = CONFIG.s3, CONFIG.concurrency.max_concurrent_tasks
    parts = store.part_size * (4 * store.parallel_parts + max(0, slots - 4))
    [limit] = re.findall(r"^(\d+)Gi$", SERVER["resources"]["limits"]["memory"])
    assert int(limit) * 2**30 >= 2 * (CONFIG.performance.memory_budget + parts)
    assert ENVIRON["EXPORT_PERFORMANCE__THREADS"] == {
        "resourceFieldRef": {"resource": "limits.cpu"}
    }

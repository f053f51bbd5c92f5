"""The proxy's configurations are taken; docs/cluster.md says what they and the launcher do."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.cluster.addresses import Doors, Front
from deploy.cluster.cluster import NAMES
from deploy.cluster.proxy import HAPROXY_CONFIG, NGINX_CONFIG, filled, names_of, program
from flight_server.config import Config
from tests.support.cluster import ROOT, require_proxy

DOCS = (ROOT / "docs" / "cluster.md").read_text()
HAPROXY = HAPROXY_CONFIG.read_text()
NGINX = NGINX_CONFIG.read_text()

VALUES = names_of(
    Front(1001, 1002, 1003, 1004, 1005, 1006),
    {name: Doors(*range(port, port + 4)) for name, port in zip(NAMES, (2001, 3001), strict=True)},
)


def used(config: str) -> set[str]:
    """The names that a configuration takes."""
    return set(re.findall(r"\$\{(\w+)\}", config))


def explained(config: str) -> set[str]:
    """The names in the head of a configuration."""
    head = config.partition("\n\n")[0]
    return set(re.findall(r"\b(?:[A-Z]+_)+[A-Z]+\b", head))


def statements(config: str, name: str) -> list[str]:
    """What follows `name`, in each line that begins with it."""
    return re.findall(rf"^\s*{name} ([^;#\n]+?)[;\s]*(?:#.*)?$", config, re.MULTILINE)


@pytest.mark.parametrize("config", [HAPROXY, NGINX], ids=["haproxy", "nginx"])
def test_the_head_of_a_configuration_explains_every_name_in_it(config: str) -> None:
    assert explained(config) - {"UNAVAILABLE"} == used(config)


def test_every_name_has_a_value_and_every_value_is_used() -> None:
    assert used(HAPROXY) | used(NGINX) == set(VALUES)


def test_haproxy_takes_its_configuration() -> None:
    require_proxy()
    checked = subprocess.run(
        [program("haproxy"), "-c", "-f", str(HAPROXY_CONFIG)],
        env={**os.environ, **VALUES},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr
    assert "[WARNING]" not in checked.stderr


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    require_proxy()
    config = tmp_path / "nginx.conf"
    config.write_text(filled(NGINX, VALUES))
    checked = subprocess.run(
        [program("nginx"), "-t", "-p", f"{tmp_path}/", "-e", "nginx.log", "-c", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


def test_each_replica_is_at_every_door_and_is_asked_once() -> None:
    sections = re.split(r"^(?=listen |backend |defaults|global)", HAPROXY, flags=re.MULTILINE)
    servers = {
        section.split()[1]: re.findall(r"^ *server (\w+) (.+)$", section, re.MULTILINE)
        for section in sections
        if section.startswith(("listen ", "backend "))
    }
    assert servers.pop("status") == []
    assert servers.pop("replicas") == [(name, f'"${{{name.upper()}_OPS}}"') for name in NAMES]
    for door, members in servers.items():
        assert members == [
            (name, f'"${{{name.upper()}_{door.upper()}}}" track replicas/{name}') for name in NAMES
        ]


def test_the_proxy_is_patient_for_longer_than_the_server() -> None:
    config = Config()
    silent = (
        config.concurrency.queue_timeout
        + config.server.max_task_duration
        + max(store.upload_timeout for store in (config.oss, config.s3, config.gcs, config.azure))
    )
    patience = timedelta(hours=7)
    assert silent == timedelta(hours=6, minutes=35)
    assert patience > silent
    assert HAPROXY.count("6 h 35 min") == NGINX.count("6 h 35 min") == 1
    streams = HAPROXY.partition("\nlisten http")[0]
    for name in ("timeout client", "timeout server"):
        assert statements(streams, name) == ["7h"]
    for name in ("client_body_timeout", "grpc_send_timeout", "grpc_read_timeout", "send_timeout"):
        assert statements(NGINX, name) == ["7h"]
    assert "7 h" in DOCS


def test_the_options_of_the_page_are_those_of_the_launcher() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "deploy.cluster", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == 0, said.stderr
    options = set(re.findall(r"(--[a-z-]+)", said.stdout)) - {"--help", "--restart"}
    rows = re.findall(r"^\| (`--[^|]+) \|", DOCS, re.MULTILINE)
    assert set(re.findall(r"--[a-z-]+", " ".join(rows))) == options


def test_the_page_fills_in_the_names_of_nginx() -> None:
    shell = re.findall(r"^```sh\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)[-1]
    [names] = re.findall(r"envsubst '([^']+)'", shell)
    assert set(names.replace("$", "").split()) == used(NGINX)
    assert f"envsubst '{names}'" in NGINX
    assert set(re.findall(r"(\w+)=[\d.]+:\d+", shell)) == used(NGINX)

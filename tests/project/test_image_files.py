"""Dockerfile, .dockerignore and the configuration that they install agree with the code."""

import re
from datetime import timedelta
from pathlib import Path

from flight_server.config import Config, load_config
from flight_server.health import Health
from flight_server.metrics import Metrics
from flight_server.transports.http_ops import create_ops_app
from tests.support.dockerfile import stages
from tests.support.image import (
    DOCKERFILE,
    ETC,
    OPT,
    ROOT,
    STATE,
    final_stage,
    image_user,
    is_context,
)

FINAL = final_stage()
CONFIG = ROOT / "deploy" / "config.yaml"


def ports(config: Config) -> list[int]:
    """Of the doors: Flight, gRPC, HTTP for people, HTTP for operators."""
    server = config.server
    return [server.flight_port, server.port, server.status_port, config.monitoring.metrics_port]


def test_both_stages_have_one_base_which_has_no_compiler() -> None:
    [base] = {stage.base for stage in stages(DOCKERFILE)}
    version = re.fullmatch(r"python:3\.(\d+)-slim-bookworm", base)
    assert version is not None
    [least] = re.findall(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert int(version[1]) >= int(least)


def test_the_build_names_no_index_and_takes_the_pinned_versions() -> None:
    commands = [
        command for each in stages(DOCKERFILE)[0].all("RUN") for command in each.text.split("&&")
    ]
    assert [each for each in commands if "index-url" in each] == []
    dependencies, server = [each for each in commands if " install " in each]
    assert "--constraint constraints.txt" in dependencies
    assert "--no-deps --no-index" in server


def test_what_is_copied_is_let_through_and_nothing_else() -> None:
    copied = {
        source
        for stage in stages(DOCKERFILE)
        for each in stage.all("COPY")
        if "from" not in each.flags
        for source in each.operands[:-1]
    }
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert sorted(kept) == sorted(copied)
    assert all((ROOT / each).exists() for each in copied)
    assert not is_context("tests")


def test_it_exposes_the_ports_of_the_doors() -> None:
    assert [int(port) for port in FINAL.one("EXPOSE").words] == ports(Config())


def test_it_runs_the_installed_command_with_the_installed_configuration() -> None:
    [script] = re.findall(
        r"^\[project\.scripts\]\n([\w-]+) =", (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert FINAL.one("ENTRYPOINT").words == [f"{OPT}/bin/{script}"]
    assert FINAL.one("CMD").words == ["serve", "--config", f"{ETC}/config.yaml"]
    copied = [each.operands for each in FINAL.all("COPY")]
    assert ["deploy/config.yaml", f"{ETC}/config.yaml"] in copied


def test_its_variables_are_keys_of_the_configuration() -> None:
    told = {name: value for name, value in FINAL.environ.items() if name.startswith("EXPORT_")}
    loaded = load_config(None, environ=told | {"EXPORT_SECURITY__ALLOW_ANONYMOUS": "true"})
    assert (loaded.server.host, set(told)) == ("0.0.0.0", {"EXPORT_SERVER__HOST"})


def test_it_asks_the_door_for_operators_whether_it_lives() -> None:
    code = FINAL.one("HEALTHCHECK").exec_form[-1]
    routes = {
        route.path for route in create_ops_app(Health(timedelta(seconds=1)), Metrics([])).routes
    }
    assert re.findall(r"'GET', '([^']+)'", code) == ["/health/live"]
    assert "/health/live" in routes
    [name, port] = re.findall(r"environ\.get\('(\w+)', '(\d+)'\)", code)[0]
    assert int(port) == Config().monitoring.metrics_port
    assert load_config(None, environ={name: "7"}).monitoring.metrics_port == 7


def test_its_user_is_a_number_and_owns_the_state() -> None:
    assert image_user() > 0
    owner = f"--owner {image_user()} --group {image_user()}"
    [made] = [each.text for each in FINAL.all("RUN") if "install --directory" in each.text]
    assert owner in made
    assert made.endswith(STATE)
    assert FINAL.one("USER").text == f"{image_user()}:{image_user()}"
    assert FINAL.one("VOLUME").text == FINAL.one("WORKDIR").text == STATE


def test_all_that_the_configuration_keeps_is_on_the_volume() -> None:
    config = load_config(CONFIG, environ={})
    assert config.state.url == f"sqlite:///{STATE}/state.db"
    for kept in (config.storage.temp_directory, config.storage.local.directory):
        assert kept.parent == Path(STATE)
    assert config.model_copy(update={"state": Config().state, "storage": Config().storage}) == (
        Config()
    )

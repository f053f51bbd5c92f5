"""The commands of docs/deployment.md fit the files, the image and the configuration."""

import re
import shlex
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from flight_server.config import Config, load_config
from flight_server.tasks.store_engine import _create
from tests.support.image import ETC, OPT, ROOT, STATE, final_stage
from tests.support.process import COMMAND, run
from tests.support.stopping import AFTER_GRACE
from tests.support.unit_file import Unit

PAGE = (ROOT / "docs" / "deployment.md").read_text()
UNIT = Unit.read(ROOT / "deploy" / "systemd" / "export-middleware.service")


def commands(first: str) -> list[list[str]]:
    """The words of each command of the page that begins so."""
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    lines = shell.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith(f"{first} ")]


def options(words: list[str], name: str) -> list[str]:
    """What follows an option, each time."""
    return [words[place + 1] for place, word in enumerate(words) if word == name]


def test_the_files_of_the_unit_are_installed_where_it_looks_for_them(tmp_path: Path) -> None:
    """The page's own commands, below another directory."""
    for words in commands("install"):
        moved = [*words[:-1], f"{tmp_path}{words[-1]}"]
        subprocess.run(moved, cwd=ROOT, check=True, timeout=20)
    installed = {
        str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*") if path.is_file()
    }
    assert f"{ETC[1:]}/config.yaml" in installed
    secrets = installed[UNIT.one("EnvironmentFile").removeprefix("-/")]
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert "etc/systemd/system/export-middleware.service" in installed
    assert len(installed) == 4


def test_the_unit_finds_what_pip_installs() -> None:
    [made] = [words for words in commands("python3") if "venv" in words]
    assert made[-1] == OPT
    [[*_, what]] = commands(f"{OPT}/bin/pip")
    assert what == "."
    assert UNIT.one("ExecStart").startswith(f"{OPT}/bin/")


def test_the_container_is_run_as_the_image_is_made_for() -> None:
    [run] = [words for words in commands("docker") if words[1] == "run"]
    [build] = [words for words in commands("docker") if words[1] == "build"]
    assert run[-1] == build[build.index("--tag") + 1]
    told = dict(pair.split("=") for pair in options(run, "--env"))
    config = load_config(ROOT / "deploy" / "config.yaml", environ=final_stage().environ | told)
    assert config.storage.local.public_url is not None
    assert options(run, "--volume") == [f"export-middleware:{STATE}"]
    doors = (config.server.flight_port, config.server.port, config.server.status_port)
    assert options(run, "--publish") == [f"127.0.0.1:{port}:{port}" for port in doors]
    seconds = config.server.shutdown_grace + AFTER_GRACE
    assert options(run, "--stop-timeout") == [str(round(seconds.total_seconds()))]
    assert {"--read-only", "--cap-drop", "--security-opt"} <= set(run)


def test_the_times_of_the_page_are_those_of_the_files() -> None:
    compose = (ROOT / "deploy" / "docker-compose.yml").read_text()
    kubernetes = (ROOT / "deploy" / "k8s" / "statefulset.yaml").read_text()
    table = PAGE.split("## How long stopping takes")[1].split("\n## ")[0]
    waits = re.findall(r"^\| (\w+) \| (.+) \| `([^`]+)`", table, re.MULTILINE)
    assert [name for name, _, _ in waits] == ["systemd", "container", "Compose", "Kubernetes"]
    for (_, _, setting), text in zip(
        waits,
        (f"TimeoutStopSec={UNIT.one('TimeoutStopSec')}", PAGE, compose, kubernetes),
        strict=True,
    ):
        assert setting in text.replace(table, "")
    assert f"at most {round(AFTER_GRACE.total_seconds())} s later" in table
    assert {grace for name, grace, _ in waits if name != "Kubernetes"} == {
        f"{round(Config().server.shutdown_grace.total_seconds())} s"
    }


def test_a_replica_takes_as_many_connections_as_the_page_says() -> None:
    engine = _create(make_url("postgresql://nobody@nowhere/none"))
    most = engine.pool.size() + engine.pool._max_overflow  # type: ignore[attr-defined]
    assert f"up to {most} connections" in PAGE


def test_every_file_that_a_command_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w/.])deploy/[\w./-]+", PAGE)) - {"deploy/.env"}
    assert named
    assert [each for each in named if not (ROOT / each.rstrip(".")).exists()] == []


def test_retry_is_a_command_that_is_run_with_the_installed_configuration() -> None:
    shell = PAGE.split("## A file that could not be published")[1]
    asked = re.findall(r"export-middleware (retry .+)$", shell, re.MULTILINE)
    assert asked == [f"retry TASK_ID --config {ETC}/config.yaml"] * 3
    said = run([COMMAND, "retry", "--help"], COLUMNS="200")
    assert said.returncode == 0
    assert "--config" in said.stdout

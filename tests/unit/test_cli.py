"""The command line, in this process; servers and signals are in the acceptance tests."""

from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flight_server.cli import app

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own settings."""
    for name in ("LOG_LEVEL", "OSS_ENDPOINT", "OSS_BUCKET"):
        monkeypatch.delenv(name, raising=False)


def test_version_is_that_of_the_package() -> None:
    assert RUNNER.invoke(app, ["version"]).stdout.strip() == version("export-middleware")


def test_without_a_command_it_shows_its_help() -> None:
    result = RUNNER.invoke(app, [])
    for command in ("serve", "check-config", "version"):
        assert command in result.output


def test_check_config_prints_what_serve_would_use(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("server:\n  flight_port: 1111\nlogging:\n  level: debug\n")
    result = RUNNER.invoke(
        app, ["check-config", "--config", str(file), "--set", "server.flight_port=2222"]
    )
    assert result.exit_code == 0
    printed = yaml.safe_load(result.stdout)
    assert printed["server"]["flight_port"] == 2222
    assert printed["logging"]["level"] == "debug"


def test_the_environment_stands_between_file_and_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORT_SERVER__FLIGHT_PORT", "3333")
    result = RUNNER.invoke(app, ["check-config"])
    assert yaml.safe_load(result.stdout)["server"]["flight_port"] == 3333


def test_secrets_are_masked() -> None:
    result = RUNNER.invoke(app, ["check-config", "--set", "oss.access_key_secret=hush-hush"])
    assert result.exit_code == 0
    assert "hush" not in result.output


@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_bad_configuration_is_exit_code_two(command: str) -> None:
    result = RUNNER.invoke(app, [command, "--set", "logging.level=loud"])
    assert result.exit_code == 2
    assert "logging.level" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_bad_style_is_exit_code_two(command: str) -> None:
    style = '{"house": {"header_style": {"color": "red"}}}'
    result = RUNNER.invoke(app, [command, "--set", f"xlsx.styles={style}"])
    assert result.exit_code == 2
    assert result.stderr.startswith("xlsx.styles.house.header_style.color: 'red' (--set) is not")
    assert result.stdout == ""

"""deploy/systemd agrees with the installation, and systemd takes it."""

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from flight_server.cli import EXIT_CONFIGURATION
from flight_server.config import Config, load_config
from flight_server.config.model import KEYS
from flight_server.config.sources import ORIGINAL_NAMES
from tests.support.image import ETC, OPT, ROOT, RUN, STATE, final_stage
from tests.support.stopping import longest
from tests.support.unit_file import Unit

HERE = ROOT / "deploy" / "systemd"
FILE = HERE / "export-middleware.service"
UNIT = Unit.read(FILE)
DOCS = (ROOT / "docs" / "deployment.md").read_text()


def require_systemd() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is missing")
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A machine on which the unit and what it starts are installed."""
    for place in ("etc/systemd/system", "usr/lib/systemd/system"):
        (tmp_path / place).mkdir(parents=True)
    unit = tmp_path / "etc/systemd/system" / FILE.name
    shutil.copy(FILE, unit)
    command = tmp_path / OPT[1:] / "bin" / "export-middleware"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    for target in ("sysinit", "basic", "shutdown", "multi-user", "network-online"):
        (tmp_path / "usr/lib/systemd/system" / f"{target}.target").write_text("[Unit]\n")
    return unit


def test_systemd_takes_the_unit_without_a_word(tree: Path) -> None:
    root = tree.parents[3]
    said = subprocess.run(
        [require_systemd(), "verify", f"--root={root}", str(tree)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_systemd_calls_it_well_confined() -> None:
    said = subprocess.run(
        [require_systemd(), "security", "--offline=true", "--threshold=15", "--no-pager", FILE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stdout.splitlines()[-1]


def test_it_starts_what_the_image_starts() -> None:
    image = final_stage()
    command = [*image.one("ENTRYPOINT").words, *image.one("CMD").words]
    assert UNIT.one("ExecStart").split() == [*command, "--ready-file", f"{RUN}/ready.json"]


def test_its_directories_are_those_of_the_configuration() -> None:
    for name, place in (
        ("StateDirectory", STATE),
        ("RuntimeDirectory", RUN),
        ("ConfigurationDirectory", ETC),
    ):
        assert place.endswith(f"/{UNIT.one(name)}")
    assert UNIT.one("WorkingDirectory") == STATE
    config = load_config(ROOT / "deploy" / "config.yaml", environ={})
    kept = [config.storage.temp_directory, config.storage.local.directory]
    assert all(path.is_relative_to(STATE) for path in kept)
    assert UNIT.one("EnvironmentFile") == f"-{ETC}/environment"


def test_its_user_is_the_one_that_is_made() -> None:
    lines = (HERE / "export-middleware.sysusers").read_text().splitlines()
    [made] = [line.split()[1] for line in lines if not line.startswith("#")]
    assert UNIT.one("User") == UNIT.one("Group") == made


def test_it_waits_as_long_as_a_server_needs_to_stop() -> None:
    assert timedelta(seconds=int(UNIT.one("TimeoutStopSec"))) == longest(Config())


def test_a_wrong_configuration_is_not_tried_again() -> None:
    assert UNIT.one("RestartPreventExitStatus") == str(EXIT_CONFIGURATION)


def test_its_environment_has_names_of_the_configuration_and_no_values() -> None:
    text = (HERE / "environment").read_text()
    assert re.findall(r"^[^#\n]", text, re.MULTILINE) == []
    names = re.findall(r"^#([A-Z0-9_]+)=(.*)$", text, re.MULTILINE)
    assert names
    for name, value in names:
        key = name.removeprefix("EXPORT_").lower().replace("__", ".")
        assert ORIGINAL_NAMES.get(name, key) in KEYS
        assert value == ""


def test_every_file_is_installed_by_the_page() -> None:
    for path in HERE.iterdir():
        assert f"deploy/systemd/{path.name} " in DOCS

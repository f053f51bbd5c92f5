"""The Dockerfile's own steps, carried out in a directory; what they install, run as it says."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.exports import csv_of, export, sheet_rows
from tests.support.image import (
    ETC,
    OPT,
    ROOT,
    RUN,
    STATE,
    Image,
    build,
    final_stage,
    image_user,
    writable,
)
from tests.support.installed import Installed, environ_of, free_ports, started
from tests.support.interpreter import as_user, require_interpreter
from tests.support.unit_file import Unit

FINAL = final_stage()
UNIT = Unit.read(ROOT / "deploy" / "systemd" / "export-middleware.service")
NO_SUCH_PROTECTION = 77
ANONYMOUS = {"EXPORT_SECURITY__ALLOW_ANONYMOUS": "true"}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Directly below the directory for temporary files: others may not enter pytest's."""
    user = image_user() if os.geteuid() == 0 else os.geteuid()
    python = require_interpreter(user)
    with tempfile.TemporaryDirectory(prefix="image-", ignore_cleanup_errors=True) as root:
        Path(root).chmod(0o755)
        made = Image(Path(root), user)
        build(made, python)
        writable(made.path(OPT), yes=False)
        yield made
        writable(made.path(OPT), yes=True)


@pytest.fixture(scope="module")
def command(image: Image) -> list[str]:
    return [image.moved(word) for word in (*FINAL.one("ENTRYPOINT").words, *FINAL.one("CMD").words)]


@pytest.fixture(scope="module")
def server(
    image: Image, command: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    environ = environ_of(image, FINAL.environ | ANONYMOUS | free_ports())
    output = tmp_path_factory.mktemp("image") / "output"
    with started(image, command, environ, output) as running:
        yield running


def run_in(image: Image, *command: str) -> subprocess.CompletedProcess[str]:
    """A command to its end, run in the image as its user, with its environment."""
    return subprocess.run(
        [image.placed(word) for word in command],
        cwd=image.path(STATE),
        env=environ_of(image, FINAL.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **as_user(image.user),
    )


def test_it_refuses_to_start_until_it_is_told_that_everybody_may_export(
    image: Image, command: list[str]
) -> None:
    """As it comes it listens on every address, and there is no authentication."""
    done = run_in(image, *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert "server.host: '0.0.0.0' (environment EXPORT_SERVER__HOST)" in done.stderr
    assert "security.allow_anonymous" in done.stderr


def test_it_exports_and_gives_out_files(server: Installed) -> None:
    task = export(server.client, 1000)
    assert httpx.get(task["url"]).content == csv_of(1000)
    workbook = export(server.client, 1000, filename="orders.xlsx")
    assert len(sheet_rows(httpx.get(workbook["url"]).content)) == 1001
    for name in ("orders.parquet", "orders.jsonl.gz", "orders.csv.zip", "orders.arrow"):
        assert export(server.client, 1000, filename=name)["state"] == "COMPLETED"


def test_its_process_is_not_root_and_can_become_nobody_else(
    image: Image, server: Installed
) -> None:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    told = dict(re.findall(r"^(\w+):\s+(\S+)", status, re.MULTILINE))
    assert told["Uid"] == str(image.user)
    assert int(told["CapEff"], 16) == 0


def test_its_root_file_system_is_read_only(server: Installed) -> None:
    if not server.is_confined:
        pytest.skip("only root can make it so")
    mounts = Path(f"/proc/{server.process.pid}/mountinfo").read_text()
    [options] = re.findall(r"^\d+ \d+ \S+ / / (\S+)", mounts, re.MULTILINE)
    assert "ro" in options.split(",")


def test_nothing_is_open_for_writing_but_its_state(image: Image, server: Installed) -> None:
    export(server.client, 1000)
    opened = set()
    for each in Path(f"/proc/{server.process.pid}/fd").iterdir():
        flags = Path(f"/proc/{server.process.pid}/fdinfo/{each.name}").read_text()
        target = str(each.readlink())
        if int(re.findall(r"^flags:\s+(\d+)", flags, re.MULTILINE)[0], 8) & os.O_ACCMODE:
            opened.add(target)
    files = {name for name in opened if Path(name).is_file() and not name.endswith("/output")}
    assert files
    assert [name for name in files if not name.startswith(str(image.path(STATE)))] == []


def test_its_health_check_tells_whether_it_lives(image: Image, server: Installed) -> None:
    check = [image.placed(word) for word in FINAL.one("HEALTHCHECK").exec_form]
    living = subprocess.run(check, env=server.environ, timeout=20, check=False)
    elsewhere = server.environ | {"EXPORT_MONITORING__METRICS_PORT": "1"}
    dead = subprocess.run(check, env=elsewhere, timeout=20, check=False, capture_output=True)
    assert (living.returncode, dead.returncode) == (0, 1)


def test_it_runs_what_was_installed_and_not_the_source(image: Image) -> None:
    code = "import exporters, flight_server as f; print(exporters.__file__, f.__file__, sep='\\n')"
    said = run_in(image, f"{OPT}/bin/python", "-c", code)
    places = said.stdout.splitlines()
    assert [place.startswith(str(image.path(OPT))) for place in places] == [True, True], said


def test_its_command_is_on_the_path(image: Image) -> None:
    said = run_in(image, "sh", "-c", "command -v export-middleware")
    assert said.stdout.strip() == str(image.path(f"{OPT}/bin/export-middleware"))


def test_every_package_has_the_version_that_is_pinned(image: Image) -> None:
    code = (
        "from importlib.metadata import distributions as d\nfor i in d(): print(i.name, i.version)"
    )
    said = run_in(image, f"{OPT}/bin/python", "-I", "-c", code)
    installed = {_normal(name): each for name, each in map(str.split, said.stdout.splitlines())}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {_normal(name): version for name, version in (line.split("==") for line in lines)}
    del installed["export-middleware"]
    assert installed
    assert installed.items() <= pinned.items()


def test_nothing_is_in_it_that_the_server_does_not_need(image: Image) -> None:
    names = {path.name for path in image.path(OPT).glob("lib/python*/site-packages/*")}
    assert "pyarrow" in names
    assert names & {"pip", "setuptools", "pytest", "hypothesis", "duckdb", "export_client"} == set()
    assert [path for path in image.path(OPT).rglob("tests") if path.is_dir()] == []
    assert list(image.path(ETC).iterdir()) == [image.path(f"{ETC}/config.yaml")]


def test_its_state_belongs_to_its_user_alone(image: Image, server: Installed) -> None:
    state = image.path(STATE).stat()
    assert (state.st_uid, state.st_mode & 0o777) == (image.user, 0o700)


class TestUnderSystemd:
    """The unit's command, variables and umask, with what of its confinement a process can ask for.

    No systemd runs here. Memory that is both written and executed is refused by the kernel alike.
    """

    def test_it_exports_and_tells_its_addresses(self, image: Image, tmp_path: Path) -> None:
        run = image.path(RUN)
        run.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(run, image.user, image.user)
        command = [image.moved(word) for word in UNIT.one("ExecStart").split()]
        environ = environ_of(image, UNIT.environ | free_ports())
        umask = int(UNIT.one("UMask"), 8)
        wrapped = without_writable_code(image, *command)
        with started(image, wrapped, environ, tmp_path / "output", RUN, umask=umask) as server:
            assert json.loads((run / "ready.json").read_text()) == server.addresses
            for name in ("orders.xlsx", "orders.csv.zip", "orders.parquet", "orders.jsonl"):
                assert export(server.client, 1000, filename=name)["state"] == "COMPLETED"
            assert server.terminate() == 0
        assert list(run.iterdir()) == []

    def test_polars_alone_would_be_refused(self, image: Image) -> None:
        """The reason for the variable in the unit."""
        assert set(UNIT.environ) == {"POLARS_SKIP_CPU_CHECK"}
        python = f"{OPT}/bin/python"
        said = run_in(image, *without_writable_code(image, python, "-c", "import polars"))
        if said.returncode == NO_SUCH_PROTECTION:
            pytest.skip("the kernel is older than 6.3")
        assert "mprotect for CPUID check" in said.stderr


def without_writable_code(image: Image, *command: str) -> list[str]:
    """MemoryDenyWriteExecute, as far as the kernel has it for the asking."""
    refuse = "ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0 or sys.exit(77)"
    go_on = "os.execv(sys.argv[1], sys.argv[1:])"
    python = image.moved(f"{OPT}/bin/python")
    return [python, "-c", f"import ctypes, os, sys; {refuse}; {go_on}", *command]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

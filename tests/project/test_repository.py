"""Habits of the code base that no other tool holds."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 300
SOURCES = ("exporters", "flight_server", "clients/python/export_client", "benchmarks", "deploy")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_modules_are_short() -> None:
    """One noun a file; the way to shorten a long one is to find its second noun."""
    modules = [path for source in SOURCES for path in tracked(f"{source}/*.py")]
    assert modules
    long = {path.name: n for path in modules if (n := path.read_text().count("\n")) > MAX_LINES}
    assert long == {}


def test_constraints_name_versions_and_no_address() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", line), line


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    named = set()
    for path in (ROOT / "pyproject.toml", ROOT / "clients/python/pyproject.toml"):
        lists = re.findall(r"(?:dependencies|dev|bench) = \[(.*?)\]", path.read_text(), re.DOTALL)
        assert lists
        for each in lists:
            named |= {name.lower() for name in re.findall(r'"([A-Za-z0-9-]+)', each)}
    assert named <= pinned


@pytest.mark.parametrize(
    "forbidden", ["files." + "pythonhosted", "pypi" + ".org", "/wo" + "rk/", "/ro" + "ot/"]
)
def test_no_file_names_a_registry_or_this_machine(forbidden: str) -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if forbidden in path.read_text(errors="ignore")
    ]
    assert found == []

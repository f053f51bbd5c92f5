"""The benchmarks still run: tiny sizes, everything else as in `make bench`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The results of one quick run."""
    path = tmp_path_factory.mktemp("bench") / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--output", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "writer",
    [
        r"Export Middleware",
        r"Export Middleware, `strings` \(the default\)",
        r"Export Middleware, `minimal`",
        r"XlsxWriter, `constant_memory`, a write per cell",
        r"polars `write_csv`, whole frame",
        r"Excel, the whole way",
        r"CSV, the whole way",
    ],
)
def test_each_writer_has_a_rate(page: str, writer: str) -> None:
    assert re.search(rf"^\| {writer} \| [\d,]+ \| \d+ \| [\d,]+ \|", page, re.MULTILINE)


def test_each_target_has_a_verdict(page: str) -> None:
    targets = page.partition("## Targets")[2].partition("##")[0]
    verdicts = re.findall(r"\| (yes|\*\*no\*\*) \|$", targets, re.MULTILINE)
    # polars, XlsxWriter and two whole ways; jetxl is not there unless the peers are installed
    assert len(verdicts) >= 4 + 3


def test_the_memory_of_a_short_and_a_long_export_is_told(page: str) -> None:
    memory = page.partition("## Memory of the server")[2].partition("##")[0]
    assert re.findall(r"^\| xlsx \| ([\d,]+) \|", memory, re.MULTILINE) == ["1,000", "10,000"]


def test_a_quick_run_says_that_it_is_none(page: str) -> None:
    assert "which means nothing" in page


def test_a_quick_run_does_not_overwrite_the_results() -> None:
    command = [sys.executable, "-m", "benchmarks.run", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "--output" in done.stderr) == (2, True)

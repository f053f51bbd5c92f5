"""The benchmarks still run: tiny sizes, everything else as in `make bench`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cases import SIZE_MAIN, SIZE_TALL
from benchmarks.contract import OURS, ROWS_SERVER, STREAMS
from benchmarks.features import FEATURES, workbooks
from benchmarks.links import FORMATS, Way
from benchmarks.php import PhpWay, php_is_there
from benchmarks.shapes import SHAPES
from benchmarks.targets import FASTER

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
        r"Export Middleware, NDJSON",
        r"polars `write_ndjson`, whole frame",
        r"Excel, the whole way",
        r"CSV, the whole way",
    ],
)
def test_each_writer_has_a_rate(page: str, writer: str) -> None:
    assert re.search(rf"^\| {writer} \| [\d,]+ \| \d+ \| [\d,]+ \|", page, re.MULTILINE)


def section(page: str, title: str) -> str:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_each_target_has_a_verdict(page: str) -> None:
    verdicts = re.findall(r"\| (yes|\*\*no\*\*) \|$", section(page, "Targets"), re.MULTILINE)
    # jetxl and rustpy are not there unless installed
    judged = sum(feature.judged for feature in FEATURES)
    shapes, flatness, memory, links, contract, status = len(SHAPES) + 1, 1, 3, 4, 3, 2
    php = 3 if php_is_there() else 0
    others = judged + shapes + flatness + memory + links + contract + status + php
    rates = len(verdicts) - others
    assert rates in range(len(FASTER) - 2, len(FASTER) + 1)


@pytest.mark.parametrize("name", workbooks())
def test_each_feature_has_a_rate(page: str, name: str) -> None:
    title = re.escape(workbooks()[name].case.title)
    found = section(page, "What a feature costs")
    assert re.search(rf"^\| {title} \| [^|]+ \| \d+ \| [\d,]+ \|", found, re.MULTILINE)


def test_each_shape_has_a_rate(page: str) -> None:
    titles = [SIZE_MAIN.title, SIZE_TALL.title, *(shape.case.title for shape in SHAPES)]
    found = re.findall(r"^\| (.+?) \|.*\d×", section(page, "Shapes"), re.MULTILINE)
    assert found == titles


def test_each_size_has_a_cost_per_row(page: str) -> None:
    found = re.findall(r"^\| ([\d,]+) \| \d+ \|", section(page, "Sizes"), re.MULTILINE)
    assert found == ["500", "1,000", "5,000", "10,000"]


def test_the_profile_says_how_far_an_export_is_from_its_bound(page: str) -> None:
    found = section(page, "How far from the bound")
    assert re.search(r"^\| the clock ÷ the bound \| \d+\.\d\d× \|$", found, re.MULTILINE)


def test_the_memory_of_a_short_and_a_long_export_is_told(page: str) -> None:
    memory = section(page, "Memory of the server")
    assert re.findall(r"^\| xlsx \| ([\d,]+) \|", memory, re.MULTILINE) == ["1,000", "10,000"]


def test_the_way_to_the_link_is_told_with_its_bound(page: str) -> None:
    seconds, ratio = r" \d+\.\d\d \|", r" \d+\.\d\d× \|$"
    row = rf"^\| (\w+) \| ([^|]+) \|.*\|{seconds}{seconds}{ratio}"
    kinds = re.findall(row, section(page, "Last row to link"), re.MULTILINE)
    assert kinds == [(name, way.value) for name in FORMATS for way in Way]


def test_the_contract_is_told_with_one_stream_and_with_ten(page: str) -> None:
    found = section(page, "Rows over the original gRPC contract")
    kinds = re.findall(r"^\| (.+?) \| (\d+) \|.*\d× \|$", found, re.MULTILINE)
    assert kinds == [(name, str(count)) for name in (OURS, ROWS_SERVER) for count in (1, STREAMS)]


def test_the_status_is_told_for_both_formats_at_both_paces(page: str) -> None:
    found = section(page, "Status over Flight under load")
    kinds = re.findall(r"^\| \d+ × (\w+) \| [\d,]+ \| (.+?) \| [\d,]+ \|", found, re.MULTILINE)
    paces = ["10 times a second", "again at once"]
    assert kinds == [(name, pace) for name in ("xlsx", "csv") for pace in paces]


def test_a_quick_run_says_that_it_is_none(page: str) -> None:
    assert "which means nothing" in page


def test_a_quick_run_does_not_overwrite_the_results() -> None:
    command = [sys.executable, "-m", "benchmarks.run", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "--output" in done.stderr) == (2, True)


@pytest.mark.parametrize("way", PhpWay)
def test_php_is_measured_where_it_is_there(page: str, way: PhpWay) -> None:
    row = rf"^\| {re.escape(way.value)} \| [\d,]+ \| \d+ \| [\d,]+ \|"
    found = re.search(row, section(page, "From PHP"), re.MULTILINE)
    assert bool(found) == php_is_there()

"""How fast PHP exports rows over the original contract, and in how much memory."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.cases import Plan
from benchmarks.measure import ROOT, MeasurementFailed, Say
from benchmarks.server import running_server

_SCRIPT: Final = ROOT / "clients" / "php" / "bench" / "rows.php"

COLUMNS: Final = 10


class PhpWay(Enum):
    """What becomes of the rows; the value is what the page calls it."""

    CSV = "the PHP client, CSV"
    XLSX = "the PHP client, Excel"
    FPUTCSV = "`fputcsv` into a file of its own"
    """What PHP does itself: no server, no link, nothing durable."""


@dataclass(frozen=True)
class PhpRun:
    """One run of a PHP process; bytes."""

    rows: int
    seconds: float
    """From the first row to the link, or to the closed file."""
    size: int
    memory: int
    """The most that PHP has had from the system."""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass(frozen=True)
class PhpRuns:
    """All runs of a way."""

    way: PhpWay
    runs: tuple[PhpRun, ...]

    @property
    def rate(self) -> float:
        """Rows a second, the median."""
        return median(run.rate for run in self.runs)

    @property
    def memory(self) -> int:
        """The highest of all runs, in bytes."""
        return max(run.memory for run in self.runs)


def measure_php(plan: Plan, say: Say) -> list[PhpRuns]:
    """Every way, round after round, each time with a fresh server; nothing where PHP is missing."""
    if not php_is_there():
        say("PHP with its curl extension is missing, so that its client is not measured")
        return []
    runs: dict[PhpWay, list[PhpRun]] = {way: [] for way in PhpWay}
    for number in range(plan.detail_rounds):
        for way, run in _round(plan.rows):
            runs[way].append(run)
            say(f"round {number + 1}  {way.value:<36}{run.rate:>12,.0f} rows/s")
    return [PhpRuns(way, tuple(done)) for way, done in runs.items()]


def _round(rows: int) -> Iterator[tuple[PhpWay, PhpRun]]:
    with running_server() as server:
        yield PhpWay.CSV, _run("export", server.grpc, "rows.csv", str(rows))
        yield PhpWay.XLSX, _run("export", server.grpc, "rows.xlsx", str(rows))
    with tempfile.TemporaryDirectory(prefix="export-bench-") as name:
        yield PhpWay.FPUTCSV, _run("fputcsv", str(Path(name) / "rows.csv"), str(rows))


def php_is_there() -> bool:
    """Whether there is a PHP with the extension that its client needs."""
    if shutil.which("php") is None:
        return False
    code = "exit(extension_loaded('curl') ? 0 : 1);"
    return subprocess.run(["php", "-r", code], check=False).returncode == 0


def _run(*arguments: str) -> PhpRun:
    """One run in a fresh process. Raises `MeasurementFailed`."""
    command = ["php", str(_SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise MeasurementFailed(f"php {arguments[0]} failed: {' | '.join(last)}")
    return PhpRun(**json.loads(done.stdout))

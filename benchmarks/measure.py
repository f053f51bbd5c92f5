"""Runs what is measured in processes of its own, round after round."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.cases import STAGES, WHOLE_WAYS, Case, Plan
from benchmarks.server import running_server

ROOT: Final = Path(__file__).parent.parent

Say = Callable[[str], None]


class MeasurementFailed(Exception):
    """A process that measures has failed; the message has the end of what it said."""


@dataclass(frozen=True)
class Run:
    """One run of a case: how long it took and how large the file is, in bytes."""

    rows: int
    seconds: float
    size: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass(frozen=True)
class Result:
    """All runs of a case."""

    case: Case
    runs: tuple[Run, ...]

    @property
    def rate(self) -> float:
        """Rows a second, the median of the runs."""
        return median(run.rate for run in self.runs)


def worker(*arguments: object) -> list[str]:
    """The command line of a fresh process that does one thing; see `worker.py`."""
    return [sys.executable, "-m", "benchmarks.worker", *map(str, arguments)]


def run_worker(*arguments: object) -> dict[str, Any]:
    """What a worker prints. Raises `MeasurementFailed`."""
    done = subprocess.run(worker(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-3:]
        raise MeasurementFailed(f"{' '.join(map(str, arguments[:2]))} failed: {' | '.join(last)}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def run_rounds(cases: Sequence[Case], plan: Plan, table: Path, say: Say) -> dict[str, Result]:
    """Every case, interleaved so that a disturbance of the machine meets all of them alike."""
    runs: dict[str, list[Run]] = {}
    every = [case for case, _run in _steps(cases, table)]
    for number in range(max(plan.rounds, plan.slow_rounds)):
        for case, run in _steps(cases, table):
            if number < plan.rounds_of(case):
                done = run(plan.rows_of(case))
                runs.setdefault(case.name, []).append(done)
                say(f"round {number + 1}  {case.name:<18}{done.rate:>12,.0f} rows/s")
    return {case.name: Result(case, tuple(runs[case.name])) for case in every}


def _steps(cases: Sequence[Case], table: Path) -> Iterator[tuple[Case, Callable[[int], Run]]]:
    """The cases of one round; each stage comes next to the exporter it is compared with."""
    over_flight = [whole_way for whole_way, _exporter in WHOLE_WAYS]
    for case in cases:
        yield case, partial(_write, case, table)
        for stage, exporter in STAGES:
            if exporter == case:
                run = _export if stage in over_flight else _write
                yield stage, partial(run, stage, table)


def _write(case: Case, table: Path, rows: int) -> Run:
    file = table.with_name(f"out.{case.format}")
    try:
        answer = run_worker("write", case.name, table, rows, file)
    finally:
        file.unlink(missing_ok=True)
    return Run(rows, answer["seconds"], answer["size"])


def _export(case: Case, table: Path, rows: int) -> Run:
    with running_server() as server:
        answer = run_worker("export", server.flight, case.format, table, rows)
    return Run(answer["rows"], answer["seconds"], answer["size"])

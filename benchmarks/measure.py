"""Runs what is measured in processes of its own, round after round."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.cases import STAGES, WHOLE_WAYS, Case, Plan
from benchmarks.lasting import LastingWorker
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
    cpu: float = 0.0
    """Seconds of processor time that the process took."""
    xml: int = 0
    """Bytes of the sheets' XML; 0 for what is no workbook."""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    @property
    def xml_rate(self) -> float:
        """Bytes of XML a second."""
        return self.xml / self.seconds


@dataclass(frozen=True)
class Result:
    """All runs of a case."""

    case: Case
    runs: tuple[Run, ...]

    @property
    def rate(self) -> float:
        """Rows a second, the median of the runs."""
        return median(run.rate for run in self.runs)

    @property
    def xml_rate(self) -> float:
        """Bytes of XML a second, the median of the runs."""
        return median(run.xml_rate for run in self.runs)

    @property
    def row_cpu(self) -> float:
        """Seconds of processor time a row, the median of the runs."""
        return median(run.cpu / run.rows for run in self.runs)


@dataclass(frozen=True)
class Step:
    """One run in every round, of the first `rounds` rounds."""

    case: Case
    rounds: int
    run: Callable[[], Run]


def worker(*arguments: object) -> list[str]:
    """The command line of a fresh process that does one thing; see `worker.py`."""
    return [sys.executable, "-m", "benchmarks.worker", *map(str, arguments)]


def run_worker(*arguments: object) -> dict[str, Any]:
    """What a worker prints. Raises `MeasurementFailed`."""
    said = _lasting[-1].ask(arguments) if _lasting else _fresh(arguments)
    if not said:
        raise MeasurementFailed(f"{' '.join(map(str, arguments[:2]))} failed, as it has said")
    answer: dict[str, Any] = json.loads(said)
    return answer


@contextmanager
def one_worker() -> Iterator[None]:
    """Have one process do all that is asked of workers meanwhile."""
    with LastingWorker(worker(), str(ROOT)) as lasting:
        _lasting.append(lasting)
        try:
            yield
        finally:
            _lasting.pop()


_lasting: list[LastingWorker] = []


def _fresh(arguments: Sequence[object]) -> str:
    done = subprocess.run(worker(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-3:]
        raise MeasurementFailed(f"{' '.join(map(str, arguments[:2]))} failed: {' | '.join(last)}")
    return done.stdout.splitlines()[-1]


def run_rounds(cases: Sequence[Case], plan: Plan, table: Path, say: Say) -> dict[str, Result]:
    """Every case, each stage next to the exporter it is compared with."""
    return interleave(list(_steps(cases, plan, table)), say)


def interleave(steps: Sequence[Step], say: Say) -> dict[str, Result]:
    """All steps round after round, so that a disturbance of the machine meets all of them alike.

    A case may stand in several steps.
    """
    runs: dict[Case, list[Run]] = {}
    for number in range(max(step.rounds for step in steps)):
        for step in steps:
            if number < step.rounds:
                done = step.run()
                runs.setdefault(step.case, []).append(done)
                say(f"round {number + 1}  {step.case.name:<18}{done.rate:>12,.0f} rows/s")
    return {case.name: Result(case, tuple(done)) for case, done in runs.items()}


def _steps(cases: Sequence[Case], plan: Plan, table: Path) -> Iterator[Step]:
    over_flight = [whole_way for whole_way, _exporter in WHOLE_WAYS]
    for case in cases:
        rows, rounds = plan.rows_of(case), plan.rounds_of(case)
        yield Step(case, rounds, partial(write, case, table, rows))
        for stage, exporter in STAGES:
            if exporter == case:
                run = _export if stage in over_flight else write
                yield Step(stage, plan.rounds_of(stage), partial(run, stage, table, rows))


def write(case: Case, table: Path, rows: int, command: str = "write") -> Run:
    """One run of a case in a fresh process; the worker's command `pour` reads batch by batch."""
    file = table.with_name(f"out.{case.format}")
    try:
        answer = run_worker(command, case.name, table, rows, file)
    finally:
        file.unlink(missing_ok=True)
    return Run(rows, **answer)


def _export(case: Case, table: Path, rows: int) -> Run:
    with running_server() as server:
        answer = run_worker("export", server.flight, case.format, table, rows)
    return Run(answer["rows"], answer["seconds"], answer["size"])

"""How long the server takes to tell a task's status while it is busy with many exports."""

import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import quantiles
from typing import Final

from benchmarks.cases import FormatName, Plan
from benchmarks.measure import ROOT, MeasurementFailed, Say, run_worker, worker
from benchmarks.server import running_server

ASKERS: Final = 50

FORMATS: Final[tuple[FormatName, ...]] = ("xlsx", "csv")


class Pace(Enum):
    """How often each client asks; the value is the pause in seconds after an answer."""

    NOW_AND_THEN = 0.1
    ALL_THE_TIME = 0.0


@dataclass(frozen=True)
class Latency:
    """Seconds from asking to the answer, while all exports ran."""

    format: FormatName
    exports: int
    rows: int
    """Of each export."""
    pace: Pace
    answers: tuple[float, ...]

    def percentile(self, percent: int) -> float | None:
        """A percentile; None when the exports were too short for two answers."""
        if len(self.answers) < 2:
            return None
        return quantiles(self.answers, n=100, method="inclusive")[percent - 1]


def measure_latency(plan: Plan, table: Path, say: Say) -> list[Latency]:
    """Both formats at both paces, each on a fresh server."""
    found = []
    for name in FORMATS:
        for pace in Pace:
            latency = _measure(plan, table, name, pace)
            p99 = (latency.percentile(99) or 0.0) * 1000
            count = len(latency.answers)
            say(f"status   {name:<5}{pace.name.lower():<14}{count:>8,} answers, p99 {p99:.1f} ms")
            found.append(latency)
    return found


def _measure(plan: Plan, table: Path, name: FormatName, pace: Pace) -> Latency:
    # CSV is written several times as fast, and is to take as long.
    rows = plan.rows if name == "csv" else plan.export_rows
    with running_server() as server:
        crowd = subprocess.Popen(
            worker("crowd", server.flight, name, table, rows, plan.exports),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            answer = run_worker("ask", server.flight, plan.exports, ASKERS, pace.value)
            code = crowd.wait()
        finally:
            crowd.kill()
            crowd.wait()
    if code != 0:
        raise MeasurementFailed(f"the {plan.exports} exports at once exited with {code}")
    return Latency(name, plan.exports, rows, pace, tuple(answer["answers"]))

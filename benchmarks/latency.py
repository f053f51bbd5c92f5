"""How long the server takes to tell a task's status while it is busy with many exports."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks.cases import Plan
from benchmarks.measure import ROOT, MeasurementFailed, Say, worker
from benchmarks.server import running_server
from export_client import ExportClient


@dataclass(frozen=True)
class Latency:
    """Seconds from asking to the answer, asked one after the other while all exports ran."""

    exports: int
    answers: tuple[float, ...]

    def percentile(self, percent: int) -> float | None:
        """A percentile; None when the exports were too short for two answers."""
        if len(self.answers) < 2:
            return None
        return quantiles(self.answers, n=100, method="inclusive")[percent - 1]


def measure_latency(plan: Plan, table: Path, say: Say) -> Latency:
    """Ask for the status of Excel exports for as long as all of them run."""
    with running_server() as server:
        crowd = subprocess.Popen(
            worker("crowd", server.flight, "xlsx", table, plan.export_rows, plan.exports),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            answers = _ask(server.flight, crowd, plan.exports)
        finally:
            crowd.kill()
            crowd.wait()
    say(f"status   {len(answers):,} answers while {plan.exports} exports ran")
    return Latency(plan.exports, tuple(answers))


def _ask(url: str, crowd: subprocess.Popen[bytes], exports: int) -> list[float]:
    answers: list[float] = []
    with ExportClient(url) as client:
        while crowd.poll() is None:
            running = [task for task in client.list(limit=exports) if not task.finished]
            if len(running) < exports:
                time.sleep(0.01)
                continue
            for task in running:
                began = time.perf_counter()
                client.status(task.task_id)
                answers.append(time.perf_counter() - began)
    if crowd.returncode != 0:
        raise MeasurementFailed(f"the {exports} exports at once exited with {crowd.returncode}")
    return answers

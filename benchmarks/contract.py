"""Rows over the original gRPC contract into CSV: one stream, ten at once, the status meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.cases import Plan
from benchmarks.measure import Say, run_worker
from benchmarks.rows_server import running_rows_server
from benchmarks.server import running_server

COLUMNS: Final = 10

STREAMS: Final = 10

OURS: Final = "Export Middleware"
ROWS_SERVER: Final = "grpcio, protobuf objects, `csv.writer`"


@dataclass(frozen=True)
class Streams:
    """Several streams at once that make up `rows`."""

    rows: int
    seconds: float
    status: tuple[float, ...]
    """Seconds of each answer to a question for the status, asked all the while."""

    @property
    def rate(self) -> float:
        """Rows a second of all together."""
        return self.rows / self.seconds


@dataclass(frozen=True)
class ContractRuns:
    """All runs of one server with so many streams."""

    server: str
    streams: int
    runs: tuple[Streams, ...]

    @property
    def rates(self) -> list[float]:
        """Rows a second of each run."""
        return [run.rate for run in self.runs]

    @property
    def rate(self) -> float:
        """The median."""
        return median(self.rates)

    @property
    def status_p99(self) -> float:
        """Seconds, over the answers of all runs."""
        answers = [each for run in self.runs for each in run.status]
        return quantiles(answers, n=100, method="inclusive")[98] if len(answers) > 1 else 0.0


def measure_contract(plan: Plan, say: Say) -> list[ContractRuns]:
    """Both servers with one stream and with ten, round after round, each time fresh."""
    runs: dict[tuple[str, int], list[Streams]] = {
        (name, streams): [] for name in (OURS, ROWS_SERVER) for streams in (1, STREAMS)
    }
    for number in range(plan.detail_rounds):
        for name, streams in runs:
            rows = plan.rows if name == OURS else plan.slow_rows
            with _server(name) as address:
                answer = run_worker("contract", address, rows, streams)
            done = Streams(answer["rows"], answer["seconds"], tuple(answer["status"]))
            runs[name, streams].append(done)
            say(f"round {number + 1}  {streams:>2} streams, {name:<40}{done.rate:>10,.0f} rows/s")
    return [ContractRuns(*key, tuple(done)) for key, done in runs.items()]


def of_server(found: Sequence[ContractRuns], name: str) -> dict[int, ContractRuns]:
    """The runs of a server by the number of streams."""
    return {each.streams: each for each in found if each.server == name}


def _server(name: str) -> AbstractContextManager[str]:
    return running_rows_server() if name == ROWS_SERVER else _ours()


@contextmanager
def _ours() -> Iterator[Any]:
    with running_server() as server:
        yield server.grpc

"""How long after the last row the link is there, when files go to a store over a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.cases import FormatName, Plan
from benchmarks.measure import Say, run_worker
from benchmarks.server import running_server
from benchmarks.store import running_store

LATENCY: Final = 0.02
"""Seconds added to each request."""

BANDWIDTH: Final = 100_000_000.0
"""Bytes a second, of all connections together."""

FORMATS: Final[tuple[FormatName, ...]] = ("csv", "xlsx")

_NEVER_FULL: Final = "5 GiB"


PACE: Final = 500_000
"""Rows a second of a client that has to make them: as many as the gRPC door has to take."""


class Way(Enum):
    """When a file is sent; the value is what the page calls it."""

    PACED = f"sent while {PACE:,} rows a second arrive"
    ON_THE_WAY = "sent while rows arrive"
    AFTERWARDS = "written first, sent after"
    """The same server with parts that are larger than the file: one request after the last row."""


@dataclass(frozen=True)
class Arrival:
    """One export into the store."""

    format: FormatName
    way: Way
    rows: int
    size: int
    row_seconds: float
    """From the start to the end of the client's rows."""
    link_seconds: float
    """From the end of the rows to the link."""

    @property
    def bound(self) -> float:
        """Seconds after the last row that the line needs at least for what cannot have passed."""
        passed = 0.0 if self.way is Way.AFTERWARDS else self.row_seconds
        return max(self.size / BANDWIDTH - passed, 0.0)


@dataclass(frozen=True)
class Arrivals:
    """All runs of a format and a way."""

    runs: tuple[Arrival, ...]

    @property
    def format(self) -> FormatName:
        """The format of all of them."""
        return self.runs[0].format

    @property
    def way(self) -> Way:
        """The way of all of them."""
        return self.runs[0].way

    @property
    def row_seconds(self) -> float:
        """The median."""
        return median(run.row_seconds for run in self.runs)

    @property
    def link_seconds(self) -> float:
        """The median."""
        return median(run.link_seconds for run in self.runs)

    @property
    def whole_seconds(self) -> float:
        """From the start to the link, the median."""
        return median(run.row_seconds + run.link_seconds for run in self.runs)

    @property
    def bound(self) -> float:
        """The median."""
        return median(run.bound for run in self.runs)


def measure_links(plan: Plan, table: Path, say: Say) -> list[Arrivals]:
    """Both ways, round after round, each time with a fresh server and store for all formats."""
    runs: dict[tuple[FormatName, Way], list[Arrival]] = {
        (format_name, way): [] for format_name in FORMATS for way in Way
    }
    for number in range(plan.detail_rounds):
        for way in Way:
            for done in _measure(way, plan, table):
                runs[done.format, way].append(done)
                name = f"{done.format}, {way.value}"
                say(f"round {number + 1}  {name:<44}{done.link_seconds:>6.2f} s to the link")
    return [Arrivals(tuple(done)) for done in runs.values()]


def of_way(found: Sequence[Arrivals], way: Way) -> dict[FormatName, Arrivals]:
    """The arrivals of a way by their format."""
    return {each.format: each for each in found if each.way is way}


def _measure(way: Way, plan: Plan, table: Path) -> Iterator[Arrival]:
    part_size = _NEVER_FULL if way is Way.AFTERWARDS else plan.part_size
    pace = str(PACE if way is Way.PACED else 0)
    with (
        running_store(LATENCY, BANDWIDTH) as store,
        running_server(*store, f"oss.part_size={part_size}") as server,
    ):
        for format_name in FORMATS:
            answer = run_worker("arrive", server.flight, format_name, table, plan.rows, pace)
            yield Arrival(format_name, way, **answer)

"""The section of the page about the status, which is also made by itself:

python -m benchmarks.report_latency
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.cases import FULL
from benchmarks.data import batches
from benchmarks.latency import ASKERS, Latency, Pace, measure_latency
from benchmarks.markdown import table
from benchmarks.tables import write_table
from benchmarks.targets import status_verdicts

_PACES: Final = {
    Pace.NOW_AND_THEN: f"{1 / Pace.NOW_AND_THEN.value:.0f} times a second",
    Pace.ALL_THE_TIME: "again at once",
}


def latency_section(found: Sequence[Latency]) -> str:
    """What many who ask have to wait."""
    return f"""\
## Status over Flight under load

{ASKERS} clients, each with a connection of its own, ask for the status of one export after the
other while all of them run; the times are in ms from the question to the whole answer, as the
client sees them. *Asks again*: each client {_PACES[Pace.NOW_AND_THEN]}, or as soon as it has an
answer, which shows how many the server has room for. Exports, their client and those who ask share
the cores.

{table(_HEADS, [_row(each) for each in found])}"""


_HEADS = ("exports", "rows of each", "asks again", "answers", "p50", "p99", "slowest")


def _row(latency: Latency) -> tuple[str, ...]:
    start = (
        f"{latency.exports} × {latency.format}",
        f"{latency.rows:,}",
        _PACES[latency.pace],
        f"{len(latency.answers):,}",
    )
    median, slow = latency.percentile(50), latency.percentile(99)
    if median is None or slow is None:
        return (*start, "–", "–", "–")
    return (*start, *(f"{each * 1000:.1f}" for each in (median, slow, max(latency.answers))))


def main() -> None:
    """Measure and print, nothing else."""
    with tempfile.TemporaryDirectory(prefix="export-bench-") as name:
        file = Path(name) / "table.arrow"
        write_table(file, batches(FULL.rows))
        found = measure_latency(FULL, file, print)
    print(latency_section(found))
    for each in status_verdicts(found):
        print(f"{each.target}: {each.wanted}, measured {each.measured}")


if __name__ == "__main__":
    main()

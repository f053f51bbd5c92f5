"""The figures as a Markdown page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from benchmarks.cases import CASES, OURS_CSV, OURS_NDJSON, OURS_XLSX, STAGES, Case, Plan
from benchmarks.contract import ContractRuns
from benchmarks.latency import Latency
from benchmarks.links import BANDWIDTH, LATENCY, PACE, Arrivals, Way, of_way
from benchmarks.markdown import table
from benchmarks.measure import Result
from benchmarks.memory import MemoryUse
from benchmarks.php import PhpRuns
from benchmarks.profile import Profile
from benchmarks.report_contract import contract_section
from benchmarks.report_details import (
    features_section,
    figures,
    profile_section,
    shapes_section,
    sizes_section,
)
from benchmarks.report_latency import latency_section
from benchmarks.report_php import php_section
from benchmarks.targets import MEGABYTE, Verdict, ratio, verdicts


@dataclass(frozen=True)
class Findings:
    """All that one run of the benchmarks found."""

    day: date
    plan: Plan
    machine: Sequence[tuple[str, str]]
    packages: Mapping[str, str | None]
    results: Mapping[str, Result]
    profile: Profile
    memory: Sequence[MemoryUse]
    latency: Sequence[Latency]
    arrivals: Sequence[Arrivals]
    contract: Sequence[ContractRuns]
    php: Sequence[PhpRuns]


def render(found: Findings) -> str:
    """The page."""
    sections = (
        _head(found),
        _targets(found),
        _writers("Excel", OURS_XLSX, found),
        features_section(found.results),
        shapes_section(found.results),
        sizes_section(found.results),
        profile_section(found.profile),
        _writers("CSV", OURS_CSV, found),
        _writers("NDJSON", OURS_NDJSON, found),
        _whole_way(found),
        _links(found.arrivals),
        contract_section(found.contract),
        php_section(found.php),
        _memory(found),
        latency_section(found.latency),
        _how(found.plan),
    )
    return "\n\n".join(sections) + "\n"


def _head(found: Findings) -> str:
    packages = ", ".join(
        f"{name} {version}" for name, version in found.packages.items() if version is not None
    )
    facts = [("date", found.day.isoformat()), *found.machine, ("packages", packages)]
    origin = "of tiny sizes, which means nothing" if found.plan.smoke else "of `make bench`"
    return f"""\
# Benchmark results

Every figure was measured in one run {origin}.

{table(("", ""), facts)}"""


def _targets(found: Findings) -> str:
    rows = [
        (each.target, each.wanted, each.measured, "yes" if each.met else "**no**")
        for each in _verdicts(found)
    ]
    return f"## Targets\n\n{table(('target', 'wanted', 'measured', 'met'), rows)}"


def _verdicts(found: Findings) -> list[Verdict]:
    return verdicts(
        found.results, found.memory, found.arrivals, found.contract, found.php, found.latency
    )


def _writers(title: str, ours: Case, found: Findings) -> str:
    """The writers of one format, fastest first."""
    of_format = [case for case in CASES if case.format == ours.format]
    measured = [found.results[case.name] for case in of_format if case.name in found.results]
    measured.sort(key=lambda result: -result.rate)
    rows = [
        (*_figures(result), f"{ratio(found.results, ours, result.case):.2f}×")
        for result in measured
    ]
    lines = [f"## {title} from a table in memory", "", table((*_FIGURES, "ours ÷ it"), rows)]
    if absent := [case.title for case in of_format if case.name not in found.results]:
        lines += ["", f"Not installed, so not measured: {'; '.join(absent)}."]
    return "\n".join(lines)


_FIGURES = ("writer", "rows", "runs", "rows/s, median", "lowest – highest", "MB/million rows")


def _figures(result: Result) -> tuple[str, ...]:
    return (result.case.title, f"{result.runs[-1].rows:,}", *figures(result))


def _whole_way(found: Findings) -> str:
    rows = [
        (*_figures(found.results[case.name]), f"{ratio(found.results, case, exporter):.2f}×")
        for case, exporter in STAGES
    ]
    return f"""\
## The whole way

A client in a process of its own, Flight, the server, the durable file with its checksum, the signed
link. Before it, the same without client and Flight: what the checksum and the fsync cost. The last
column compares with the exporter's own rate above.

{table((*_FIGURES, "it ÷ the exporter"), rows)}"""


def _links(arrivals: Sequence[Arrivals]) -> str:
    slower = of_way(arrivals, Way.AFTERWARDS)
    rows = [
        (
            each.format,
            each.way.value,
            str(len(each.runs)),
            f"{each.runs[-1].size / MEGABYTE:,.1f}",
            f"{each.row_seconds:.2f}",
            f"{each.link_seconds:.2f}",
            _span([run.link_seconds for run in each.runs]),
            f"{each.bound:.2f}",
            f"{each.whole_seconds:.2f}",
            f"{each.link_seconds / slower[each.format].link_seconds:.2f}×",
        )
        for each in arrivals
    ]
    return f"""\
## Last row to link

The same into a store over a network: the OSS test server in a process of its own, with
{LATENCY * 1000:.0f} ms added to each request and {BANDWIDTH / MEGABYTE:.0f} MB/s for all its
connections together. *Rows* are the seconds until the client had no more of them; *to the link* is
what came after, with the blocks that the server still had; *together* is both. The bound is what
the line needs for the file, its size ÷ the bandwidth, less the seconds of the rows where it is sent
meanwhile: no server can be faster. A client that has its rows ready is done before the line can be;
most have to make them, so that one of {PACE:,} rows a second is measured too. Written first, the
file goes up in one request; the last column compares the seconds to the link with that. Medians.
The store takes its checksums on the same processors: what is sent while rows arrive makes them
slower here.

{table(_LINKS, rows)}"""


_LINKS = (
    "format",
    "way",
    "runs",
    "file, MB",
    "rows",
    "to the link",
    "lowest – highest",
    "bound",
    "together",
    "it ÷ written first",
)


def _span(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.2f} – {max(seconds):.2f}"


def _memory(found: Findings) -> str:
    header = ("format", "rows", "rows/s", "idle", "peak, sampled", "peak, kernel", "above", "after")
    rows = [
        (
            use.format,
            f"{use.rows:,}",
            f"{use.rows / use.seconds:,.0f}",
            *(
                f"{size / MEGABYTE:,.1f}"
                for size in (
                    use.idle,
                    use.sampled_peak,
                    use.kernel_peak,
                    use.above_idle,
                    use.after,
                )
            ),
        )
        for use in found.memory
    ]
    return f"""\
## Memory of the server

Resident, in MB (10⁶ bytes), of a fresh server around one export; the client makes the rows as it
sends them. *Above* is the higher of the two peaks over idle.

{table(header, rows)}"""


def _how(plan: Plan) -> str:
    return f"""\
## How it is measured

- One seeded table of {plan.rows:,} rows × 10 columns: whole numbers, long digit strings, names with
  quotes and Chinese characters, e-mail addresses, floats, timestamps, dates and booleans.
- Each run is a fresh process. The table is in memory, already in the form that the writer takes
  (record batches, a polars frame, Python tuples), and 1,000 rows have been written before the clock
  runs. Everyone writes to a file on the same disk, with their own default settings and threads.
- Cases are interleaved over {plan.rounds} rounds. Slow writers write {plan.slow_rows:,} rows in
  {plan.slow_rounds} rounds and are compared by rows a second; features, shapes and sizes are run in
  {plan.detail_rounds} rounds. Ratios are between medians.
- The memory peak is sampled every 20 ms and read from the kernel's high-water mark, which is reset
  before the export."""

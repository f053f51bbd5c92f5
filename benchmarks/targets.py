"""What `make bench` must reach, checked against what was measured in the same run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.cases import (
    DUCKDB,
    JETXL,
    OURS_CSV,
    OURS_CSV_GB18030,
    OURS_CSV_GZIP,
    OURS_CSV_MINIMAL,
    OURS_NDJSON,
    OURS_XLSX,
    POLARS_CSV,
    POLARS_NDJSON,
    PYTHON_GZIP,
    PYTHON_GZIP_1,
    RUSTPY,
    SIZE_MAIN,
    SIZE_TALL,
    WHOLE_WAYS,
    XLSXWRITER,
    Case,
)
from benchmarks.contract import OURS, STREAMS, ContractRuns, of_server
from benchmarks.features import FEATURES, Feature
from benchmarks.latency import ASKERS, Latency, Pace
from benchmarks.links import PACE, Arrivals, Way, of_way
from benchmarks.measure import Result
from benchmarks.memory import MemoryUse
from benchmarks.php import COLUMNS, PhpRuns, PhpWay
from benchmarks.shapes import SHAPES

MEGABYTE: Final = 1_000_000

FASTER: Final = (
    (OURS_XLSX, XLSXWRITER, 60.0),
    (OURS_XLSX, JETXL, 3.5),
    (OURS_XLSX, RUSTPY, 9.0),
    (OURS_CSV, POLARS_CSV, 1.2),
    (OURS_CSV, DUCKDB, 2.2),
    (OURS_CSV_MINIMAL, POLARS_CSV, 0.7),
    (OURS_CSV_GB18030, OURS_CSV, 0.5),
    (OURS_CSV_GZIP, PYTHON_GZIP, 4.0),
    (OURS_CSV_GZIP, PYTHON_GZIP_1, 4.0),
    (OURS_NDJSON, POLARS_NDJSON, 1.0),
    *((whole_way, exporter, 0.7) for whole_way, exporter in WHOLE_WAYS),
)
"""A case, the one it is compared with, and the least ratio of their rates."""

MEMORY_BOUND: Final = 100 * MEGABYTE

MEMORY_GROWTH: Final = 20 * MEGABYTE
"""Two peaks count as the same when the longer export's is at most so much higher.

A short export ends before the heap has reached the size at which it stays.
"""

FEATURE_COST: Final = 0.15
"""The part of the plain workbook's rate that a feature may take."""

SHAPE_LEAST: Final = 0.5
"""The least ratio of a shape's rate to that of the main case, by bytes of XML."""

FLAT_MOST: Final = 1.15
"""How many times as long a row may take in a tall export as in the main case."""

LINK_MOST: Final = 0.5
"""Seconds after the last row after which the link is there.

142 MB of CSV need 1.4 s on the benchmark's line, and a client that has all rows ready is done after
half of that: then the seconds count beyond those that the line needs.
"""

PHP_LEAST: Final = 400_000
"""Rows a second from PHP, first row to link, as CSV."""

PHP_MEMORY: Final = 10 * MEGABYTE


CONTRACT_RATE: Final = 500_000
"""Rows a second that one stream of the gRPC contract takes at least."""

STATUS_MOST: Final = 0.05
"""Seconds within which 99 of 100 questions for the status are answered meanwhile, at both doors."""


@dataclass(frozen=True)
class Verdict:
    """One target and whether it was met."""

    target: str
    wanted: str
    measured: str
    met: bool


def verdicts(
    results: Mapping[str, Result],
    uses: Sequence[MemoryUse],
    arrivals: Sequence[Arrivals] = (),
    contract: Sequence[ContractRuns] = (),
    php: Sequence[PhpRuns] = (),
    status: Sequence[Latency] = (),
) -> list[Verdict]:
    """Every target for which both sides were measured; `uses` has two sizes of each format."""
    return [
        *_rates(results),
        *_features(results),
        *_shapes(results),
        *_flatness(results),
        *_bounds(uses),
        *_growths(uses),
        *_links(arrivals),
        *_contract(contract),
        *_php(php),
        *status_verdicts(status),
    ]


def ratio(results: Mapping[str, Result], case: Case, other: Case) -> float | None:
    """How many times the rate of `other` the rate of `case` is; None if one is missing."""
    if case.name not in results or other.name not in results:
        return None
    return results[case.name].rate / results[other.name].rate


def cost(results: Mapping[str, Result], feature: Feature) -> float | None:
    """What part of the plain workbook's rate a feature takes; None if one was not measured."""
    found = ratio(results, feature.case, feature.plain)
    return None if found is None else 1 - found


def xml_ratio(results: Mapping[str, Result], case: Case) -> float | None:
    """A shape's rate ÷ that of the main case, by bytes of XML; None if one was not measured."""
    if case.name not in results or SIZE_MAIN.name not in results:
        return None
    return results[case.name].xml_rate / results[SIZE_MAIN.name].xml_rate


def _rates(results: Mapping[str, Result]) -> Iterator[Verdict]:
    for case, other, least in FASTER:
        found = ratio(results, case, other)
        if found is not None:
            target = f"{case.title} ÷ {other.title}"
            yield Verdict(target, f"≥ {least:g}×", f"{found:.2f}×", found >= least)


def _features(results: Mapping[str, Result]) -> Iterator[Verdict]:
    for feature in FEATURES:
        found = cost(results, feature)
        if found is not None and feature.judged:
            target = f"cost of {feature.case.title}"
            wanted = f"≤ {FEATURE_COST * 100:.0f} %"
            yield Verdict(target, wanted, f"{found * 100:.1f} %", found <= FEATURE_COST)


def _shapes(results: Mapping[str, Result]) -> Iterator[Verdict]:
    for case in (SIZE_TALL, *(shape.case for shape in SHAPES)):
        found = xml_ratio(results, case)
        if found is not None:
            target = f"MB of XML a second, {case.title} ÷ {SIZE_MAIN.title}"
            yield Verdict(target, f"≥ {SHAPE_LEAST:g}×", f"{found:.2f}×", found >= SHAPE_LEAST)


def _flatness(results: Mapping[str, Result]) -> Iterator[Verdict]:
    found = ratio(results, SIZE_MAIN, SIZE_TALL)
    if found is not None:
        main, tall = (results[case.name].runs[0].rows for case in (SIZE_MAIN, SIZE_TALL))
        target = f"seconds a row, {tall:,} ÷ {main:,} rows"
        yield Verdict(target, f"≤ {FLAT_MOST:g}×", f"{found:.2f}×", found <= FLAT_MOST)


def _bounds(uses: Sequence[MemoryUse]) -> Iterator[Verdict]:
    for use in uses:
        yield Verdict(
            f"server memory above idle, {use.format} of {use.rows:,} rows",
            f"≤ {MEMORY_BOUND / MEGABYTE:.0f} MB",
            f"{use.above_idle / MEGABYTE:.1f} MB",
            use.above_idle <= MEMORY_BOUND,
        )


def _growths(uses: Sequence[MemoryUse]) -> Iterator[Verdict]:
    for name in dict.fromkeys(use.format for use in uses):
        short, *_between, long = sorted(
            (use for use in uses if use.format == name), key=lambda use: use.rows
        )
        growth = long.above_idle - short.above_idle
        yield Verdict(
            f"{name} memory of {long.rows:,} rows above that of {short.rows:,}",
            f"≤ {MEMORY_GROWTH / MEGABYTE:.0f} MB",
            f"{growth / MEGABYTE:.1f} MB",
            growth <= MEMORY_GROWTH,
        )


def _links(arrivals: Sequence[Arrivals]) -> Iterator[Verdict]:
    for name, each in of_way(arrivals, Way.PACED).items():
        target = f"last row to link over a network, {name}, {PACE:,} rows a second"
        yield _soon(target, each.link_seconds)
    for name, each in of_way(arrivals, Way.ON_THE_WAY).items():
        target = f"the same, {name}, rows as fast as they can: beyond what the line needs"
        yield _soon(target, each.link_seconds - each.bound)


def _soon(target: str, found: float) -> Verdict:
    return Verdict(target, f"≤ {LINK_MOST:g} s", f"{found:.2f} s", found <= LINK_MOST)


def _contract(found: Sequence[ContractRuns]) -> Iterator[Verdict]:
    ours = of_server(found, OURS)
    if not ours:
        return
    one, ten = ours[1], ours[STREAMS]
    yield Verdict(
        "gRPC, rows a second of one stream into CSV",
        f"≥ {CONTRACT_RATE:,}",
        f"{one.rate:,.0f}",
        one.rate >= CONTRACT_RATE,
    )
    yield Verdict(
        "gRPC, status meanwhile, p99",
        f"≤ {STATUS_MOST * 1000:g} ms",
        f"{one.status_p99 * 1000:.1f} ms",
        one.status_p99 <= STATUS_MOST,
    )
    together = ten.rate / one.rate
    yield Verdict(
        f"gRPC, {STREAMS} streams at once ÷ one", "≥ 1×", f"{together:.2f}×", together >= 1
    )


def status_verdicts(found: Sequence[Latency]) -> Iterator[Verdict]:
    """Of clients that ask now and then, as people's pages and programs do."""
    for each in found:
        if each.pace is Pace.NOW_AND_THEN:
            p99 = each.percentile(99)
            yield Verdict(
                f"status over Flight to {ASKERS} clients during {each.exports} exports, "
                f"{each.format}, p99",
                f"≤ {STATUS_MOST * 1000:g} ms",
                "too short" if p99 is None else f"{p99 * 1000:.1f} ms",
                p99 is not None and p99 <= STATUS_MOST,
            )


def _php(found: Sequence[PhpRuns]) -> Iterator[Verdict]:
    for each in found:
        if each.way is PhpWay.CSV:
            target = f"rows a second from PHP, {COLUMNS} texts a row, first row to link"
            met = each.rate >= PHP_LEAST
            yield Verdict(target, f"≥ {PHP_LEAST:,}", f"{each.rate:,.0f}", met)
        if each.way is not PhpWay.FPUTCSV:
            target = f"memory of {each.way.value}, {each.runs[-1].rows:,} rows"
            wanted, most = f"≤ {PHP_MEMORY / MEGABYTE:.0f} MB", each.memory
            yield Verdict(target, wanted, f"{most / MEGABYTE:.1f} MB", most <= PHP_MEMORY)

"""A target is met, or it is not: the benchmarks do not flatter."""

from benchmarks.cases import JETXL, OURS_XLSX, Case
from benchmarks.measure import Result, Run
from benchmarks.memory import MemoryUse
from benchmarks.targets import verdicts

MB = 1_000_000


def result(case: Case, *rates: float) -> Result:
    return Result(case, tuple(Run(rows=1_000, seconds=1_000 / rate, size=1) for rate in rates))


def use(rows: int, above: int) -> MemoryUse:
    return MemoryUse("xlsx", rows, 1.0, 170 * MB, (170 + above) * MB, 0, 170 * MB)


def met(ours: Result, theirs: Result) -> list[tuple[str, bool]]:
    found = verdicts({OURS_XLSX.name: ours, JETXL.name: theirs}, [])
    return [(each.measured, each.met) for each in found]


def test_a_ratio_is_between_medians() -> None:
    ours = result(OURS_XLSX, 1.0, 300.0, 900.0)
    assert met(ours, result(JETXL, 80.0)) == [("3.75×", True)]


def test_a_ratio_below_its_target_is_not_met() -> None:
    assert met(result(OURS_XLSX, 349.0), result(JETXL, 100.0)) == [("3.49×", False)]


def test_the_higher_of_both_peaks_counts() -> None:
    both = MemoryUse("csv", 1, 1.0, 170 * MB, 200 * MB, 210 * MB, 170 * MB)
    assert both.above_idle == 40 * MB


def test_memory_is_bounded_and_must_not_grow_with_the_rows() -> None:
    found = verdicts({}, [use(5_000_000, 101), use(100_000, 80)])
    assert [(each.measured, each.met) for each in found] == [
        ("101.0 MB", False),
        ("80.0 MB", True),
        ("21.0 MB", False),
    ]

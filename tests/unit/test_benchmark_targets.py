"""A target is met, or it is not: the benchmarks do not flatter."""

import pytest

from benchmarks.cases import JETXL, OURS_XLSX, SIZE_MAIN, SIZE_TALL, Case
from benchmarks.contract import OURS, STREAMS, ContractRuns, Streams
from benchmarks.features import FEATURES
from benchmarks.latency import Latency, Pace
from benchmarks.links import BANDWIDTH, Arrival, Arrivals, Way
from benchmarks.measure import Result, Run
from benchmarks.memory import MemoryUse
from benchmarks.php import PhpRun, PhpRuns, PhpWay
from benchmarks.shapes import SHAPES
from benchmarks.targets import Verdict, verdicts

MB = 1_000_000


def result(case: Case, *rates: float) -> Result:
    return Result(case, tuple(Run(rows=1_000, seconds=1_000 / rate, size=1) for rate in rates))


def use(rows: int, above: int) -> MemoryUse:
    return MemoryUse("xlsx", rows, 1.0, 170 * MB, (170 + above) * MB, 0, 170 * MB)


def met(ours: Result, theirs: Result) -> list[tuple[str, bool]]:
    found = verdicts({OURS_XLSX.name: ours, JETXL.name: theirs}, [])
    return [(each.measured, each.met) for each in found]


def judged(*results: Result) -> list[Verdict]:
    return verdicts({each.case.name: each for each in results}, [])


def xml(case: Case, rate: float) -> Result:
    return Result(case, (Run(rows=1_000, seconds=1.0, size=1, xml=int(rate)),))


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


@pytest.mark.parametrize(
    ("rate", "measured", "met"), [(85.1, "14.9 %", True), (84.9, "15.1 %", False)]
)
def test_a_feature_may_take_so_much_of_the_plain_rate(
    rate: float, measured: str, met: bool
) -> None:
    feature = FEATURES[0]
    (found,) = judged(result(feature.plain, 100.0), result(feature.case, rate))
    assert (found.measured, found.met) == (measured, met)


def test_a_feature_is_compared_with_its_own_plain_workbook() -> None:
    (urls,) = (each for each in FEATURES if each.case.name == "urls")
    plain = FEATURES[0].plain
    assert judged(result(plain, 200.0), result(urls.case, 90.0)) == []
    (found,) = judged(result(plain, 200.0), result(urls.plain, 100.0), result(urls.case, 90.0))
    assert found.met


def test_every_feature_has_a_verdict_but_compression() -> None:
    cases = {case for each in FEATURES for case in (each.case, each.plain)}
    assert len(judged(*(result(case, 1.0) for case in cases))) == len(FEATURES) - 2


@pytest.mark.parametrize(("rate", "met"), [(50.0, True), (49.0, False)])
def test_a_shape_is_compared_by_bytes_of_xml(rate: float, met: bool) -> None:
    shape = SHAPES[0].case
    (found,) = judged(xml(SIZE_MAIN, 100.0), xml(shape, rate))
    assert (found.measured, found.met) == (f"{rate / 100:.2f}×", met)


@pytest.mark.parametrize(
    ("rate", "measured", "met"), [(90.0, "1.11×", True), (86.0, "1.16×", False)]
)
def test_a_row_of_a_tall_table_takes_no_longer(rate: float, measured: str, met: bool) -> None:
    runs = [
        Result(case, (Run(rows=1_000, seconds=1_000 / each, size=1, xml=1_000),))
        for case, each in ((SIZE_MAIN, 100.0), (SIZE_TALL, rate))
    ]
    _shape, flat = judged(*runs)
    assert (flat.measured, flat.met) == (measured, met)


def arrivals(way: Way, *seconds: float, rows_took: float = 1.0) -> Arrivals:
    size = int(1.25 * BANDWIDTH)
    return Arrivals(tuple(Arrival("csv", way, 1_000, size, rows_took, each) for each in seconds))


@pytest.mark.parametrize(
    ("seconds", "measured", "met"), [(0.5, "0.50 s", True), (0.51, "0.51 s", False)]
)
def test_the_link_is_there_soon_after_the_last_row(
    seconds: float, measured: str, met: bool
) -> None:
    both = [arrivals(Way.AFTERWARDS, 0.1), arrivals(Way.PACED, 0.1, seconds, 9.0)]
    (found,) = verdicts({}, [], both)
    assert (found.measured, found.met) == (measured, met)


@pytest.mark.parametrize(
    ("seconds", "measured", "met"), [(0.75, "0.50 s", True), (0.76, "0.51 s", False)]
)
def test_what_the_line_needs_for_rows_that_were_ready_is_not_counted(
    seconds: float, measured: str, met: bool
) -> None:
    (found,) = verdicts({}, [], [arrivals(Way.ON_THE_WAY, 0.1, seconds, 9.0)])
    assert (found.measured, found.met) == (measured, met)


@pytest.mark.parametrize(
    ("way", "rows_took", "bound"),
    [
        (Way.PACED, 1.0, 0.25),
        (Way.ON_THE_WAY, 1.0, 0.25),
        (Way.ON_THE_WAY, 2.0, 0.0),
        (Way.AFTERWARDS, 1.0, 1.25),
    ],
)
def test_a_line_can_be_no_faster_than_its_bandwidth(
    way: Way, rows_took: float, bound: float
) -> None:
    assert arrivals(way, 1.0, rows_took=rows_took).bound == bound


@pytest.mark.parametrize(
    ("seconds", "status", "ten_seconds", "met"),
    [
        (2.0, 0.05, 2.0, [True, True, True]),
        (2.1, 0.05, 2.1, [False, True, True]),
        (2.0, 0.06, 2.0, [True, False, True]),
        (1.0, 0.01, 1.01, [True, True, False]),
    ],
)
def test_the_contract_has_a_rate_a_status_and_no_fear_of_ten_streams(
    seconds: float, status: float, ten_seconds: float, met: list[bool]
) -> None:
    found = [
        ContractRuns(OURS, streams, (Streams(1_000_000, each, (status,) * 3),))
        for streams, each in ((1, seconds), (STREAMS, ten_seconds))
    ]
    assert [each.met for each in verdicts({}, [], contract=found)] == met


def latency(pace: Pace, *answers: float) -> Latency:
    return Latency("csv", 10, 1_000, pace, answers)


@pytest.mark.parametrize(
    ("answers", "measured", "met"),
    [
        ((0.001, *[0.05] * 99), "50.0 ms", True),
        ((0.001, *[0.051] * 99), "51.0 ms", False),
        ((0.001,), "too short", False),
    ],
)
def test_the_status_is_told_soon_to_those_who_ask_now_and_then(
    answers: tuple[float, ...], measured: str, met: bool
) -> None:
    both = [latency(Pace.NOW_AND_THEN, *answers), latency(Pace.ALL_THE_TIME, 9.0, 9.0)]
    (found,) = verdicts({}, [], status=both)
    assert (found.measured, found.met) == (measured, met)


def php(way: PhpWay, rate: int, memory: int) -> PhpRuns:
    runs = (PhpRun(rate, 1.0, 1, memory), PhpRun(rate, 1.0, 1, 2 * MB), PhpRun(rate, 9.0, 1, 1))
    return PhpRuns(way, runs)


@pytest.mark.parametrize(
    ("rate", "memory", "met"),
    [
        (400_000, 10 * MB, [True, True]),
        (399_999, 10 * MB, [False, True]),
        (400_000, 10 * MB + 1, [True, False]),
    ],
)
def test_php_has_a_rate_of_the_median_and_a_memory_of_the_highest(
    rate: int, memory: int, met: list[bool]
) -> None:
    found = verdicts({}, [], php=[php(PhpWay.CSV, rate, memory)])
    assert [each.met for each in found] == met


def test_of_php_only_its_client_is_judged() -> None:
    (found,) = verdicts({}, [], php=[php(PhpWay.FPUTCSV, 1, MB), php(PhpWay.XLSX, 1, MB)])
    assert found.target == "memory of the PHP client, Excel, 1 rows"

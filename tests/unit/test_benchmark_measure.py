"""Cases take turns, and their figures are medians."""

import pytest

from benchmarks.cases import JETXL, OURS_XLSX, Case
from benchmarks.measure import MeasurementFailed, Result, Run, Step, interleave, run_worker
from benchmarks.profile import Profile


def step(case: Case, rounds: int, order: list[str]) -> Step:
    def run() -> Run:
        order.append(case.name)
        return Run(rows=1, seconds=len(order), size=1)

    return Step(case, rounds, run)


def test_steps_take_turns_round_after_round() -> None:
    order: list[str] = []
    said: list[str] = []
    found = interleave([step(OURS_XLSX, 3, order), step(JETXL, 1, order)], said.append)
    assert order == [OURS_XLSX.name, JETXL.name, OURS_XLSX.name, OURS_XLSX.name]
    assert (len(found[OURS_XLSX.name].runs), len(found[JETXL.name].runs)) == (3, 1)
    assert len(said) == 4


def test_a_case_may_come_twice_in_a_round() -> None:
    order: list[str] = []
    steps = [step(OURS_XLSX, 2, order), step(JETXL, 2, order), step(OURS_XLSX, 2, order)]
    found = interleave(steps, lambda _line: None)
    assert [run.seconds for run in found[OURS_XLSX.name].runs] == [1, 3, 4, 6]


def test_figures_are_medians_of_the_runs() -> None:
    runs = [Run(10, seconds, 1, cpu, xml=1_000) for seconds, cpu in [(1, 5.0), (2, 1.0), (9, 2.0)]]
    result = Result(OURS_XLSX, tuple(runs))
    assert (result.rate, result.xml_rate, result.row_cpu) == (5.0, 500.0, 0.2)


def test_a_worker_that_fails_says_why() -> None:
    with pytest.raises(MeasurementFailed, match=r"^write no-such-case failed: .*none\.arrow"):
        run_worker("write", "no-such-case", "none.arrow", 1, "none.csv")


def test_the_bound_is_the_work_spread_over_the_cores() -> None:
    profile = Profile(1, cores=4, formatting=3.0, deflating=1.0, wall=1.5, cpu=5.0)
    assert (profile.bound, profile.distance) == (1.0, 1.5)

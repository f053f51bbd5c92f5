"""A closer look at Excel: what each feature costs, other shapes and sizes, and the profile."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.cases import SIZES, Plan
from benchmarks.data import batches
from benchmarks.features import feature_batches, one_round
from benchmarks.measure import Result, Say, Step, interleave, run_worker, write
from benchmarks.profile import Profile
from benchmarks.shapes import SHAPES
from benchmarks.tables import write_table

_PROFILED: Final = ("formatting", "deflating", "wall", "cpu")


def measure_features(plan: Plan, folder: Path, say: Say) -> dict[str, Result]:
    """The same table with each feature alone, and plain."""
    table = folder / "features.arrow"
    write_table(table, feature_batches(plan.rows))
    steps = [
        Step(case, plan.detail_rounds, partial(write, case, table, plan.rows))
        for case in one_round()
    ]
    found = interleave(steps, say)
    table.unlink()
    return found


def measure_shapes(plan: Plan, folder: Path, say: Say) -> dict[str, Result]:
    """Other shapes, and the main table in other sizes, all read batch by batch."""
    return interleave(list(_shape_steps(plan, folder)), say)


def _shape_steps(plan: Plan, folder: Path) -> Iterator[Step]:
    main = folder / "sizes.arrow"
    write_table(main, batches(max(plan.size_rows)))
    for case, rows in zip(SIZES, plan.size_rows, strict=True):
        yield Step(case, plan.detail_rounds, partial(write, case, main, rows, "pour"))
    for shape in SHAPES:
        rows = int(shape.rows * plan.shape_share)
        table = folder / f"{shape.case.name}.arrow"
        write_table(table, shape.make(rows))
        yield Step(shape.case, plan.detail_rounds, partial(write, shape.case, table, rows, "pour"))


def measure_profile(plan: Plan, table: Path, say: Say) -> Profile:
    """The main case taken apart; each figure is the median of some runs."""
    file = table.with_name("profile.xlsx")
    answers = []
    for number in range(plan.detail_rounds):
        answers.append(run_worker("profile", table, plan.rows, file))
        say(f"round {number + 1}  profile {answers[-1]['wall']:>27.2f} s")
    file.unlink()
    seconds = {name: median(answer[name] for answer in answers) for name in _PROFILED}
    return Profile(plan.rows, len(os.sched_getaffinity(0)), **seconds)

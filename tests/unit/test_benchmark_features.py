"""Each feature is measured alone, against a workbook that differs in nothing else."""

from itertools import groupby

import pytest

from benchmarks.data import SCHEMA
from benchmarks.features import (
    FEATURES,
    PLAIN,
    PLAIN_REGION,
    Feature,
    feature_batches,
    one_round,
    workbooks,
)
from exporters import XlsxOptions


def test_no_two_workbooks_have_one_name() -> None:
    assert len(workbooks()) == len(FEATURES) + len({each.plain for each in FEATURES})


def test_a_plain_workbook_has_no_options() -> None:
    plains = [workbooks()[each.plain.name] for each in FEATURES]
    assert all(not plain.options and not plain.formats for plain in plains)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.case.name)
def test_a_feature_asks_for_something_that_there_is(feature: Feature) -> None:
    XlsxOptions.parse(feature.options)
    assert feature.options or feature.formats


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.case.name)
def test_a_feature_has_the_cells_of_its_plain_workbook(feature: Feature) -> None:
    cells = len(feature.columns) + len(feature.options.get("formulas", ()))
    assert cells == len(workbooks()[feature.plain.name].columns)


def test_a_round_has_every_feature_once_with_its_plain_workbook_around() -> None:
    cases = list(one_round())
    assert sorted(each.name for each in cases if each in {f.case for f in FEATURES}) == sorted(
        each.case.name for each in FEATURES
    )
    plains = [each for each in cases if each in {f.plain for f in FEATURES}]
    assert [len(list(run)) for _, run in groupby(plains)][1:] == [2, 2, 2]
    assert (cases[0], cases[-1]) == (PLAIN, PLAIN_REGION)


def test_the_values_that_split_sheets_stand_together() -> None:
    regions = [value for batch in feature_batches(40) for value in batch["region"].to_pylist()]
    assert [(value, len(list(run))) for value, run in groupby(regions)] == [
        (f"Region {number}", 4) for number in range(10)
    ]


def test_the_table_begins_with_the_main_columns() -> None:
    (batch,) = feature_batches(5)
    assert batch.schema.names == [*SCHEMA.names, "tax", "page", "region"]

"""The rate of the last seconds."""

import pytest

from flight_server.tasks.rate import WINDOW, RecentRate


def rate_of(*reached: tuple[float, int]) -> RecentRate:
    rate = RecentRate()
    for now, rows in reached:
        rate.reach(now, rows)
    return rate


def test_nothing_is_known_before_the_beginning_or_in_the_first_moments() -> None:
    assert RecentRate().at(100.0) is None
    assert rate_of((50.0, 0)).at(50.0) is None
    assert rate_of((50.0, 0), (50.9, 1000)).at(50.9) is None


def test_the_first_seconds_are_measured_from_the_beginning() -> None:
    assert rate_of((50.0, 0), (51.0, 1000)).at(51.0) == 1000.0
    assert rate_of((50.0, 0), (52.0, 1000)).at(54.0) == 250.0


def test_rows_from_before_the_beginning_are_not_counted() -> None:
    assert rate_of((50.0, 700), (52.0, 1700)).at(52.0) == 500.0


def test_a_rate_that_changes_is_that_of_the_window() -> None:
    """A thousand rows a second for a minute, then ten."""
    rate = rate_of((0.0, 0))
    for second in range(1, 61):
        rate.reach(float(second), second * 1000)
    assert rate.at(60.0) == 1000.0
    for second in range(61, 60 + int(WINDOW) + 2):
        rate.reach(float(second), 60_000 + (second - 60) * 10)
    assert rate.at(60 + WINDOW + 1) == 10.0


def test_silence_lowers_the_rate_until_it_is_zero() -> None:
    rate = rate_of((0.0, 0), (1.0, 1000))
    assert rate.at(2.0) == 500.0
    assert rate.at(1.0 + WINDOW - 0.5) == pytest.approx(1000 / (WINDOW + 0.5))
    assert rate.at(1.0 + WINDOW) == 0.0
    assert rate.at(1000.0) == 0.0


def test_after_silence_it_is_measured_since_the_last_rows_before_it() -> None:
    rate = rate_of((0.0, 0), (1.0, 1000), (101.0, 3000))
    assert rate.at(101.0) == 20.0


def test_many_batches_a_second_are_counted_to_the_last_row() -> None:
    rate = rate_of(*((step / 1000, step * 7) for step in range(30_001)))
    assert rate.at(30.0) == pytest.approx(7000.0)
    assert len(rate._marks) <= WINDOW + 2

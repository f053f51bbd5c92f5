"""How soon a slot is likely to come free."""

import pytest

from flight_server.tasks.turnover import LONGEST, RECENT, SHORTEST, UNMEASURED, Turnover


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turnover(clock: Clock) -> Turnover:
    return Turnover(clock)


def hold(turnover: Turnover, clock: Clock, seconds: float, *, counted: bool = True) -> None:
    turnover.taken("one")
    clock.now += seconds
    turnover.given_back("one", counted=counted)


def test_before_anything_is_measured_there_is_a_default(turnover: Turnover, clock: Clock) -> None:
    assert turnover.seconds_to_next() == UNMEASURED
    turnover.taken("a")
    clock.now += 1000
    assert turnover.seconds_to_next() == UNMEASURED


def test_one_slot_comes_free_after_the_mean_time(turnover: Turnover, clock: Clock) -> None:
    for seconds in (5.0, 10.0, 15.0):
        hold(turnover, clock, seconds)
    turnover.taken("a")
    assert turnover.seconds_to_next() == 10.0


def test_of_several_slots_one_comes_free_sooner(turnover: Turnover, clock: Clock) -> None:
    hold(turnover, clock, 12.0)
    for holder in "abcd":
        turnover.taken(holder)
    assert turnover.seconds_to_next() == 3.0


def test_seconds_are_whole_and_within_bounds(turnover: Turnover, clock: Clock) -> None:
    hold(turnover, clock, 0.001)
    turnover.taken("a")
    assert turnover.seconds_to_next() == SHORTEST
    hold(turnover, clock, 6.0)
    turnover.given_back("a", counted=False)
    turnover.taken("a")
    assert turnover.seconds_to_next() == 4.0  # of 3.0005
    hold(turnover, clock, 100_000.0)
    assert turnover.seconds_to_next() == LONGEST


def test_what_is_held_now_counts_with_its_time_so_far(turnover: Turnover, clock: Clock) -> None:
    """Short exports before, long ones now: that the next is free soon would be a false hope."""
    for _ in range(4):
        hold(turnover, clock, 1.0)
    turnover.taken("a")
    clock.now += 76
    assert turnover.seconds_to_next() == 20.0


def test_only_the_recent_ones_count(turnover: Turnover, clock: Clock) -> None:
    hold(turnover, clock, 1e9)
    for _ in range(RECENT):
        hold(turnover, clock, 2.0)
    turnover.taken("a")
    assert turnover.seconds_to_next() == 2.0


def test_a_slot_that_nothing_was_done_with_does_not_count(turnover: Turnover, clock: Clock) -> None:
    hold(turnover, clock, 20.0)
    for _ in range(RECENT):
        hold(turnover, clock, 0.0, counted=False)
    turnover.taken("a")
    assert turnover.seconds_to_next() == 20.0

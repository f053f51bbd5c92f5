import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.health import Health, Phase, Status
from tests.support.waiting import wait_for


@pytest.fixture
def health() -> Health:
    return Health()


def failing(error: Exception) -> Health:
    def check() -> str:
        raise error

    health = Health()
    health.add("part", check)
    health.started()
    return health


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Clock:
    """Both clocks of a Health."""

    seconds = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Part:
    """A check that does as it is told."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self) -> str:
        self.asked += 1
        assert self.go_on.wait(60)
        if self.failure is not None:
            raise self.failure
        return "works"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def part() -> Iterator[Part]:
    part = Part()
    yield part
    part.go_on.set()


@pytest.fixture
def timed(clock: Clock, part: Part) -> Health:
    """A started service with one component, whose answer a report waits for."""
    return started(Health(clock=clock.now, monotonic=clock.monotonic), part)


@pytest.fixture
def hasty(clock: Clock, part: Part) -> Health:
    """The same, but a report waits for nothing."""
    nothing = timedelta()
    health = Health(answer_within=nothing, clock=clock.now, monotonic=clock.monotonic)
    return started(health, part)


def started(health: Health, part: Part) -> Health:
    health.add("part", part)
    health.started()
    return health


def test_a_new_service_is_starting(health: Health) -> None:
    report = health.report()
    assert report.status is Status.STARTING
    assert not report.ready
    assert report.reasons == ["the service is still starting"]


def test_a_started_service_is_ready() -> None:
    health = Health(clock=lambda: NOON)
    health.add("store", lambda: "the database answers")
    health.started()
    report = health.report()
    assert report.ready
    assert report.reasons == []
    assert report.as_dict() == {
        "status": "ready",
        "reasons": [],
        "components": {
            "store": {
                "ok": True,
                "message": "the database answers",
                "since": "2026-01-02T12:00:00Z",
            }
        },
    }


def test_a_draining_service_is_not_ready_whatever_its_components(health: Health) -> None:
    health.started()
    health.draining()
    assert health.report().status is Status.DRAINING
    assert health.report().reasons == ["the service is shutting down"]


def test_a_draining_service_asks_no_component(health: Health) -> None:
    """One may hang, and the answer is known."""
    health.add("store", lambda: pytest.fail("it was asked"))
    health.started()
    health.draining()
    assert health.report().components == ()


def test_draining_is_final(health: Health) -> None:
    health.draining()
    health.started()
    assert health.phase is Phase.DRAINING


def test_checks_are_asked_in_every_report(health: Health) -> None:
    answers = iter(["first", "second"])
    health.add("part", lambda: next(answers))
    messages = [health.report().components[0].message for _ in range(2)]
    assert messages == ["first", "second"]


def test_one_name_has_one_check(health: Health) -> None:
    health.add("store", lambda: "")
    with pytest.raises(ValueError, match="'store' has a check already"):
        health.add("store", lambda: "")


def test_a_service_error_gives_its_sentence() -> None:
    report = failing(ServiceError(ErrorCode.STORAGE_FULL, "no space is left")).report()
    assert report.status is Status.UNHEALTHY
    assert report.reasons == ["part: no space is left"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error", "/srv/data"), "OSError: Input/output error"),
        (RuntimeError("password=hunter2"), "RuntimeError"),
    ],
)
def test_a_foreign_error_gives_its_kind_and_no_secret(error: Exception, reason: str) -> None:
    assert failing(error).report().reasons == [f"part: the check failed with {reason}"]


def test_a_failing_check_does_not_keep_others_from_being_asked() -> None:
    health = failing(RuntimeError())
    health.add("other", lambda: "works")
    assert [part.ok for part in health.report().components] == [False, True]


def test_what_was_found_last_is_known_without_asking(timed: Health, part: Part) -> None:
    assert timed.report().ready
    part.failure = RuntimeError()
    assert timed.known().ready
    assert part.asked == 1
    assert not timed.report().ready
    assert not timed.known().ready


def test_a_component_says_since_when_it_fails_and_since_when_it_works_again(
    timed: Health, part: Part, clock: Clock
) -> None:
    since = []
    for failure in (None, None, RuntimeError(), OSError(5, "broken"), None, None):
        part.failure = failure
        since.append((timed.report().components[0].since - NOON).total_seconds())
        clock.seconds += 10
    assert since == [0, 0, 20, 20, 40, 40]


def test_a_check_that_hangs_fails_once_it_takes_too_long(
    hasty: Health, part: Part, clock: Clock
) -> None:
    wait_for(lambda: hasty.report().ready)
    part.go_on.clear()
    assert hasty.report().ready  # the last answer holds for a while
    clock.seconds += 5
    assert hasty.report().ready
    clock.seconds += 2
    assert hasty.report().reasons == ["part: its check hangs; no answer for 7 s"]
    part.go_on.set()
    wait_for(lambda: hasty.report().ready)


def test_a_check_that_hangs_is_not_asked_again_meanwhile(hasty: Health, part: Part) -> None:
    part.go_on.clear()
    for _ in range(5):
        assert hasty.report().reasons == ["part: its first check is not finished yet"]
    wait_for(lambda: part.asked)
    assert part.asked == 1


def test_a_check_that_hangs_does_not_keep_others_from_being_asked(
    hasty: Health, part: Part
) -> None:
    hasty.add("other", Part())
    part.go_on.clear()
    wait_for(lambda: hasty.report().components[1].ok)
    assert not hasty.known().components[0].ok


def test_nothing_is_asked_while_draining(timed: Health, part: Part) -> None:
    """The answer is known, and what a check would ask is about to be closed."""
    part.go_on.clear()
    timed.draining()
    assert timed.report().reasons == ["the service is shutting down"]
    assert part.asked == 0


def test_a_listener_hears_of_changes_only(timed: Health, part: Part) -> None:
    heard: list[Status] = []
    timed.listen(lambda report: heard.append(report.status))
    for failure in (None, None, RuntimeError(), RuntimeError(), None):
        part.failure = failure
        timed.report()
    assert heard == [Status.READY, Status.UNHEALTHY, Status.READY]

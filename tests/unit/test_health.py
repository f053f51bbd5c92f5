import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.health import Health, Phase, Status


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


def test_a_new_service_is_starting(health: Health) -> None:
    report = health.report()
    assert report.status is Status.STARTING
    assert not report.ready
    assert report.reasons == ["the service is still starting"]


def test_a_started_service_is_ready(health: Health) -> None:
    health.add("store", lambda: "the database answers")
    health.started()
    report = health.report()
    assert report.ready
    assert report.reasons == []
    assert report.as_dict() == {
        "status": "ready",
        "reasons": [],
        "components": {"store": {"ok": True, "message": "the database answers"}},
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

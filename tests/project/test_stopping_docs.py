"""docs/configuration.md says how long the end of a server takes at most."""

from pathlib import Path

from flight_server import app, draining, housekeeping, membership, signals
from flight_server.tasks import watchdog
from flight_server.transports import doors

DOCS = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"at most {signals.STOP_SECONDS:g} seconds after the grace" in DOCS
    assert f"`server.shutdown_grace` and {signals.STOP_SECONDS:g} seconds" in DOCS
    assert f"the process at most {signals.HURRY_SECONDS:g} seconds later" in DOCS
    assert f"its end {signals.START_SECONDS:g} seconds after a signal" in DOCS


def test_a_clean_end_has_the_time_that_it_needs() -> None:
    longest = max(app.FLIGHT_SECONDS, app.HTTP_SECONDS, app.GRPC_SECONDS) + doors.MARGIN
    helpers = watchdog.STOP_TIMEOUT + housekeeping.STOP_TIMEOUT + membership.LEAVE_SECONDS
    assert draining.ENDING_SECONDS + longest + helpers < signals.STOP_SECONDS

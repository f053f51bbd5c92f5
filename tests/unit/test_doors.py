import threading

import pytest

from flight_server.transports import doors
from flight_server.transports.doors import Doors


def test_each_door_is_told_the_seconds_that_it_has() -> None:
    told: list[float] = []
    made = Doors()
    made.add(told.append, 1.0)
    made.add(told.append, 2.0)
    made.close()
    assert sorted(told) == [1.0, 2.0]


def test_none_is_closed_before_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both meet, so that neither waits for the other to be closed."""
    meeting = threading.Barrier(2)
    made = Doors()
    made.add(meeting.wait, 30.0)
    made.add(meeting.wait, 30.0)
    made.close()
    assert not meeting.broken


def test_one_that_does_not_close_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MARGIN", 0.0)
    hang, closed = threading.Event(), threading.Event()
    made = Doors()
    made.add(lambda _seconds: hang.wait(), 0.05)
    made.add(lambda _seconds: closed.set(), 0.05)
    made.close()
    assert closed.wait(30)
    hang.set()


def test_no_door_is_closed_at_once() -> None:
    Doors().close()

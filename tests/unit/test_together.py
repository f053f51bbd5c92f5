import threading

import pytest

from flight_server.together import together


def test_all_is_done_when_it_returns() -> None:
    done: list[int] = []
    assert together([lambda number=number: done.append(number) for number in range(5)], 30)
    assert sorted(done) == list(range(5))


def test_nothing_to_do_is_done() -> None:
    assert together([], 0)


def test_what_hangs_is_left_and_everything_else_is_done() -> None:
    hang, done = threading.Event(), threading.Event()
    assert not together([hang.wait, done.set, hang.wait], 0.05)
    assert done.wait(30)
    hang.set()


def test_what_there_is_no_thread_for_keeps_nothing_else_from_being_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, done = threading.Thread.start, threading.Event()

    def exhausted(thread: threading.Thread) -> None:
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", exhausted)
    assert not together([lambda: pytest.fail("it was done"), done.set], 30)
    assert done.is_set()

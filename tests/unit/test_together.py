import threading

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

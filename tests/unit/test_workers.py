import os
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import Workers
from exporters.workers import DEFAULT_MEMORY_BUDGET, OrderedBlocks

WAIT = 20.0
"""Seconds after which a test that hangs fails."""


class Gate:
    """A block of work that begins, and ends only when the test lets it."""

    def __init__(self, result: object = "done") -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()
        self._result = result

    def __call__(self) -> object:
        self.begun.set()
        assert self.opened.wait(WAIT)
        return self._result


def value(result: object) -> Callable[[], object]:
    return lambda: result


def failing() -> object:
    raise ValueError("a block failed")


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(threads=2, memory_budget=100) as workers:
        yield workers


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_results_are_written_in_order_whichever_is_ready_first(order: list[int]) -> None:
    """Block `order[n]` ends only when block `order[n - 1]` has ended."""
    ended = {block: threading.Event() for block in order}
    before = dict(zip(order[1:], order, strict=False))

    def work(block: int) -> int:
        assert block not in before or ended[before[block]].wait(WAIT)
        ended[block].set()
        return block

    written: list[int] = []
    with Workers(threads=4) as workers:
        blocks = OrderedBlocks[int](workers, written.append)
        for block in range(4):
            blocks.submit(1, lambda block=block: work(block))  # type: ignore[misc]
        blocks.drain()
    assert written == [0, 1, 2, 3]


def test_as_many_blocks_as_threads_are_worked_on_at_once(workers: Workers) -> None:
    gates = [Gate(), Gate()]
    blocks = OrderedBlocks[object](workers, lambda _: None)
    for gate in gates:
        blocks.submit(1, gate)
    assert all(gate.begun.wait(WAIT) for gate in gates)
    for gate in gates:
        gate.opened.set()
    blocks.drain()


def test_two_blocks_a_thread_and_two_more_are_in_flight_at_most(workers: Workers) -> None:
    most = 0

    def write(_: object) -> None:
        nonlocal most
        most = max(most, workers.in_flight)

    blocks = OrderedBlocks[object](workers, write)
    for _ in range(20):
        blocks.submit(1, value(None))
    blocks.drain()
    assert most == 2 * workers.threads + 2


def test_a_failed_block_surfaces_and_gives_back_its_bytes(workers: Workers) -> None:
    blocks = OrderedBlocks[object](workers, lambda _: None)
    blocks.submit(60, failing)
    with pytest.raises(ValueError, match="a block failed"):
        blocks.drain()
    assert workers.in_flight == 0


def test_what_stands_before_a_failed_block_is_written_and_nothing_after(workers: Workers) -> None:
    written: list[object] = []
    blocks = OrderedBlocks[object](workers, written.append)
    blocks.submit(1, value("before"))
    blocks.submit(1, failing)
    blocks.submit(1, value("after"))
    with pytest.raises(ValueError, match="a block failed"):
        blocks.drain()
    blocks.discard()
    assert written == ["before"]
    assert workers.in_flight == 0


def test_a_sink_that_fails_gives_back_the_bytes_too(workers: Workers) -> None:
    def write(_: object) -> None:
        raise OSError("disk full")

    blocks = OrderedBlocks[object](workers, write)
    blocks.submit(60, value(None))
    with pytest.raises(OSError, match="disk full"):
        blocks.drain()
    assert workers.in_flight == 0


def test_an_export_writes_its_own_blocks_before_it_exceeds_the_budget(workers: Workers) -> None:
    written: list[object] = []
    blocks = OrderedBlocks[object](workers, written.append)
    blocks.submit(60, value("first"))
    blocks.submit(60, value("second"))
    assert written == ["first"]
    assert workers.in_flight == 60
    blocks.drain()


def test_a_block_larger_than_the_budget_is_let_in_alone(workers: Workers) -> None:
    written: list[object] = []
    blocks = OrderedBlocks[object](workers, written.append)
    blocks.submit(10, value("small"))
    blocks.submit(1000, value("huge"))
    assert written == ["small"]
    blocks.drain()
    assert written == ["small", "huge"]


def test_an_export_with_nothing_in_flight_is_never_kept_waiting(workers: Workers) -> None:
    """Another one holds the whole budget and does not move."""
    gate = Gate()
    holder = OrderedBlocks[object](workers, lambda _: None)
    holder.submit(100, gate)
    written: list[object] = []
    other = OrderedBlocks[object](workers, written.append)
    other.submit(50, value("first"))
    other.submit(50, value("second"))
    other.drain()
    assert written == ["first", "second"]
    assert workers.in_flight == 100
    gate.opened.set()
    holder.drain()


def test_many_exports_under_a_tiny_budget_all_end_in_order() -> None:
    written: list[list[int]] = [[] for _ in range(8)]
    with Workers(threads=2, memory_budget=1) as workers:

        def export(results: list[int]) -> None:
            blocks = OrderedBlocks[int](workers, results.append)
            for number in range(50):
                blocks.submit(7, lambda number=number: number)  # type: ignore[misc]
            blocks.drain()

        threads = [threading.Thread(target=export, args=(each,), daemon=True) for each in written]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        assert not any(thread.is_alive() for thread in threads)
        assert workers.in_flight == 0
    assert written == [list(range(50))] * 8


def test_discarding_drops_what_waits_and_leaves_nothing_in_flight(workers: Workers) -> None:
    written: list[object] = []
    gates = [Gate(), Gate()]
    ran: list[object] = []
    blocks = OrderedBlocks[object](workers, written.append)
    for gate in gates:
        blocks.submit(10, gate)
        assert gate.begun.wait(WAIT)
    blocks.submit(10, lambda: ran.append("third"))
    thread = threading.Thread(target=blocks.discard, daemon=True)
    thread.start()
    for gate in gates:
        gate.opened.set()
    thread.join(WAIT)
    assert not thread.is_alive()
    assert written == []
    assert workers.in_flight == 0


def test_discarding_says_nothing_of_blocks_that_failed(workers: Workers) -> None:
    blocks = OrderedBlocks[object](workers, lambda _: None)
    blocks.submit(10, failing)
    blocks.discard()
    assert workers.in_flight == 0


def test_a_closed_pool_refuses_blocks_and_keeps_no_bytes() -> None:
    workers = Workers(threads=1)
    workers.close()
    blocks = OrderedBlocks[object](workers, lambda _: None)
    with pytest.raises(RuntimeError):
        blocks.submit(10, value(None))
    assert workers.in_flight == 0


def test_closing_waits_for_the_block_that_runs() -> None:
    workers = Workers(threads=1)
    gate = Gate()
    future = workers.start(gate)
    assert gate.begun.wait(WAIT)
    thread = threading.Thread(target=workers.close, daemon=True)
    thread.start()
    gate.opened.set()
    thread.join(WAIT)
    assert future.result(0) == "done"


def test_without_a_wish_every_core_works() -> None:
    with Workers() as workers:
        assert workers.threads == os.cpu_count()
        assert workers.memory_budget == DEFAULT_MEMORY_BUDGET


def test_bytes_are_counted_while_they_are_in_flight(workers: Workers) -> None:
    assert workers.reserve(60, force=False)
    assert not workers.reserve(60, force=False)
    assert workers.reserve(60, force=True)
    assert workers.in_flight == 120
    workers.release(120)
    assert workers.in_flight == 0

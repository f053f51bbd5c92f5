"""Messages of a call within a time: nobody waits for ever, and nothing is held beyond its bound."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.transports.grpc_intake import Intake
from flight_server.transports.grpc_rows import RowDecoder
from flight_server.transports.grpc_stream import GrpcStream
from tests.support.grpc_client import batch
from tests.support.waiting import wait_for

LONG = 20.0
"""Seconds; more than any of these tests takes."""

BROKEN = ServiceError(ErrorCode.INCOMPLETE_STREAM, "the call broke off")


class Wire:
    """A call's iterator as the shim makes it: blocks until there is something to say."""

    def __init__(self) -> None:
        self._said: SimpleQueue[bytes | Exception | None] = SimpleQueue()
        self.read = 0
        """Messages that were taken from it."""

    def say(self, *things: bytes | Exception | None) -> None:
        """Messages; an exception breaks the call, None half-closes it."""
        for each in things:
            self._said.put(each)

    def __iter__(self) -> Iterator[bytes]:
        while (said := self._said.get()) is not None:
            if isinstance(said, Exception):
                raise said
            self.read += 1
            yield said


class Started:
    """An intake that reads from a wire, and the thread that does."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.intake = Intake(iter(self.wire))
        before = set(threading.enumerate())
        self.intake.start()
        [self.thread] = set(threading.enumerate()) - before


@pytest.fixture
def started() -> Iterator[Started]:
    """The call ends with the test, and its thread must too."""
    made = Started()
    yield made
    made.wire.say(None)
    made.intake.over()
    made.thread.join(LONG)
    assert not made.thread.is_alive()


@pytest.fixture
def wire(started: Started) -> Wire:
    return started.wire


@pytest.fixture
def intake(started: Started) -> Intake:
    return started.intake


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """What `work` returns, or the error that it raises, once the thread has ended."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except ServiceError as error:
            found.append(error.code)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


class TestTake:
    def test_messages_come_in_order_and_none_after_the_half_close(
        self, wire: Wire, intake: Intake
    ) -> None:
        wire.say(b"a", b"b", None)
        assert [intake.take(LONG) for _ in range(4)] == [b"a", b"b", None, None]

    def test_messages_before_a_break_are_given_and_then_the_break(
        self, wire: Wire, intake: Intake
    ) -> None:
        wire.say(b"a", BROKEN)
        assert intake.take(LONG) == b"a"
        for _ in range(2):
            with pytest.raises(ServiceError) as raised:
                intake.take(LONG)
            assert raised.value.code is ErrorCode.INCOMPLETE_STREAM

    def test_silence_is_a_stall(self, intake: Intake) -> None:
        with pytest.raises(ServiceError) as raised:
            intake.take(0.01)
        assert raised.value.code is ErrorCode.STREAM_STALLED
        assert "0.01 s" in raised.value.message

    def test_who_waits_is_freed_by_an_interrupt(self, intake: Intake) -> None:
        waiting, found = in_thread(lambda: intake.take(LONG))
        wait_for(lambda: intake._awaited)
        intake.interrupt()
        waiting.join(LONG)
        assert found == [ErrorCode.CANCELLED]

    def test_an_interrupt_goes_before_messages_that_are_here(
        self, wire: Wire, intake: Intake
    ) -> None:
        intake.read_ahead(100)
        wire.say(b"a", b"b")
        wait_for(lambda: wire.read == 2)
        intake.interrupt()
        assert intake.take_more(100, LONG) == []
        with pytest.raises(ServiceError):
            intake.take(LONG)

    def test_an_error_that_nobody_expects_frees_who_waits(self, wire: Wire, intake: Intake) -> None:
        """Else its handler, its slot and its thread would be held for good."""
        wire.say(ValueError("/secret"))
        with pytest.raises(ServiceError) as raised:
            intake.take(LONG)
        assert raised.value.code is ErrorCode.INTERNAL
        assert "secret" not in raised.value.message


class TestReadAhead:
    def test_nothing_is_read_that_nobody_waits_for(self, wire: Wire, intake: Intake) -> None:
        wire.say(b"metadata", b"batch", b"batch")
        assert intake.take(LONG) == b"metadata"
        assert wire.read == 1
        assert intake.take(LONG) == b"batch"
        assert wire.read == 2

    def test_as_much_is_held_as_was_allowed_and_one_message_more(
        self, wire: Wire, intake: Intake
    ) -> None:
        wire.say(*[bytes(10)] * 20)
        intake.read_ahead(35)
        wait_for(lambda: wire.read == 4)
        assert intake.take(LONG) == bytes(10)
        wait_for(lambda: wire.read == 5)
        assert (intake._size, len(intake._messages)) == (40, 4)

    def test_a_stream_is_not_read_ahead_before_its_first_read(
        self, wire: Wire, intake: Intake
    ) -> None:
        """While an export waits for its slot, its rows wait at the client."""
        stream = GrpcStream(intake, RowDecoder(["id"], empty_is_null=False))
        row = batch([("1",)]).SerializeToString()
        wire.say(row, row, None)
        assert stream.schema.names == ["id"]
        assert intake._ahead == 0
        message = stream.read()
        assert message.batch is not None
        assert message.batch.num_rows in (1, 2)
        assert intake._ahead > 0

    def test_more_is_what_is_here_up_to_a_bound(self, wire: Wire, intake: Intake) -> None:
        wire.say(*[bytes(10)] * 5)
        intake.read_ahead(1000)
        wait_for(lambda: wire.read == 5)
        assert intake.take_more(25, LONG) == [bytes(10)] * 2
        assert intake.take_more(0, LONG) == []
        assert intake.take_more(-5, LONG) == []

    def test_more_does_not_wait_once_the_client_has_half_closed(
        self, wire: Wire, intake: Intake
    ) -> None:
        intake.read_ahead(1000)
        wire.say(b"last", None)
        assert intake.take_more(1000, LONG) == [b"last"]


class TestBreak:
    @pytest.mark.parametrize("early", [True, False], ids=["before it breaks", "after"])
    def test_it_is_told_once_whenever_it_was_asked_for(
        self, wire: Wire, intake: Intake, early: bool
    ) -> None:
        told: list[ServiceError] = []
        if early:
            intake.on_break(told.append)
        wire.say(BROKEN)
        intake.over()
        wait_for(lambda: intake._ended)
        if not early:
            intake.on_break(told.append)
        wait_for(lambda: told)
        assert [error.code for error in told] == [ErrorCode.INCOMPLETE_STREAM]

    def test_it_is_told_although_nobody_waits_for_a_message(
        self, wire: Wire, intake: Intake
    ) -> None:
        told: list[ServiceError] = []
        intake.on_break(told.append)
        wire.say(BROKEN)
        assert not told
        intake.over()
        wait_for(lambda: told)

    def test_a_half_close_is_no_break(self, wire: Wire, intake: Intake) -> None:
        told: list[ServiceError] = []
        intake.on_break(told.append)
        wire.say(None)
        assert intake.take(LONG) is None
        assert told == []


class TestDrain:
    def test_it_ends_with_the_half_close_and_keeps_nothing(
        self, wire: Wire, intake: Intake
    ) -> None:
        intake.read_ahead(100)
        wire.say(b"here")
        wait_for(lambda: wire.read == 1)
        wire.say(*[bytes(10)] * 50, None)
        intake.drain(LONG, 10_000)
        assert wire.read == 51
        assert not intake._messages

    def test_it_ends_with_its_volume_and_reads_no_more(self, wire: Wire, intake: Intake) -> None:
        wire.say(*[bytes(10)] * 50)
        intake.drain(LONG, 100)
        assert wire.read == 10

    def test_it_ends_with_its_time(self, wire: Wire, intake: Intake) -> None:
        wire.say(b"one")
        intake.drain(0.05, 10_000)
        assert not intake._ended

    def test_it_ends_with_the_break(self, wire: Wire, intake: Intake) -> None:
        wire.say(b"one", BROKEN)
        intake.drain(LONG, 10_000)
        assert intake._ended

    def test_it_follows_an_interrupt(self, wire: Wire, intake: Intake) -> None:
        intake.interrupt()
        wire.say(*[bytes(10)] * 5, None)
        intake.drain(LONG, 10_000)
        assert wire.read == 5


def test_where_no_thread_can_be_started_the_call_is_refused_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoThread:
        def __init__(self, **_how: object) -> None:
            pass

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    intake = Intake(iter(Wire()))
    monkeypatch.setattr(threading, "Thread", NoThread)
    with pytest.raises(ServiceError) as raised:
        intake.start()
    assert raised.value.code is ErrorCode.QUEUE_FULL
    intake.drain(LONG, 100)
    assert intake._ended


def test_each_message_arrives_once_whatever_the_threads_do() -> None:
    """Readers and takers in every order; a lost wake-up would leave one of them waiting."""
    for round_number in range(50):
        started = Started()
        started.wire.say(*[bytes([each]) * 3 for each in range(100)], None)
        if round_number % 2:
            started.intake.read_ahead(round_number)
        taken: list[bytes] = []
        while (first := started.intake.take(LONG)) is not None:
            taken += [first, *started.intake.take_more(round_number - len(first), 0)]
        assert taken == [bytes([each]) * 3 for each in range(100)]
        started.thread.join(LONG)
        assert not started.thread.is_alive()

"""The line in which clients take turns, against a model that takes everything out one by one."""

from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flight_server.tasks.line import FairLine
from flight_server.tasks.slots import Lease, SlotPool

CLIENTS = st.sampled_from("abcd")


class Model:
    """Who waits, by arrival, and the clients by turn: as slow and as plain as can be."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, int]] = []
        self.turns: list[str] = []

    def join(self, client: str, number: int) -> None:
        self.waiting.append((client, number))
        if client not in self.turns:
            self.turns.append(client)

    def leave(self, client: str, number: int) -> None:
        self.waiting.remove((client, number))
        self.forget(client)

    def take(self) -> tuple[str, int]:
        client = self.turns[0]
        taken = next(each for each in self.waiting if each[0] == client)
        self.turns = [*self.turns[1:], client]
        self.leave(*taken)
        return taken

    def forget(self, client: str) -> None:
        if all(each[0] != client for each in self.waiting):
            self.turns.remove(client)

    def order(self) -> list[tuple[str, int]]:
        copy = Model()
        copy.waiting, copy.turns = list(self.waiting), list(self.turns)
        return [copy.take() for _ in self.waiting]


class FairLineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.line: FairLine[tuple[str, int]] = FairLine()
        self.model = Model()
        self.numbers = count()

    @rule(client=CLIENTS)
    def join(self, client: str) -> None:
        item = (client, next(self.numbers))
        self.line.join(client, item)
        self.model.join(*item)

    @precondition(lambda self: self.model.waiting)
    @rule(number=st.integers(0, 100))
    def leave(self, number: int) -> None:
        item = self.model.waiting[number % len(self.model.waiting)]
        self.line.leave(item[0], item)
        self.model.leave(*item)

    @precondition(lambda self: self.model.waiting)
    @rule()
    def take(self) -> None:
        assert self.line.take() == self.model.take()

    @invariant()
    def everybody_stands_where_the_model_says(self) -> None:
        assert list(self.line) == self.model.order()
        assert len(self.line) == len(self.model.waiting)


TestFairLine = FairLineMachine.TestCase


class SlotPoolMachine(RuleBasedStateMachine):
    """Places are those in the order in which slots are given, whatever happens."""

    @initialize(slots=st.integers(1, 3))
    def start(self, slots: int) -> None:
        self.slots = slots
        self.pool = SlotPool(slots, queue_size=20)
        self.model = Model()
        self.leases: list[Lease] = []
        self.held: set[int] = set()

    @precondition(lambda self: len(self.model.waiting) < 20)
    @rule(client=CLIENTS)
    def enter(self, client: str) -> None:
        number = len(self.leases)
        self.leases.append(self.pool.enter(client))
        if len(self.held) < self.slots:
            self.held.add(number)
        else:
            self.model.join(client, number)

    @precondition(lambda self: self.leases)
    @rule(number=st.integers(0, 1000))
    def release(self, number: int) -> None:
        number %= len(self.leases)
        self.leases[number].release()
        client = self.leases[number].client
        if (client, number) in self.model.waiting:
            self.model.leave(client, number)
        elif number in self.held:
            self.held.remove(number)
            if self.model.waiting:
                self.held.add(self.model.take()[1])

    @invariant()
    def places_are_the_order_in_which_slots_will_be_given(self) -> None:
        places = {number: place for place, (_, number) in enumerate(self.model.order(), start=1)}
        for number, lease in enumerate(self.leases):
            assert lease.place == (0 if number in self.held else places.get(number))


TestSlotPool = SlotPoolMachine.TestCase


@given(st.lists(CLIENTS, max_size=40))
def test_nobody_has_two_turns_while_another_waits_for_one(clients: list[str]) -> None:
    line: FairLine[str] = FairLine()
    for client in clients:
        line.join(client, client)
    taken = [line.take() for _ in clients]
    for client in set(clients):
        turns = [place for place, each in enumerate(taken) if each == client]
        for before, after in pairwise(turns):
            still_waiting = set(taken[after:]) - {client}
            assert still_waiting <= set(taken[before + 1 : after])


@given(st.lists(st.integers(), max_size=40))
def test_one_client_is_served_first_come_first(items: list[int]) -> None:
    line: FairLine[int] = FairLine()
    for item in items:
        line.join("a", item)
    assert list(line) == [line.take() for _ in items] == items


def test_an_empty_line_has_nothing_to_take() -> None:
    line: FairLine[int] = FairLine()
    with pytest.raises(StopIteration):
        line.take()
    with pytest.raises(KeyError):
        line.leave("a", 1)

"""What an error holds is let go of, whatever led to it."""

import weakref
from collections.abc import Callable

import pytest

from flight_server.memory import let_go


class Batch:
    """Stands for what takes much memory."""


def fail(held: list["weakref.ref[Batch]"]) -> None:
    batch = Batch()
    held.append(weakref.ref(batch))
    raise ValueError("refused")


def from_a_cause(held: list["weakref.ref[Batch]"]) -> None:
    try:
        fail(held)
    except ValueError as error:
        raise RuntimeError("translated") from error


def from_itself(held: list["weakref.ref[Batch]"]) -> None:
    try:
        fail(held)
    except ValueError as error:
        raise error from error


def in_a_ring(held: list["weakref.ref[Batch]"]) -> None:
    try:
        from_a_cause(held)
    except RuntimeError as error:
        if error.__cause__ is not None:
            error.__cause__.__cause__ = error
        raise


@pytest.mark.parametrize("failing", [fail, from_a_cause, from_itself, in_a_ring])
def test_nothing_is_held_by_an_error_that_lives_on(
    failing: Callable[[list["weakref.ref[Batch]"]], None],
) -> None:
    held: list[weakref.ref[Batch]] = []
    with pytest.raises((ValueError, RuntimeError)) as raised:
        failing(held)
    let_go(raised.value)
    assert [each() for each in held] == [None]

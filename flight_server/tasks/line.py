"""Who is next: a line in which clients take turns, so that many exports of one delay no other."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairLine(Generic[Item]):
    """What waits, in the order in which it will be taken.

    Clients take turns in the order in which they joined, and go behind all others after a turn;
    what one client has in line goes first come, first served. Not thread safe.
    """

    def __init__(self) -> None:
        self._turns: dict[str, deque[Item]] = {}  # the client whose turn is next stands first
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        """Everything in line, next first; takes nothing."""
        turns = deque(iter(waiting) for waiting in self._turns.values())
        while turns:
            turn = turns.popleft()
            for item in turn:
                yield item
                turns.append(turn)
                break

    def join(self, client: str, item: Item) -> None:
        """Add `item` behind what `client` has in line."""
        self._turns.setdefault(client, deque()).append(item)
        self._length += 1

    def leave(self, client: str, item: Item) -> None:
        """Take `item` out of its turn. Raises KeyError or ValueError where it is not in line."""
        waiting = self._turns[client]
        waiting.remove(item)
        self._length -= 1
        if not waiting:
            del self._turns[client]

    def take(self) -> Item:
        """Remove the next item and give it. Raises StopIteration when the line is empty."""
        client = next(iter(self._turns))
        waiting = self._turns.pop(client)
        item = waiting.popleft()
        self._length -= 1
        if waiting:
            self._turns[client] = waiting
        return item

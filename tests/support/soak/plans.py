"""What a client means to do: an export, and the manner in which it sends it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from random import Random
from typing import Any

MOST_ROWS = {"csv": 300_000, "xlsx": 60_000}
FEWEST_ROWS = 1_000


class Manner(StrEnum):
    """How a client goes about its export."""

    STEADY = "steady"  # sends as fast as it can, and waits for its result
    SLOW = "slow"  # pauses between its batches
    DECLARING = "declaring"  # says how many rows there will be; sends no other commit
    NOT_WAITING = "not waiting"  # wait: false
    LEAVING = "leaving"  # its first call ends at some moment, as that of a client that was killed
    BREAKING_OFF = "breaking off"  # ends its first stream in the middle, then sends all again
    CANCELLING = "cancelling"  # cancels, in the middle or after its commit
    TWICE = "twice"  # two calls with the same request id at once


_WEIGHTS = {
    Manner.STEADY: 3,
    Manner.SLOW: 4,
    Manner.DECLARING: 2,
    Manner.NOT_WAITING: 3,
    Manner.LEAVING: 2,
    Manner.BREAKING_OFF: 1,
    Manner.CANCELLING: 3,
    Manner.TWICE: 2,
}


@dataclass(frozen=True)
class Plan:
    """One export. Its rows are numbered from `first`, so that no two exports have the same."""

    request_id: str
    filename: str
    manner: Manner
    first: int
    rows: int
    batches: int
    pause: float
    """Seconds before each batch but the first."""
    turn: int
    """The batch before which it is cancelled or broken off; `batches` is after the commit."""
    leaves_after: float
    """Seconds that the first call of a LEAVING client lasts."""

    @property
    def command(self) -> dict[str, Any]:
        """The descriptor."""
        said: dict[str, Any] = {"filename": self.filename, "request_id": self.request_id}
        if self.manner is Manner.DECLARING:
            said["rows"] = self.rows
        if self.manner is Manner.NOT_WAITING:
            said["wait"] = False
        return said

    def cuts(self) -> Iterator[tuple[int, int]]:
        """The first row and the number of rows of each batch."""
        ends = [self.rows * each // self.batches for each in range(self.batches + 1)]
        for start, end in pairwise(ends):
            yield self.first + start, end - start


def plans(seed: str, name: str) -> Iterator[Plan]:
    """What the client `name` does, one after the other, without end; of a seed always the same."""
    random = Random(f"{seed}/{name}")
    number = 0
    while True:
        number += 1
        yield _plan(random, f"{name}-{number}", Random(f"{seed}/{name}/{number}").randrange(10**9))


def _plan(random: Random, request_id: str, first: int) -> Plan:
    kind = random.choices(["csv", "xlsx"], [2, 1])[0]
    manner = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    # As many of 1,000 to 10,000 rows as of 10,000 to 100,000.
    most = math.log(MOST_ROWS[kind])
    rows = int(math.exp(random.uniform(math.log(FEWEST_ROWS), most)))
    batches = random.randint(3, 12)
    return Plan(
        request_id=request_id,
        filename=f"{request_id}.{kind}",
        manner=manner,
        first=first,
        rows=rows,
        batches=batches,
        pause=random.uniform(0.03, 0.2) if manner is Manner.SLOW else random.uniform(0, 0.05),
        turn=random.choice([random.randint(1, batches - 1), batches]),
        leaves_after=random.uniform(0.2, 2.0),
    )

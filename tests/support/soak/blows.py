"""How and when servers are hit: of a seed always the same."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What is done to a process."""

    KILL = "SIGKILL"
    END = "SIGTERM"
    END_AND_KILL = "SIGTERM, SIGKILL"  # it has begun to shut down
    FREEZE = "SIGSTOP, SIGCONT"  # it goes on after a while: nothing may have happened
    FREEZE_AND_KILL = "SIGSTOP, SIGKILL"


class Aim(StrEnum):
    """After which event it is done; those that are not here come from the journal."""

    ANY = "any"
    START = "start"  # of the next process: that one is hit while it starts, too
    ACCEPTED = "accepted"
    COMMITTED = "committed"
    CANCELLING = "cancelling"
    UPLOADING = "UPLOADING"


_KINDS = {
    Kind.KILL: 12,
    Kind.END: 2,
    Kind.END_AND_KILL: 1,
    Kind.FREEZE: 2,
    Kind.FREEZE_AND_KILL: 1,
}
_AIMS = {
    Aim.ANY: 4,
    Aim.START: 2,
    Aim.ACCEPTED: 1,
    Aim.COMMITTED: 4,
    Aim.CANCELLING: 3,
    Aim.UPLOADING: 3,
}
_LONGEST = {Aim.ANY: 1.5, Aim.START: 1.5, Aim.UPLOADING: 0.3}
"""Seconds; after the other events little is left to be hit."""


@dataclass(frozen=True)
class Longest:
    """Seconds that a blow has to do with at the most."""

    pause: float = 1.0
    """A server is frozen, or given between two signals."""
    away: float = 0.0
    """It is missing before it is started again."""


ONE_SERVER = Longest()


@dataclass(frozen=True)
class Blow:
    """One of them."""

    kind: Kind
    aim: Aim
    delay: float
    """Seconds after the event."""
    pause: float
    """Between the two signals of a kind that has two; of the longest, from 0 to 1."""
    away: float
    """Before the server is started again; of the longest, from 0 to 1."""

    def __str__(self) -> str:
        return f"{self.kind} {self.delay:.3f} s after {self.aim}"


def blows(seed: str) -> Iterator[Blow]:
    """Blow after blow, without end."""
    random = Random(f"{seed}/blows")
    while True:
        aim = random.choices(list(_AIMS), list(_AIMS.values()))[0]
        kind = random.choices(list(_KINDS), list(_KINDS.values()))[0]
        longest = _LONGEST.get(aim, 0.1)
        # As often between 1 and 10 ms as between 10 and 100, where events are close together.
        soon = math.exp(random.uniform(math.log(0.0005), math.log(longest)))
        delay = random.uniform(0, longest) if aim in {Aim.ANY, Aim.START} else soon
        away = random.choice([0.0, random.random()])
        yield Blow(kind, aim, delay, random.uniform(0.05, 1.0), away)

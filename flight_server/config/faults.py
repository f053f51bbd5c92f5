"""What is wrong between keys, as rules find it."""

from collections.abc import Iterable
from dataclasses import dataclass

from flight_server.config.kinds import Flaw


@dataclass(frozen=True)
class Fault:
    """What is wrong with the value of `key`, going on from "server.host: 0.0.0.0 …"."""

    key: str
    text: str
    reads: frozenset[str] = frozenset()
    """The other keys that were looked at."""
    part: Flaw | None = None
    """What is wrong within the value, when it is not the value as a whole."""


class BrokenRulesError(ValueError):
    """Values that are right each by itself but not together."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.key} {fault.text}" for fault in self.faults))

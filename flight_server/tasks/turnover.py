"""How soon a slot is likely to come free, from how long slots were held lately."""

import math
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

RECENT: Final = 32
"""Slots given back that are remembered."""

SHORTEST: Final = 1.0
LONGEST: Final = 60.0
"""Bounds in seconds: whoever is told to wait asks neither at once nor too late."""

UNMEASURED: Final = 5.0
"""Seconds that are told where there is nothing to measure, as before any slot was given back."""


class Turnover:
    """Watches slots being taken and given back. Not thread safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: dict[Hashable, float] = {}
        self._recent: deque[float] = deque(maxlen=RECENT)

    def taken(self, holder: Hashable) -> None:
        """Note that `holder` has a slot from now on."""
        self._since[holder] = self._monotonic()

    def given_back(self, holder: Hashable, *, counted: bool) -> None:
        """Note that `holder` has it no more; its time is remembered if it is `counted`."""
        seconds = self._monotonic() - self._since.pop(holder)
        if counted:
            self._recent.append(seconds)

    def seconds_to_next(self) -> float:
        """Whole seconds, from SHORTEST to LONGEST, until the next slot is likely to come free.

        The time that slots were held for each one given back, over the slots now in use. Those in
        use count with their time so far: where the exports have become longer, so does this.
        """
        if not self._recent or not self._since:
            return UNMEASURED
        now = self._monotonic()
        held = sum(self._recent) + sum(now - since for since in self._since.values())
        seconds = held / len(self._recent) / len(self._since)
        return min(max(float(math.ceil(seconds)), SHORTEST), LONGEST)

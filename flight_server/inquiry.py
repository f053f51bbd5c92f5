"""A question that may never be answered: a database, a disk or a store that hangs."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Inquiry(Generic[Answer]):
    """Asks in a daemon thread of its own, once at a time, so that nobody else hangs. Thread safe.

    `ask` raises nothing. However often somebody asks, one that hangs holds one thread.
    """

    def __init__(
        self, ask: Callable[[], Answer], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._asked_at: float | None = None
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer | None:
        """The newest; None before the first."""
        return self._answer

    @property
    def waiting(self) -> float:
        """For how many seconds an answer has been waited for; 0 where nothing is asked."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else self._monotonic() - asked_at

    def begin(self) -> None:
        """Ask, unless that is under way."""
        with self._changed:
            if self._asked_at is not None:
                return
            self._asked_at = self._monotonic()
            threading.Thread(target=self._run, name="inquiry", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Block until there is an answer, or until `seconds` have passed since it was asked."""
        with self._changed:
            while self._asked_at is not None:
                left = self._asked_at + seconds - self._monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    def _run(self) -> None:
        answer = self._ask()
        with self._changed:
            self._answer, self._asked_at = answer, None
            self._changed.notify_all()

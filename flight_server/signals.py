"""SIGTERM and SIGINT, and what they are worth: the first asks for an end, the second demands it.

Whatever hangs then, a client, a store, a database or a library, the process ends within a bound.
That is safe at any moment: what was not finished is settled at the next start.
"""

import os
import signal
import socket
import threading
from types import FrameType
from typing import Final

from flight_server.logs import Event, get_logger
from flight_server.together import together

START_SECONDS: Final = 5.0
"""How long a start may go on after a signal; then nothing has been let in, and it is given up."""

STOP_SECONDS: Final = 15.0
"""How long everything after the grace may take: ending exports, closing doors and stores."""

HURRY_SECONDS: Final = 3.0
"""How long the same may take after a second signal."""

_LOG_SECONDS: Final = 1.0

_log = get_logger("server")


class StopSignals:
    """The signals from now on; the process ends with code 0, `grace` seconds and a bound later.

    The byte that a signal is told by is written by the C handler, in whichever thread the system
    chose to interrupt. A Python handler runs when the main thread executes its next instruction, so
    never while that thread blocks in a lock and another one was interrupted (seen: a SIGTERM
    without effect); and one that sets an Event deadlocks when the main thread is just about to wait
    for it.
    """

    def __init__(self, grace: float) -> None:
        self.second = threading.Event()
        """Set when nothing is to be waited for any more."""
        self._grace = grace
        self._changed = threading.Condition()
        self._arrived = 0
        self._started = False
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ignore)
        for work in (self._receive, self._guard):
            threading.Thread(target=work, name="signals", daemon=True).start()

    def started(self) -> None:
        """Say that the start is over: the first signal has the whole grace."""
        with self._changed:
            self._started = True
            self._changed.notify_all()

    def wait(self) -> None:
        """Block until a signal has arrived."""
        self._await(1)

    def _receive(self) -> None:
        while self._receiver.recv(1):
            with self._changed:
                self._arrived += 1
                self._changed.notify_all()
            if self._arrived > 1:
                self.second.set()

    def _await(self, signals: int, seconds: float | None = None) -> bool:
        """Whether so many have arrived, waiting `seconds` at the most."""
        with self._changed:
            return self._changed.wait_for(lambda: self._arrived >= signals, seconds)

    def _guard(self) -> None:
        """End the process where it has not ended by itself in time."""
        self._await(1)
        with self._changed:
            self._changed.wait_for(lambda: self._started or self._arrived > 1, START_SECONDS)
            started = self._started
        if not started:
            _give_up("the server was told to stop while it was starting")
        if self._await(2, self._grace + STOP_SECONDS):
            self._await(3, HURRY_SECONDS)
        _give_up("the server was ended while something hung; the next start settles what is left")


def _give_up(message: str) -> None:
    """End the process; what hangs may be what the log is written to."""
    together([lambda: _log.error(Event.SystemError, message)], _LOG_SECONDS)
    os._exit(0)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Without a Python handler there is no byte."""

"""The end of a server's work: what runs may finish, what is left then is ended."""

import threading
import time
from datetime import timedelta
from functools import partial
from typing import Final

from flight_server.errors import ErrorCode, Failure
from flight_server.logs import Event, get_logger
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.model import TaskState
from flight_server.tasks.running import Running
from flight_server.together import together

ENDING_SECONDS: Final = 2.0
"""For ending what is left after the grace; what takes longer is settled at the next start."""

_LOOK_SECONDS: Final = 0.1
"""Between two looks whether anything still runs."""

_SHUT_DOWN: Final = Failure(
    ErrorCode.SHUTTING_DOWN, "the server was shut down before the export was finished; retry"
)

_log = get_logger("server")


def drain(manager: TaskManager, grace: timedelta, hurry: threading.Event) -> None:
    """Let in no more tasks, and let the others finish, also those that wait for a slot.

    Those that are left after the grace, or once `hurry` is set, end FAILED with SHUTTING_DOWN; but
    for those that are UPLOADING: their files are durable, and the next start publishes them.
    """
    manager.drain()
    _log.info(
        Event.ServerDraining,
        "new exports are refused, running ones may finish",
        running=manager.active,
        queued=manager.queued,
        grace_seconds=grace.total_seconds(),
    )
    _await_idle(manager, grace, hurry)
    # Side by side: a database or a store that hangs in one holds up no other.
    together([partial(_shut_down, running) for running in manager.running], ENDING_SECONDS)


def could_not_end(error: Exception) -> None:
    """Log what went wrong while a task was being ended."""
    _log.error(Event.SystemError, "an export could not be ended", error=error)


def _await_idle(manager: TaskManager, grace: timedelta, hurry: threading.Event) -> None:
    deadline = time.monotonic() + grace.total_seconds()
    while not manager.wait_idle(timedelta()):
        left = deadline - time.monotonic()
        if left <= 0 or hurry.wait(min(left, _LOOK_SECONDS)):
            return


def _shut_down(running: Running) -> None:
    try:
        running.end(_SHUT_DOWN, unless=TaskState.UPLOADING)
    except Exception as error:  # noqa: BLE001 - the next start settles it
        could_not_end(error)

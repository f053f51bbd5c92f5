"""Several things done side by side, within a bound: one that hangs holds up nothing else."""

import threading
import time
from collections.abc import Callable, Iterable


def together(works: Iterable[Callable[[], object]], seconds: float) -> bool:
    """Do each of `works`, which raise nothing, in a daemon thread of its own.

    Returns whether all were done within `seconds`. What was not goes on, with nobody waiting; what
    the system has no thread for is not done.
    """
    threads = [threading.Thread(target=work, name="together", daemon=True) for work in works]
    started = [thread for thread in threads if _has_started(thread)]
    deadline = time.monotonic() + seconds
    for thread in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    return len(started) == len(threads) and not any(thread.is_alive() for thread in started)


def _has_started(thread: threading.Thread) -> bool:
    try:
        thread.start()
    except RuntimeError:  # at the end of a server, too, the other works are to be done
        return False
    return True

"""Several things done side by side, within a bound: one that hangs holds up nothing else."""

import threading
import time
from collections.abc import Callable, Iterable


def together(works: Iterable[Callable[[], object]], seconds: float) -> bool:
    """Do each of `works`, which raise nothing, in a daemon thread of its own.

    Returns whether all were done within `seconds`. What was not goes on, with nobody waiting.
    """
    threads = [threading.Thread(target=work, name="together", daemon=True) for work in works]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)

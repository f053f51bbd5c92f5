"""The one place where a test sleeps: between two looks at a condition, within a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_INTERVAL = 0.01


def wait_for(look: Callable[[], Value], timeout: float = 20.0) -> Value:
    """What `look` returns, as soon as that is true; an AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := look()):
        assert time.monotonic() < deadline, f"nothing within {timeout:g} s; last: {value!r}"
        time.sleep(_INTERVAL)
    return value

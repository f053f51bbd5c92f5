"""The call that a thread serves: which session, and which trace of its caller's it belongs to."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

_NO_CALL: Final[Mapping[str, str]] = MappingProxyType({})

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)
"""Of W3C Trace Context; what follows the flags belongs to later versions."""

_call: ContextVar[Mapping[str, str]] = ContextVar("call", default=_NO_CALL)


@contextmanager
def calling(traceparent: str | None = None) -> Iterator[None]:
    """Have what this thread logs carry a new `session_id`, and the `trace_id` of the caller.

    A caller that sends no valid `traceparent` gets a trace of its own.
    """
    known = _TRACEPARENT.fullmatch(traceparent or "")
    trace_id = known[1] if known else secrets.token_hex(16)
    token = _call.set({"session_id": secrets.token_hex(8), "trace_id": trace_id})
    try:
        yield
    finally:
        _call.reset(token)


def current_call() -> Mapping[str, str]:
    """The ids of the call that this thread serves; empty where it serves none."""
    return _call.get()

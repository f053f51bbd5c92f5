"""The calls of the Flight door, as the log knows them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from pyarrow import flight

from flight_server.logs import calling

TRACEPARENT: Final = "traceparent"
"""The header of W3C Trace Context."""


class _Headers(flight.ServerMiddleware):
    """Keeps what the handler of a call cannot see otherwise."""

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent


class _KeepHeaders(flight.ServerMiddlewareFactory):
    """Makes the `_Headers` of each call. What it raises would end the call: it raises nothing."""

    def start_call(
        self,
        info: flight.CallInfo,  # noqa: ARG002
        headers: Mapping[str, Sequence[str | bytes]],
    ) -> _Headers:
        [first, *_] = [*headers.get(TRACEPARENT, ()), None]
        return _Headers(first if isinstance(first, str) else None)


MIDDLEWARE: Final = {TRACEPARENT: _KeepHeaders()}
"""For the Flight server whose calls are `called`."""


@contextmanager
def called(context: flight.ServerCallContext) -> Iterator[None]:
    """Have what the handler logs carry the ids of its call."""
    headers = context.get_middleware(TRACEPARENT)
    with calling(None if headers is None else headers.traceparent):
        yield

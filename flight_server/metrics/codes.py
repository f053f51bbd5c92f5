"""Counters by error code."""

from prometheus_client import Counter

from flight_server.errors import ErrorCode


def with_every_code(counter: Counter) -> Counter:
    """The counter with a 0 for every code that there is.

    Prometheus sees no increase in a series that begins with 1: the first failure would be missed.
    """
    for code in ErrorCode:
        counter.labels(code)
    return counter

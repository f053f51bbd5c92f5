"""Exports that are refused before there is a task of them: counted, and logged where nobody does.

What becomes of an export once it is accepted, its task tells.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.logs import Event, get_logger
from flight_server.metrics import Metrics

_log = get_logger("service")


@contextmanager
def refusals(metrics: Metrics, client: str) -> Iterator[None]:
    """What is raised inside refuses an export of `client`."""
    try:
        yield
    except Exception as error:
        refused(metrics, client, translate(error))
        raise


def refused(metrics: Metrics, client: str, error: ServiceError) -> None:
    """Count one that was refused with `error`."""
    metrics.tasks.refused(client, error.code)
    if error.code is ErrorCode.QUEUE_FULL:
        _log.warning(Event.ConcurrencyLimitReached, error.message, client=client)

"""An event as a dictionary of plain values, in the order in which it is written."""

import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

from flight_server.errors import Failure, ServiceError, translate
from flight_server.logs.events import Event
from flight_server.logs.values import MAX_TEXT, Plain, plain, text

Entry: TypeAlias = dict[str, Plain]

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_IDENTITIES: Final = ("task_id", "session_id", "trace_id")
"""What stands beside the message when it is known, not among the fields."""


def entry(
    level: int,
    component: str,
    event: Event | None,
    message: str,
    *,
    values: Mapping[str, object],
    duration_ms: float | None = None,
    error: BaseException | Failure | None = None,
) -> Entry:
    """Return the line as a dictionary; what is not known is left out."""
    line: Entry = {"timestamp": _now(), "level": level_name(level), "component": plain(component)}
    if event is not None:
        line["event"] = plain(event)
    line["message"] = plain(message)
    line |= {name: plain(values[name]) for name in _IDENTITIES if name in values}
    line["fields"] = plain({key: values[key] for key in values if key not in _IDENTITIES})
    if duration_ms is not None:
        line["duration"] = plain(round(duration_ms, 3))
    if error is not None:
        line["error"] = _error(error)
    return line


def level_name(level: int) -> str:
    """Return the highest of our levels that is not above a level of the standard library."""
    return next((name for name in reversed(LEVELS) if LEVELS[name] <= level), "debug")


def _now() -> str:
    """UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(error: BaseException | Failure) -> Plain:
    if isinstance(error, Failure):
        return {"code": error.code.value, "message": plain(error.message), "stack": None}
    stack = "".join(traceback.format_exception(error))
    return {
        "code": translate(error).code.value,
        "message": plain(error.message if isinstance(error, ServiceError) else error),
        "stack": text(stack[-MAX_TEXT:]),  # the end says most
    }

"""The log: one event, one line, in the shape of the original.

    log = get_logger("flight").bind(task_id=task.task_id)
    log.info(Event.TaskCreated, "export accepted", rows=3)

    {"timestamp": "2025-01-31T08:00:00.000Z", "level": "info", "component": "flight",
     "event": "TaskCreated", "message": "export accepted", "task_id": "…", "fields": {"rows": 3}}

A line is one JSON object of ASCII whatever the values are, so that no name or message of a caller
can break a line or forge one. Lines of the standard library's loggers (uvicorn, say) join the
same stream, with their logger's name as component and without an event.

`calling` gives every line of a call its session and trace, whoever writes it.

A log that cannot be written never fails an export: lost lines are counted, and the count is
written as soon as a line can be.

    events   the names of events
    calls    the call that a thread serves
    values   any value to a plain one
    entry    an event as a dictionary
    render   a dictionary as a line; the one home of structlog
    stream   where lines go
    logger   Logger, configure, the bridge from the standard library
"""

from flight_server.logs.calls import calling
from flight_server.logs.events import Event
from flight_server.logs.logger import Logger, configure, get_logger, reset

__all__ = ["Event", "Logger", "calling", "configure", "get_logger", "reset"]

"""Loggers, where they write to, and the bridge from the standard library."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from flight_server.errors import Failure
from flight_server.logs.calls import current_call
from flight_server.logs.entry import LEVELS, Entry, entry
from flight_server.logs.events import Event
from flight_server.logs.render import Renderer, json_renderer, text_renderer
from flight_server.logs.stream import Stream
from flight_server.logs.values import plain

Error = BaseException | Failure


@dataclass(frozen=True, slots=True)
class Logger:
    """Writes the events of one component. Cheap to bind, and to call when the level is off.

    Of what follows the message, `duration_ms` becomes the duration and `error` the error, with its
    code and stack; `task_id`, `session_id` and `trace_id` stand by themselves, everything else
    under `fields`.
    """

    component: str
    context: Mapping[str, object] = field(default_factory=dict)

    def bind(self, **context: object) -> Self:
        """Return a logger that adds `context` to each of its lines, and the ids of this call.

        Wherever it is used then: an export can be ended by another thread than its own.
        """
        return type(self)(self.component, {**current_call(), **self.context, **context})

    @property
    def debugs(self) -> bool:
        """Whether `debug` writes: for values that are dear to find out."""
        return _sink.threshold <= logging.DEBUG

    def debug(
        self,
        event: Event,
        message: str,
        /,
        *,
        duration_ms: float | None = None,
        error: Error | None = None,
        **values: object,
    ) -> None:
        """Write what helps to find a mistake."""
        if self.debugs:
            self._write(logging.DEBUG, event, message, duration_ms, error, values)

    def info(
        self,
        event: Event,
        message: str,
        /,
        *,
        duration_ms: float | None = None,
        error: Error | None = None,
        **values: object,
    ) -> None:
        """Write what happened."""
        if _sink.threshold <= logging.INFO:
            self._write(logging.INFO, event, message, duration_ms, error, values)

    def warning(
        self,
        event: Event,
        message: str,
        /,
        *,
        duration_ms: float | None = None,
        error: Error | None = None,
        **values: object,
    ) -> None:
        """Write what somebody should look at."""
        if _sink.threshold <= logging.WARNING:
            self._write(logging.WARNING, event, message, duration_ms, error, values)

    def error(
        self,
        event: Event,
        message: str,
        /,
        *,
        duration_ms: float | None = None,
        error: Error | None = None,
        **values: object,
    ) -> None:
        """Write what failed."""
        if _sink.threshold <= logging.ERROR:
            self._write(logging.ERROR, event, message, duration_ms, error, values)

    def _write(
        self,
        level: int,
        event: Event,
        message: str,
        duration_ms: float | None,
        error: Error | None,
        values: Mapping[str, object],
    ) -> None:
        values = {**current_call(), **self.context, **values}
        _sink.write(
            entry(
                level,
                self.component,
                event,
                message,
                values=values,
                duration_ms=duration_ms,
                error=error,
            )
        )


def get_logger(component: str) -> Logger:
    """Return the logger of a component. It follows `configure`, whichever is called first."""
    return Logger(component)


def configure(level: str, format: str, output: str) -> None:  # noqa: A002 - named as its key is
    """Send every event of at least `level` to `output`, and the standard library's with them.

    A library that would configure its loggers by itself must be told not to (uvicorn:
    `log_config=None`).

    Args:
        level: debug, info, warning or error.
        format: json, or text for people.
        output: stdout, stderr, or the path of a file to append to; its directory is made.

    Raises:
        ValueError: the level or the format is unknown.
        OSError: the file cannot be opened; the log stays as it was.

    """
    global _sink
    if level not in LEVELS:
        raise ValueError(f"unknown log level {level!r}; available: {', '.join(LEVELS)}")
    if format not in ("json", "text"):
        raise ValueError(f"unknown log format {format!r}; available: json, text")
    stream = Stream(output)
    render = text_renderer(colors=stream.is_terminal) if format == "text" else json_renderer()
    reset()
    _sink = _Sink(LEVELS[level], render, stream)
    logging.root.addHandler(_BRIDGE)
    logging.root.setLevel(_sink.threshold)
    logging.captureWarnings(capture=True)


def reset() -> None:
    """Return to the state before `configure`: warnings and errors, in JSON, to stderr."""
    global _sink
    replaced, _sink = _sink, _default_sink()
    replaced.stream.close()
    if _BRIDGE in logging.root.handlers:
        logging.root.removeHandler(_BRIDGE)
        logging.root.setLevel(logging.WARNING)
        logging.captureWarnings(capture=False)


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where events of at least `threshold` go."""

    threshold: int
    render: Renderer
    stream: Stream

    def write(self, line: Entry) -> None:
        if not self.stream.write(self.render(line)):
            return
        if lost := self.stream.take_lost():
            values = {"lost": lost}
            self.write(
                entry(logging.WARNING, "logs", Event.SystemError, "lines were lost", values=values)
            )


def _default_sink() -> _Sink:
    return _Sink(logging.WARNING, json_renderer(), Stream("stderr"))


_sink = _default_sink()


class _Bridge(logging.Handler):
    """Takes the records of the standard library, and Python's warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < _sink.threshold:
            return
        error = record.exc_info[1] if record.exc_info else None
        values = current_call()
        _sink.write(
            entry(record.levelno, record.name, None, _message(record), values=values, error=error)
        )


_BRIDGE: Final = _Bridge()


def _message(record: logging.LogRecord) -> str:
    """Return the message, or its parts when they do not fit together."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a foreign format with foreign arguments
        return f"{plain(record.msg)} {plain(record.args)}"

"""A dictionary as a line: the one home of `structlog`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import structlog

from flight_server.logs.entry import Entry
from flight_server.logs.values import Plain

Renderer: TypeAlias = Callable[[Entry], str]

_RESERVED: Final = frozenset(
    {"timestamp", "level", "logger", "logger_name", "message", "event", "task_id", "session_id"}
    | {"trace_id", "duration", "error", "exception", "exc_info", "stack"}
)
"""Names that the console renderer, or we, give a meaning."""

_INDENT: Final = "    "


def json_renderer() -> Renderer:
    """Return a renderer of one JSON object: ASCII, so that it holds no line end of any kind."""
    render = structlog.processors.JSONRenderer(allow_nan=False)
    return lambda entry: str(render(None, "", dict(entry)))


def text_renderer(*, colors: bool) -> Renderer:
    """Return a renderer for people: a line, and below it, indented, the stack of an error."""
    render = structlog.dev.ConsoleRenderer(
        colors=colors,
        event_key="message",
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return lambda entry: render(None, "", dict(_flat(entry)))


def _flat(entry: Entry) -> Iterable[tuple[str, Plain]]:
    for name, value in entry.items():
        if isinstance(value, dict) and name == "fields":
            yield from _fields(value)
        elif isinstance(value, dict):
            yield name, printable(f"{value['code']}: {value['message']}")
            if stack := value["stack"]:
                yield "exception", _indented(str(stack))
        else:
            yield "logger" if name == "component" else name, _shown(value)


def _fields(fields: Mapping[str, Plain]) -> Iterable[tuple[str, Plain]]:
    for name, value in fields.items():
        yield f"fields.{name}" if name in _RESERVED else printable(name), _shown(value)


def _shown(value: Plain) -> Plain:
    return printable(value) if isinstance(value, str) else value


def printable(value: str) -> str:
    """Return `value` with line ends, terminal escapes and the like spelt out."""
    if value.isprintable():
        return value
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in value
    )


def _indented(stack: str) -> str:
    """Return the stack so that no line of it, whatever it quotes, looks like an event."""
    return "\n".join(_INDENT + printable(line) for line in stack.splitlines())

"""Which call a line belongs to."""

import json
import threading
from pathlib import Path

import pytest

from flight_server import logs
from flight_server.logs import Event, calling, get_logger

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"

log = get_logger("test")


@pytest.fixture
def lines(tmp_path: Path) -> "Lines":
    lines = Lines(tmp_path / "log")
    logs.configure("info", "json", str(lines.path))
    return lines


class Lines:
    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, str]]:
        logs.reset()
        return [json.loads(line) for line in self.path.read_text().splitlines()]


def say(logger: logs.Logger = log) -> None:
    logger.info(Event.StatusQueried, "said")


def test_the_lines_of_a_call_have_its_ids_and_others_have_none(lines: Lines) -> None:
    say()
    with calling(PARENT):
        say()
        say(log.bind(task_id="t"))
    say()
    before, first, second, after = lines.read()
    for line in (before, after):
        assert not {"session_id", "trace_id"} & line.keys()
    assert first["trace_id"] == second["trace_id"] == TRACE
    assert first["session_id"] == second["session_id"]
    assert len(first["session_id"]) == 16


def test_each_call_is_a_session_of_its_own(lines: Lines) -> None:
    for _ in range(2):
        with calling(PARENT):
            say()
    first, second = lines.read()
    assert first["trace_id"] == second["trace_id"]
    assert first["session_id"] != second["session_id"]


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "nonsense",
        TRACE,
        PARENT.upper(),
        PARENT.replace(TRACE, "0" * 32),
        PARENT.replace("00f067aa0ba902b7", "0" * 16),
        f"ff{PARENT[2:]}",
        PARENT[:-3],
        f"{PARENT}\n",
    ],
)
def test_a_caller_without_a_valid_trace_gets_one(lines: Lines, traceparent: str | None) -> None:
    with calling(traceparent):
        say()
    [line] = lines.read()
    assert len(line["trace_id"]) == 32
    assert line["trace_id"] != TRACE


def test_a_later_version_of_the_header_is_understood(lines: Lines) -> None:
    with calling(f"01{PARENT[2:]}-more"):
        say()
    assert lines.read()[0]["trace_id"] == TRACE


def test_a_bound_logger_keeps_the_call_wherever_it_is_used(lines: Lines) -> None:
    """The watchdog, or the call of somebody else, may end an export."""
    with calling(PARENT):
        bound = log.bind(task_id="t")
    thread = threading.Thread(target=say, args=(bound,))
    thread.start()
    thread.join()
    with calling():
        say(bound)
    other_thread, other_call = lines.read()
    assert other_thread["trace_id"] == other_call["trace_id"] == TRACE
    assert other_thread["session_id"] == other_call["session_id"]


def test_debug_is_known_to_be_off(tmp_path: Path) -> None:
    """What is dear to find out is found out only where it is written."""
    logs.configure("info", "json", str(tmp_path / "log"))
    assert not log.debugs
    logs.configure("debug", "json", str(tmp_path / "log"))
    assert log.debugs
    logs.reset()
    assert not log.debugs

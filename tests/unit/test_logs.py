"""The log: one event, one line, whatever the values."""

import errno
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.logs import Event, Logger, configure, get_logger, reset
from flight_server.logs.logger import _BRIDGE

log = get_logger("flight")


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    reset()


class Output:
    """The file that the log is written to."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    @property
    def text(self) -> str:
        return Path(self.path).read_bytes().decode("utf-8")

    @property
    def lines(self) -> list[str]:
        return lines(self.text)

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [parsed(line) for line in self.lines]

    @property
    def entry(self) -> dict[str, Any]:
        (entry,) = self.entries
        return entry


def lines(text: str) -> list[str]:
    """The lines by everything that any reader takes for the end of one."""
    assert not text or text.endswith("\n")
    return text.splitlines()


def parsed(line: str) -> dict[str, Any]:
    """The entry; NaN and Infinity, which Python reads, are no JSON."""
    entry = json.loads(line, parse_constant=pytest.fail)
    assert isinstance(entry, dict)
    return entry


@pytest.fixture
def out(tmp_path: Path) -> Output:
    """The log as JSON, from debug on."""
    output = Output(tmp_path / "out.log")
    configure("debug", "json", output.path)
    return output


@pytest.fixture
def text(tmp_path: Path) -> Output:
    """The log for people, from info on."""
    output = Output(tmp_path / "out.log")
    configure("info", "text", output.path)
    return output


class Hostile:
    """A value whose text cannot be had."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Colour(Enum):
    RED = "red"


def fill_the_disk() -> None:
    raise ServiceError(ErrorCode.STORAGE_FULL, "the disk is full")


class TestTheShape:
    def test_is_that_of_the_original(self, out: Output) -> None:
        bound = log.bind(task_id="t-1", session_id="s-1", trace_id="c0ffee", client="billing")
        bound.info(Event.TaskCompleted, "export finished", rows=3, duration_ms=12.34567)
        assert list(out.entry) == [
            "timestamp", "level", "component", "event", "message",
            "task_id", "session_id", "trace_id", "fields", "duration",
        ]  # fmt: skip
        entry = out.entry
        timestamp = datetime.fromisoformat(entry.pop("timestamp"))
        assert abs(datetime.now(UTC) - timestamp) < timedelta(minutes=1)
        assert entry == {
            "level": "info",
            "component": "flight",
            "event": "TaskCompleted",
            "message": "export finished",
            "task_id": "t-1",
            "session_id": "s-1",
            "trace_id": "c0ffee",
            "fields": {"client": "billing", "rows": 3},
            "duration": 12.346,
        }

    def test_has_a_time_in_utc_with_milliseconds(self, out: Output) -> None:
        log.info(Event.TaskCreated, "x")
        stamp = out.entry["timestamp"]
        assert datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        assert len(stamp) == len("2025-01-31T08:00:00.000Z")

    def test_leaves_out_what_is_not_known(self, out: Output) -> None:
        log.warning(Event.ConcurrencyLimitReached, "all slots are taken")
        assert list(out.entry) == ["timestamp", "level", "component", "event", "message", "fields"]

    @pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
    def test_names_the_level(self, out: Output, level: str) -> None:
        getattr(log, level)(Event.MemorySnapshot, "x")
        assert out.entry["level"] == level

    def test_takes_any_name_for_a_field(self, out: Output) -> None:
        names: dict[str, Any] = {
            "event": 1,
            "message": 2,
            "level": 3,
            "timestamp": 4,
            "self": 5,
            "fields": 6,
        }
        log.info(Event.TaskCreated, "x", **names)
        assert out.entry["message"] == "x"
        assert out.entry["fields"] == names


class TestBinding:
    def test_makes_a_new_logger(self, out: Output) -> None:
        log.bind(task_id="a")
        log.info(Event.TaskQueued, "x")
        assert "task_id" not in out.entry

    def test_adds_up_and_gives_way_to_the_call(self, out: Output) -> None:
        log.bind(task_id="a", client="c").bind(rows=1).info(Event.TaskQueued, "x", rows=2)
        assert out.entry["task_id"] == "a"
        assert out.entry["fields"] == {"client": "c", "rows": 2}

    def test_keeps_the_component(self) -> None:
        assert log.bind(a=1) == Logger("flight", {"a": 1})


class TestErrors:
    def test_of_the_service_carry_code_message_and_stack(self, out: Output) -> None:
        with pytest.raises(ServiceError) as raised:
            fill_the_disk()
        log.error(Event.TaskFailed, "export failed", error=raised.value)
        error_entry = out.entry["error"]
        assert error_entry["code"] == "STORAGE_FULL"
        assert error_entry["message"] == "the disk is full"
        assert "in fill_the_disk" in error_entry["stack"]

    def test_of_others_are_internal_and_say_what_they_were(self, out: Output) -> None:
        log.error(Event.SystemError, "x", error=KeyError("rows"))
        assert out.entry["error"]["code"] == "INTERNAL"
        assert out.entry["error"]["message"] == "KeyError: 'rows'"

    def test_show_their_cause(self, out: Output) -> None:
        error = RuntimeError("second")
        error.__cause__ = OSError(errno.ENOSPC, "first")
        log.error(Event.SystemError, "x", error=error)
        assert "first" in out.entry["error"]["stack"]

    def test_that_were_stored_have_no_stack(self, out: Output) -> None:
        log.warning(Event.TaskFailed, "x", error=Failure(ErrorCode.CANCELLED, "cancelled"))
        assert out.entry["error"] == {"code": "CANCELLED", "message": "cancelled", "stack": None}

    def test_without_a_text_are_still_written(self, out: Output) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no")

        log.error(Event.SystemError, "x", error=Mute())
        assert out.entry["error"]["message"] == "<Mute that cannot be shown>"


class TestValues:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, None),
            (True, True),
            (1.5, 1.5),
            (2**63, "0x8000000000000000"),
            (float("nan"), "nan"),
            (float("-inf"), "-inf"),
            ("导出\n\u2028\x1b[31m", "导出\n\u2028\x1b[31m"),
            ("\udcff", "\\udcff"),
            (b"abc\xff", "abc\\xff"),
            (bytearray(b"abc"), "abc"),
            (datetime(2025, 1, 31, 8, tzinfo=UTC), "2025-01-31T08:00:00+00:00"),
            (date(2025, 1, 31), "2025-01-31"),
            (timedelta(minutes=1.5), "90s"),
            (Path("/srv/a b"), "/srv/a b"),
            (ValueError("bad"), "ValueError: bad"),
            (Colour.RED, "red"),
            (ErrorCode.INTERNAL, "INTERNAL"),
            (Decimal("1.10"), "1.10"),
            (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            ((1, [b"x"]), [1, ["x"]]),
            ({3}, [3]),
            ({1: {Path("a"): None}}, {"1": {"a": None}}),
            (Hostile(), "<Hostile that cannot be shown>"),
            ([Hostile(), 1], ["<Hostile that cannot be shown>", 1]),
            ({Hostile(): 1}, "<dict that cannot be shown>"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_become_plain(self, out: Output, value: object, shown: object) -> None:
        log.info(Event.RecordsWritten, "x", value=value)
        assert out.entry["fields"] == {"value": shown}

    def test_that_contain_themselves_end_somewhere(self, out: Output) -> None:
        loop: list[object] = [1]
        loop.append(loop)
        log.info(Event.RecordsWritten, "x", loop=loop)
        assert out.entry["fields"]["loop"][0] == 1

    def test_that_are_huge_are_cut(self, out: Output) -> None:
        huge = {str(number): "x" * 1000 for number in range(10_000)}
        log.info(Event.RecordsWritten, "x" * 10**6, huge=huge, nested=[[[[[["x" * 10**6]]]]]])
        assert len(out.lines[0]) < 200_000
        assert out.entry["message"].endswith("…")

    def test_of_a_caller_break_no_line(self, out: Output) -> None:
        name = 'a\r\n{"level":"error"}\u2028\u2029\x85\x0b\x0c.csv'
        log.bind(task_id=name).bind(**{name: name}).info(Event.TaskCreated, name)
        assert len(out.lines) == 1
        assert out.text.isascii()
        assert out.entry["message"] == out.entry["task_id"] == out.entry["fields"][name] == name

    @settings(max_examples=50)
    @given(
        message=st.text(),
        values=st.dictionaries(
            st.text(),
            st.recursive(
                st.none() | st.integers() | st.floats() | st.binary() | st.datetimes()
                | st.text(st.characters()) | st.complex_numbers() | st.fractions(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                max_leaves=8,
            ),
        ),
    )  # fmt: skip
    @pytest.mark.parametrize("format_", ["json", "text"])
    def test_of_any_kind_make_one_line(
        self, format_: str, message: str, values: dict[str, Any]
    ) -> None:
        values = {
            name: value for name, value in values.items() if name not in {"error", "duration_ms"}
        }
        written = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", written)
            configure("info", format_, "stdout")
            log.info(Event.RecordsWritten, message, **values)
            reset()
        (line,) = lines(written.getvalue())
        if format_ == "json":
            assert parsed(line)["event"] == "RecordsWritten"


class TestLevels:
    @pytest.mark.parametrize(
        ("level", "written"),
        [
            ("debug", ["debug", "info", "warning", "error"]),
            ("info", ["info", "warning", "error"]),
            ("warning", ["warning", "error"]),
            ("error", ["error"]),
        ],
    )
    def test_bound_what_is_written(self, out: Output, level: str, written: list[str]) -> None:
        configure(level, "json", out.path)
        for method in (log.debug, log.info, log.warning, log.error):
            method(Event.MemorySnapshot, "x")
        assert [entry["level"] for entry in out.entries] == written

    def test_that_are_off_look_at_no_value(
        self, out: Output, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What makes them cheap: nothing is merged, converted or rendered."""
        configure("info", "json", out.path)
        monkeypatch.setattr(Logger, "_write", None)
        log.debug(Event.BatchReceived, "x", value=Hostile())
        with pytest.raises(TypeError):
            log.info(Event.BatchReceived, "x")

    def test_that_are_unknown_are_refused_with_the_choices(self) -> None:
        with pytest.raises(ValueError, match=r"^unknown log level 'loud'; available: debug, info"):
            configure("loud", "json", "stdout")

    def test_before_configure_only_warnings_are_written_and_to_stderr(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log.info(Event.ServerStarted, "x")
        log.warning(Event.SystemError, "y")
        shown = capsys.readouterr()
        assert shown.out == ""
        assert json.loads(shown.err)["message"] == "y"


class TestText:
    def test_is_a_line_for_people(self, text: Output) -> None:
        log.bind(task_id="t-1").info(Event.TaskCreated, "export accepted", rows=3, duration_ms=1.5)
        (line,) = text.lines
        for part in ("info", "export accepted", "[flight]", "event=TaskCreated", "task_id=t-1",
                     "rows=3", "duration=1.5"):  # fmt: skip
            assert part in line
        assert "\x1b" not in line

    def test_spells_out_what_would_break_a_line_or_steer_a_terminal(self, text: Output) -> None:
        name = "a\nb\r\x1b[2J\u2028导出"
        log.bind(**{"task_id": name, name: [name], "k": name}).info(Event.TaskCreated, name)
        assert len(text.lines) == 1
        assert "\x1b" not in text.text
        assert r"a\nb\r\x1b[2J\u2028导出" in text.text

    def test_indents_the_stack_below_its_line(self, text: Output) -> None:
        log.error(Event.SystemError, "x", error=ValueError("bad\n2025-01-31 forged"))
        first, *stack = text.lines
        assert "error='INTERNAL: ValueError: bad" in first
        assert stack
        assert all(line.startswith("    ") for line in stack)

    def test_shows_a_stored_error_on_its_line(self, text: Output) -> None:
        log.error(Event.TaskFailed, "x", error=Failure(ErrorCode.QUEUE_FULL, "full"))
        (line,) = text.lines
        assert "error='QUEUE_FULL: full'" in line

    def test_lets_no_field_pass_for_another(self, text: Output) -> None:
        log.info(Event.TaskCreated, "x", level="error", exc_info=True, exception="e", stack="s")
        (line,) = text.lines
        assert "fields.level=error" in line
        assert "fields.exc_info=True" in line

    def test_spells_out_what_the_stream_cannot_encode(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
        configure("info", "text", "stdout")
        log.info(Event.TaskCreated, "导出")
        assert rb"\u5bfc\u51fa" in raw.getvalue()

    def test_is_the_only_other_format(self) -> None:
        with pytest.raises(ValueError, match=r"^unknown log format 'xml'; available: json, text$"):
            configure("info", "xml", "stdout")


class TestOutputs:
    def test_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure("info", "json", "stderr")
        log.info(Event.TaskCreated, "x")
        shown = capsys.readouterr()
        assert json.loads(shown.err)["message"] == "x"
        assert shown.out == ""

    def test_a_file_is_appended_to_and_its_directory_made(self, tmp_path: Path) -> None:
        path = tmp_path / "logs" / "export.log"
        for message in ("a", "b"):
            configure("info", "json", str(path))
            log.info(Event.TaskCreated, message)
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["message"] for line in lines] == ["a", "b"]

    def test_a_file_that_cannot_be_opened_leaves_the_log_as_it_was(
        self, out: Output, tmp_path: Path
    ) -> None:
        with pytest.raises(IsADirectoryError):
            configure("info", "json", str(tmp_path))
        log.debug(Event.TaskCreated, "still here")
        assert out.entry["message"] == "still here"

    def test_lines_of_threads_do_not_mix(self, tmp_path: Path) -> None:
        path = tmp_path / "export.log"
        configure("info", "json", str(path))

        def write() -> None:
            for number in range(200):
                log.info(Event.BatchProcessed, "x" * 500, number=number)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = path.read_text(encoding="utf-8").splitlines()
        assert sorted(json.loads(line)["fields"]["number"] for line in lines) == sorted(
            [*range(200)] * 4
        )

    def test_lost_lines_harm_nobody_and_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Full(io.StringIO):
            full = True

            def write(self, text: str) -> int:
                if self.full:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return super().write(text)

        stream = Full()
        monkeypatch.setattr(sys, "stdout", stream)
        configure("info", "json", "stdout")
        log.info(Event.TaskCreated, "lost")
        log.info(Event.TaskCreated, "lost")
        stream.full = False
        log.info(Event.TaskCreated, "back")
        entries = [parsed(line) for line in lines(stream.getvalue())]
        assert [entry["message"] for entry in entries] == ["back", "lines were lost"]
        assert entries[1]["fields"] == {"lost": 2}

    def test_a_closed_stream_harms_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        configure("info", "json", "stdout")
        stream.close()
        log.info(Event.TaskCreated, "lost")


class TestTheStandardLibrary:
    def test_joins_the_stream_with_its_loggers_name(self, out: Output) -> None:
        logging.getLogger("a.library").info("%s - %d", "GET /\n", 200)
        entry = out.entry
        del entry["timestamp"]
        assert entry == {
            "level": "info",
            "component": "a.library",
            "message": "GET /\n - 200",
            "fields": {},
        }

    def test_carries_its_exceptions(self, out: Output) -> None:
        try:
            int("bad")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("failed")
        assert out.entry["level"] == "error"
        assert out.entry["error"]["message"].startswith("ValueError: invalid literal")

    @pytest.mark.parametrize(("number", "name"), [(5, "debug"), (25, "info"), (50, "error")])
    def test_has_levels_that_we_have_not(self, out: Output, number: int, name: str) -> None:
        other = logging.getLogger("other")
        other.setLevel(1)
        try:
            configure("debug", "json", out.path)
            logging.root.handlers[-1].handle(
                other.makeRecord("other", number, "", 0, "x", (), None)
            )
        finally:
            other.setLevel(logging.NOTSET)
        assert [entry["level"] for entry in out.entries] == ([name] if number >= 10 else [])

    def test_is_bounded_by_the_level(self, out: Output) -> None:
        configure("warning", "json", out.path)
        logging.getLogger("uvicorn").info("x")
        assert out.lines == []

    def test_with_arguments_that_do_not_fit_is_written_all_the_same(self, out: Output) -> None:
        record = logging.makeLogRecord(
            {"name": "other", "levelno": logging.WARNING, "msg": "%d rows", "args": ("many",)}
        )
        _BRIDGE.handle(record)  # pytest's own handler would fail the test
        assert out.entry["message"] == "%d rows ['many']"

    def test_brings_warnings_in(self, out: Output) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            configure("debug", "json", out.path)
            warnings.warn("old", DeprecationWarning, stacklevel=1)
            reset()
        assert out.entry["component"] == "py.warnings"
        assert "DeprecationWarning: old" in out.entry["message"]

    def test_is_left_alone_after_reset(self, out: Output) -> None:
        handlers = list(logging.root.handlers)
        configure("debug", "json", out.path)
        reset()
        assert len(logging.root.handlers) == len(handlers) - 1
        assert logging.root.level == logging.WARNING
        logging.getLogger("uvicorn").warning("x")
        assert out.lines == []


def test_configuring_again_replaces_what_was(out: Output) -> None:
    configure("debug", "json", out.path)
    logging.getLogger("other").warning("once")
    log.info(Event.TaskCreated, "once")
    assert len(out.lines) == 2


def test_a_logger_made_before_configure_follows_it(out: Output) -> None:
    log.debug(Event.TaskCreated, "x")
    assert out.entry["message"] == "x"


def test_the_events_of_the_original_are_kept() -> None:
    original = [
        "TaskCreated",
        "TaskStarted",
        "TaskCompleted",
        "TaskFailed",
        "TaskQueued",
        "TaskDequeued",
        "ConcurrencyLimitReached",
        "BatchReceived",
        "BatchProcessed",
        "RecordsWritten",
        "FileCreated",
        "FileWritten",
        "FileFinalized",
        "FileClosed",
        "OSSUploadStarted",
        "OSSPartUploaded",
        "OSSUploadCompleted",
        "OSSUploadFailed",
        "TempFileCreated",
        "TempFileDeleted",
        "MemorySnapshot",
        "ValidationError",
        "StreamError",
        "WriteError",
        "UploadError",
        "SystemError",
        "StatusQueried",
        "StatusNotFound",
    ]
    assert [event.value for event in Event][: len(original)] == original
    assert all(event.name == event.value for event in Event)

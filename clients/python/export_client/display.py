"""What the command line prints: for people, or as JSON with `--json`."""

import dataclasses
import json
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from export_client.models import Progress, Task

_SHOWN = (
    *("task_id", "state", "position", "filename", "rows", "rows_per_second", "eta_seconds"),
    *("size_bytes", "sha256", "url", "url_expires_at"),
)

_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def show(value: Any, *, as_json: bool) -> None:
    """Print one answer: a task, another dataclass, or JSON of the server."""
    if as_json:
        sys.stdout.write(f"{_json(value)}\n")
    elif isinstance(value, Task):
        sys.stdout.write(_task_lines(value))
    else:
        sys.stdout.write(f"{_json(value, indent=2)}\n")


def show_row(task: Task, *, as_json: bool) -> None:
    """Print one task of a list in one line."""
    if as_json:
        sys.stdout.write(f"{_json(task)}\n")
    else:
        sys.stdout.write(f"{task.task_id}  {task.state:<10}  {task.rows:>12,}  {task.filename}\n")


def show_formats(formats: Any, *, as_json: bool) -> None:
    """Print each format with its options, their defaults and what they allow."""
    if as_json:
        show(formats, as_json=True)
        return
    for name, about in formats.items():
        sys.stdout.write(f"{name}\n")
        width = max(map(len, about["options"]), default=0)
        for key, option in about["options"].items():
            sys.stdout.write(
                f"  {key:<{width}} {_json(option['default']):<21} {_meaning(option)}\n"
            )


def complain(code: str, message: str) -> None:
    """Print an error in one line on standard error."""
    sentence = " ".join(message.split())
    sys.stderr.write(f"export-client: {code}: {sentence}\n")


def progress_text(progress: Progress) -> str:
    """How far an export is, in a few words."""
    if progress.position is not None:
        return f"waiting, {_ordinal(progress.position)} in line"
    text = f"{progress.state.lower()}: {progress.rows:,} rows, {progress.bytes / 1e6:,.1f} MB"
    if progress.rows_per_second is not None:
        text += f", {progress.rows_per_second:,.0f} rows/s"
    if progress.eta_seconds is not None:
        text += f", {_span(progress.eta_seconds)} left"
    return text


class ProgressLine:
    """One line on standard error that is written over; nothing unless it is a terminal."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        """Show how far the export is."""
        self._write(progress_text(progress))

    def clear(self) -> None:
        """Leave the terminal as it was."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._live:
            text = text[: shutil.get_terminal_size().columns - 1]  # what wraps is not written over
            end = "" if text else "\r"
            sys.stderr.write(f"\r{text:<{self._width}}{end}")
            sys.stderr.flush()
            self._width = len(text)


def _task_lines(task: Task) -> str:
    pairs = [(name, _text(getattr(task, name))) for name in _SHOWN]
    pairs += [("warning", f"{w.code}: {w.message} ({w.count:,})") for w in task.warnings]
    if task.error is not None:
        pairs.append(("error", f"{task.error.code}: {task.error.message}"))
    return "".join(f"{name:<15} {value}\n" for name, value in pairs if value is not None)


def _ordinal(number: int) -> str:
    teens = number // 10 % 10 == 1
    return f"{number:,}{'th' if teens else _ENDINGS.get(number % 10, 'th')}"


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _text(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else value


def _meaning(option: Mapping[str, Any]) -> str:
    choices = ", ".join(option.get("enum", ()))
    return f"{option['description']} ({choices})" if choices else str(option["description"])


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")

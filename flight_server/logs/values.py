"""Any value to a plain one: text, numbers, flags, lists and dictionaries of a bounded size."""

import math
import reprlib
from collections.abc import Mapping, Set
from datetime import date, time, timedelta
from enum import Enum
from itertools import islice
from typing import Final, TypeAlias

Plain: TypeAlias = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

MAX_TEXT: Final = 16_384
"""Characters: no value floods the log."""

_MAX_DEPTH: Final = 4
_MAX_ITEMS: Final = 100
_MAX_INTEGER: Final = 2**63
"""Larger ones lose digits in many a reader, and Python refuses to write very large ones."""


def plain(value: object, depth: int = 0) -> Plain:
    """Return `value` as JSON can hold it. Never raises, even when the value itself does."""
    try:
        return _container(value, depth) if depth < _MAX_DEPTH else _leaf(value)
    except Exception:  # noqa: BLE001 - the repr of a foreign object may do anything
        return f"<{type(value).__name__} that cannot be shown>"


def text(value: str) -> str:
    """Return `value` without lone surrogates, which no encoding has, and not too long."""
    if len(value) > MAX_TEXT:
        value = value[: MAX_TEXT - 1] + "…"
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")


def _container(value: object, depth: int) -> Plain:
    if isinstance(value, Mapping):
        items = islice(value.items(), _MAX_ITEMS)
        return {_key(key): plain(item, depth + 1) for key, item in items}
    if isinstance(value, list | tuple | Set):
        return [plain(item, depth + 1) for item in islice(value, _MAX_ITEMS)]
    return _leaf(value)


def _key(key: object) -> str:
    return text(key) if isinstance(key, str) else text(str(key))


def _leaf(value: object) -> Plain:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int | float):
        return _number(value)
    return text(_described(value))


def _number(value: float) -> Plain:
    if isinstance(value, int):
        return value if abs(value) < _MAX_INTEGER else text(hex(value))
    return value if math.isfinite(value) else str(value)


def _described(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value[:MAX_TEXT].decode("utf-8", "backslashreplace")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, Mapping | list | tuple | Set):
        return reprlib.repr(value)
    return str(value)

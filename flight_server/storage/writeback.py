"""Starts writing a growing file to its disk, so that the final fsync finds little left to do."""

import ctypes
from collections.abc import Callable
from typing import Final

_START: Final = 2
"""SYNC_FILE_RANGE_WRITE: begin to write dirty pages and wait for nothing (sync_file_range(2))."""

WRITEBACK_BYTES: Final = 8 * 1024 * 1024
"""How much is written between two starts."""


def _find_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """The system call of Linux; other systems have none."""
    try:
        call = ctypes.CDLL(None).sync_file_range
    except AttributeError:
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return call


_SYNC_FILE_RANGE: Final = _find_sync_file_range()


class Writeback:
    """Follows one file that is appended to. Only a hint: fsync remains what makes it durable."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._started = 0

    def grown(self, size: int) -> None:
        """Tell that the file is `size` bytes long now."""
        if _SYNC_FILE_RANGE is None or size - self._started < WRITEBACK_BYTES:
            return
        # Its error, if any, comes again from fsync, which is checked.
        _SYNC_FILE_RANGE(self._descriptor, self._started, size - self._started, _START)
        self._started = size

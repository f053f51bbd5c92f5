"""Giving memory back to the system when an export has ended."""

import ctypes
import traceback
from collections.abc import Callable
from typing import Final

import pyarrow as pa


def _find_trim() -> Callable[[int], int] | None:
    """The `malloc_trim` of glibc; other C libraries have none."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return None
    return trim


_TRIM: Final = _find_trim()


def let_go(error: BaseException) -> None:
    """Drop what the functions held that `error` has ended, and those that its causes have.

    An error keeps their variables for as long as it lives, and so the batch that it is about: a
    stream that is refused would hold its memory until the collector comes by.
    """
    known: BaseException | None = error
    done: set[int] = set()  # an error that is raised from itself is among its causes
    while known is not None and id(known) not in done:
        traceback.clear_frames(known.__traceback__)
        done.add(id(known))
        known = known.__cause__ or known.__context__


def release_memory() -> None:
    """Return what Arrow's pool and the C heap hold unused.

    Flight's buffers come from gRPC's heap, outside Arrow's pool: without the trim the process
    keeps the size of its largest moment.
    """
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)

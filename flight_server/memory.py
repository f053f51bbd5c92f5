"""What memory the process holds, and giving it back to the system when an export has ended."""

import ctypes
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from flight_server.metrics import resident_bytes


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
    cleared: list[BaseException] = []
    known: BaseException | None = error
    # One that was translated to itself is its own cause.
    while known is not None and known not in cleared:
        traceback.clear_frames(known.__traceback__)
        cleared.append(known)
        known = known.__cause__ or known.__context__


def release_memory() -> None:
    """Return what Arrow's pool and the C heap hold unused.

    Flight's buffers come from gRPC's heap, outside Arrow's pool: without the trim the process
    keeps the size of its largest moment.
    """
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that the process holds."""

    resident: int
    arrow: int
    """Those that Arrow's pool has given out."""


def memory_held() -> Held:
    """What it is now."""
    return Held(resident_bytes(), pa.default_memory_pool().bytes_allocated())

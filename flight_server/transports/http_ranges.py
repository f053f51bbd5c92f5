"""Which bytes of a file a Range header asks for (RFC 9110, section 14).

A header that is malformed, of another unit, or of absurdly many ranges is ignored and the whole
file is sent, as the RFC says; Starlette would answer 400.
"""

import re
from typing import Final

MAX_RANGES: Final = 16
"""More in one request are an attack or a mistake; download managers ask for one."""

_DIGITS: Final = "[0-9]{1,18}"  # eighteen digits stay below 2**63
_SPEC: Final = re.compile(rf"(?P<first>{_DIGITS})-(?P<last>{_DIGITS})?|-(?P<suffix>{_DIGITS})")


class UnsatisfiableRange(Exception):
    """No byte of the file is in any of the ranges."""


def satisfiable_ranges(header: str, size: int) -> list[tuple[int, int]]:
    """The first and last byte of each range that the file of `size` bytes has; [] to ignore it.

    Raises:
        UnsatisfiableRange: the header is well formed and none of its ranges holds a byte.

    """
    unit, _, specs = header.partition("=")
    parts = [part.strip(" \t") for part in specs.split(",")]
    matches = [match for part in parts if (match := _SPEC.fullmatch(part))]
    if unit.strip().lower() != "bytes" or len(matches) < len(parts) or len(parts) > MAX_RANGES:
        return []
    ranges = []
    for match in matches:
        first, last = _bounds(match, size)
        if match["last"] and int(match["last"]) < int(match["first"]):
            return []
        if first <= last:
            ranges.append((first, last))
    if not ranges:
        raise UnsatisfiableRange(f"the file has {size} bytes")
    return ranges


def _bounds(match: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte, cut at the end of the file; the first is behind the last when none."""
    if match["suffix"]:
        return max(size - int(match["suffix"]), 0), size - 1
    last = int(match["last"]) if match["last"] else size
    return int(match["first"]), min(last, size - 1)

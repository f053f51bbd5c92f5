"""Hints for people who mistyped a name."""

import difflib
from collections.abc import Sequence


def closest(name: str, known: Sequence[str]) -> str:
    """A hint that ends a message about an unknown `name`, or nothing when none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

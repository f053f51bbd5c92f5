"""Words for people who mistyped something."""

import difflib
from collections.abc import Sequence
from typing import Final

from pydantic_core import ErrorDetails

SHOWN_VALUE: Final = 60
"""Characters of a wrong value that a message repeats."""


def closest(name: str, known: Sequence[str]) -> str:
    """A hint that ends a message about an unknown `name`, or nothing when none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def refusal(key: str, error: ErrorDetails) -> str:
    """One sentence for a value that validation refused: the key, the value, what is right."""
    reason = error["msg"]
    if "ctx" in error and "error" in error["ctx"]:
        reason = str(error["ctx"]["error"])
    elif reason:
        reason = reason[0].lower() + reason[1:]
    return f"{key}: {repr(error['input'])[:SHOWN_VALUE]} is not allowed; {reason}"

"""Where a refused text stands, in words."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa

from exporters.text_bytes import Mask

Where = Callable[[int], str]
"""Says where the cell in a row of the block is, before any quotes of its text."""

_SHOWN: Final = 40
"""Characters of a text that a message repeats."""


def in_column(header: str, first_row: int) -> Where:
    """Of a column whose block begins after `first_row` rows of the export."""
    return lambda row: f"column {header!r}, row {first_row + row + 1}"


def in_header(_row: int) -> str:
    """Of the line of names."""
    return "the header"


def first_of(mask: Mask, texts: pa.Array, where: Where) -> str:
    """Where the first text in `mask` stands, and what it is."""
    row = int(np.argmax(mask))
    text = texts[row].as_py()
    shown = text if text is None or len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{where(row)}: {'null' if shown is None else repr(shown)}"

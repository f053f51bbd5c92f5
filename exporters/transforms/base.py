"""The contracts of what is done to a column, the same for every format.

Nothing here knows of a stream or a file: who selects columns decodes them, applies a transform and
counts its size.
"""

from abc import ABC, abstractmethod

import pyarrow as pa

TEXT = pa.large_string()
"""What a transform makes of any column: its texts may be longer than those that came."""


PLACE = 8
"""Bytes that say where such a text begins."""


class Transform(ABC):
    """Makes a text of each value of a column; a null stays null. Used by several threads."""

    @property
    @abstractmethod
    def growth(self) -> int:
        """Bytes that a text has at most beyond those of the value's own text."""

    @abstractmethod
    def apply(self, texts: pa.Array) -> pa.Array:
        """What becomes of `texts`, the values' own as `large_string`, of the same type."""


class Generated(ABC):
    """A column that the stream does not have. Used by several threads."""

    type: pa.DataType

    @property
    @abstractmethod
    def width(self) -> int:
        """Bytes that a value has at most."""

    @abstractmethod
    def make(self, rows: int, first_row: int) -> pa.Array:
        """The values of `rows` rows, before which the export has `first_row`."""

"""Columns that the stream does not have: the same value in every row, and the rows' numbers."""

import numpy as np
import pyarrow as pa

from exporters.casts import ColumnType, cast_type, cast_values
from exporters.errors import InvalidData, InvalidOptions
from exporters.transforms.base import PLACE, TEXT, Generated

_NUMBER_WIDTH = 20
"""Digits of the longest whole number with its sign."""


class Constant(Generated):
    """One value for all rows, as the kind that is asked for.

    Raises `InvalidOptions` for a value that is not of that kind.
    """

    def __init__(
        self, value: str | float | bool, wanted: ColumnType | None = None, column: str = ""
    ) -> None:
        values = pa.array([value], TEXT if isinstance(value, str) else None)
        if wanted is not None:
            target = cast_type(values.type, wanted, column)
            try:
                values = cast_values(values, target, column)
            except InvalidData as error:
                raise InvalidOptions(f"columns: {error}") from None
        self.type = values.type
        self._value = values[0]
        self._width = PLACE + (len(value.encode()) if isinstance(value, str) else _NUMBER_WIDTH)

    @property
    def width(self) -> int:
        return self._width

    def make(self, rows: int, first_row: int) -> pa.Array:  # noqa: ARG002
        return pa.repeat(self._value, rows)


class RowNumbers(Generated):
    """The number of each row in the export, the first of which is `start`.

    Raises `InvalidOptions` where they shall be neither numbers nor texts.
    """

    width = PLACE + _NUMBER_WIDTH

    def __init__(self, start: int = 1, wanted: ColumnType | None = None, column: str = "") -> None:
        if wanted not in (None, "number", "string"):
            message = f"columns: {column!r} has row numbers, which cannot be a {wanted}"
            raise InvalidOptions(f"{message}; use 'number' or 'string'")
        self._start = start
        self.type = TEXT if wanted == "string" else pa.int64()

    def make(self, rows: int, first_row: int) -> pa.Array:
        first = self._start + first_row
        return pa.array(np.arange(first, first + rows)).cast(self.type)

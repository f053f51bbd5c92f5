"""Where the values of a column of the file come from, and what is done to them on the way."""

from abc import ABC, abstractmethod
from typing import Final

import pyarrow as pa

from exporters.asked import ColumnOptions
from exporters.calendars import check_calendar, has_calendar
from exporters.casts import cast_type, cast_values
from exporters.errors import InvalidData, InvalidSchema, LimitExceeded, UnsupportedType
from exporters.fates import (
    SUPPORTED_TYPES,
    canonical_type,
    converter,
    is_spelled,
    is_text,
    plain_type,
)
from exporters.sizes import decoded_size, text_size
from exporters.transforms.base import PLACE, TEXT, Generated
from exporters.transforms.choosing import transform_for
from exporters.value_texts import value_texts

_SHOWN_TYPE: Final = 80
"""Characters of a type that a message repeats."""


class Origin(ABC):
    """The values of one column. Used by several threads."""

    type: pa.DataType
    """Canonical, of the file's column."""

    @abstractmethod
    def values(self, batch: pa.RecordBatch, first_row: int) -> pa.Array:
        """The values of the rows of `batch`, before which the export has `first_row`.

        Raises `InvalidData` and `LimitExceeded`.
        """

    @abstractmethod
    def size(self, batch: pa.RecordBatch) -> int:
        """Bytes that those values have at most."""


class FromStream(Origin):
    """The column at `index` of the stream.

    Raises `UnsupportedType` and `InvalidSchema` for a type that has no fate, `InvalidOptions` for
    one that cannot be what is asked of it.
    """

    def __init__(self, schema: pa.Schema, index: int, asked: ColumnOptions) -> None:
        kind = schema.field(index).type
        self.index = index
        self.type = fate(schema.field(index).name, kind)
        self.is_foreign = is_text(self.type)
        """Whether the values came as texts, or as what only a text can show."""
        self._label = asked.label
        self._convert = converter(kind)
        self._has_calendar = has_calendar(self.type)
        self._transform = transform_for(asked, kind)
        self._is_cast = asked.type is not None and not asked.lenient
        if self._transform is not None:
            self.type = TEXT
        elif asked.type is not None and not asked.lenient:
            plain = plain_type(kind)
            # What is spelled is no text that could be read as a number or a date.
            spelled = plain if is_spelled(plain) else self.type
            self.type = cast_type(spelled, asked.type, schema.field(index).name)

    @property
    def is_transformed(self) -> bool:
        """Whether the values are others than those that came."""
        return self._transform is not None

    def values(self, batch: pa.RecordBatch, first_row: int) -> pa.Array:  # noqa: ARG002
        array = self._canonical(batch.column(self.index))
        if self._transform is not None:
            return self._transform.apply(value_texts(array))
        return cast_values(array, self.type, self._label) if self._is_cast else array

    def size(self, batch: pa.RecordBatch) -> int:
        array = batch.column(self.index)
        if self._transform is None:
            return decoded_size(array)
        return text_size(array) + len(array) * (PLACE + self._transform.growth)

    def _canonical(self, array: pa.Array) -> pa.Array:
        try:
            array = self._convert(array) if self._convert else array
            if self._has_calendar:
                check_calendar(array)
        except InvalidData as error:
            raise InvalidData(f"column {self._label!r} {error}") from None
        except pa.ArrowCapacityError as error:
            raise LimitExceeded(
                f"column {self._label!r} holds values of over 2 GiB of text; send them in more rows"
            ) from error
        return array


class MadeHere(Origin):
    """A column that the stream does not have."""

    def __init__(self, generated: Generated) -> None:
        self.type = generated.type
        self._generated = generated

    def values(self, batch: pa.RecordBatch, first_row: int) -> pa.Array:
        return self._generated.make(batch.num_rows, first_row)

    def size(self, batch: pa.RecordBatch) -> int:
        return int(batch.num_rows) * self._generated.width


def fate(name: str, kind: pa.DataType) -> pa.DataType:
    """The canonical type of the column `name`.

    Raises `UnsupportedType` for a type that has none, and `InvalidSchema` for an unknown zone.
    """
    try:
        return canonical_type(kind)
    except UnsupportedType as error:
        raise unsupported(name, kind, str(error)) from None
    except ValueError as error:
        raise InvalidSchema(f"column {name!r}: {error}") from None


def unsupported(name: str, kind: pa.DataType, reason: str) -> UnsupportedType:
    """What to say of a column that cannot be written; `reason` goes on from `which`."""
    text = str(kind)
    short = text if len(text) <= _SHOWN_TYPE else f"{text[: _SHOWN_TYPE - 1]}…"
    return UnsupportedType(
        f"column {name!r} is {short}, which {reason}; supported: {SUPPORTED_TYPES}"
    )

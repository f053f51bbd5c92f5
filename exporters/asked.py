"""What a caller asks of one column, in any format: an entry of `columns`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from exporters.casts import ColumnType
from exporters.errors import InvalidOptions
from exporters.hints import SHOWN_VALUE, closest

MaskName = Literal["email", "hash", "last4", "phone", "redact"]

MAX_TEXT: Final = 32_767
"""Characters of a constant or of a word in a map: what a cell of Excel takes."""

MAX_WORDS: Final = 10_000
"""Entries of a map; more are a column to join before the export."""

MAX_FIRST_NUMBER: Final = 10**15
"""Of row numbers; no count of rows leads from there out of 64 bits."""

_LEAST_WHOLE: Final = -(2**63)
_MOST_WHOLE: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """One column of the file; `format` is in the notation of the file's format.

    Its values come from the stream's column `name`, or are the constant `value`, or the numbers of
    the rows from `row_number` (True: from 1). Those of the stream may be masked by `mask`, where a
    hash needs the secret `mask_key`, or written in the words of `map`, with `otherwise` for values
    that it lacks.

    Raises `InvalidOptions` for what makes no sense whatever the stream holds.
    """

    name: str | None = None
    header: str | None = None
    width: float | None = None
    format: str | None = None
    type: ColumnType | None = None
    mask: MaskName | None = None
    map: Mapping[str, str] | None = None
    otherwise: str | None = None
    value: str | float | bool | None = None
    row_number: int | bool | None = None
    lenient: bool = False
    """Of texts: those that are not of the `type` stay texts.

    For callers who have nothing but texts. `format` is then taken as `reading_of` takes it, and
    headers may repeat. Only `xlsx` makes cells of what is read; elsewhere texts stay as they are.
    """
    mask_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._check_origin()
        self._check_mask()
        self._check_map()
        self._check_value()
        self._check_row_number()

    @property
    def label(self) -> str:
        """The header, which is the stream's name where none was given."""
        return (self.name or "") if self.header is None else self.header

    def _check_origin(self) -> None:
        given = [key for key in ("name", "value", "row_number") if getattr(self, key) is not None]
        if not given:
            raise self._refusal("has no 'name', 'value' or 'row_number'; give one of them")
        if len(given) > 1:
            both = " and ".join(map(repr, given))
            raise self._refusal(f"has {both}, which exclude each other; give one of them")
        if self.name is None and self.header is None:
            raise self._refusal(f"has a {given[0]!r} and no 'header'; give it one")
        done = next((key for key in ("mask", "map") if getattr(self, key) is not None), None)
        if self.name is None and done is not None:
            message = f"has {given[0]!r} and {done!r}; only columns of the stream have a {done}"
            raise self._refusal(message)

    def _check_mask(self) -> None:
        if self.mask is None:
            return
        known = get_args(MaskName)
        if self.mask not in known:
            hint = closest(str(self.mask), known)
            message = f"has the mask {repr(self.mask)[:SHOWN_VALUE]}, which there is not{hint}"
            raise self._refusal(f"{message}; available: {', '.join(known)}")
        self._check_alone("mask", "map", "type")

    def _check_map(self) -> None:
        if self.map is None:
            if self.otherwise is not None:
                raise self._refusal("has 'otherwise' without a 'map'; give both")
            return
        self._check_alone("map", "type")
        if not isinstance(self.map, Mapping) or not 1 <= len(self.map) <= MAX_WORDS:
            raise self._refusal(f"has a 'map' that is not of 1 to {MAX_WORDS:,} texts to texts")
        for text in (*self.map, *self.map.values(), self.otherwise or ""):
            self._check_text("map", text)

    def _check_alone(self, key: str, *others: str) -> None:
        other = next((each for each in others if getattr(self, each) is not None), None)
        if other is not None:
            raise self._refusal(f"has {key!r} and {other!r}, which exclude each other; give one")

    def _check_text(self, key: str, text: object) -> None:
        if not isinstance(text, str):
            shown = repr(text)[:SHOWN_VALUE]
            raise self._refusal(f"has {shown} in its {key!r}; texts only, also for numbers: '1'")
        if len(text) > MAX_TEXT:
            message = f"has a text of {len(text):,} characters in its {key!r}"
            raise self._refusal(f"{message}; at most {MAX_TEXT:,}")

    def _check_value(self) -> None:
        value = self.value
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, str):
            self._check_text("value", value)
        elif not isinstance(value, int | float):
            shown = repr(value)[:SHOWN_VALUE]
            raise self._refusal(f"has the value {shown}; use a text, a number, true or false")
        elif isinstance(value, int) and not _LEAST_WHOLE <= value <= _MOST_WHOLE:
            raise self._refusal("has a value of more than 64 bits; give it as a text")
        elif not math.isfinite(value):
            raise self._refusal(f"has the value {value}; use a finite number")

    def _check_row_number(self) -> None:
        number = self.row_number
        if number is None or number is True:
            return
        if not isinstance(number, int) or number is False or not 0 <= number <= MAX_FIRST_NUMBER:
            message = f"has the row_number {repr(number)[:SHOWN_VALUE]}"
            raise self._refusal(f"{message}; use true or the first number, from 0 to 10^15")

    def _refusal(self, message: str) -> InvalidOptions:
        label = repr(self.label)[:SHOWN_VALUE] if self.label else "an entry"
        return InvalidOptions(f"columns: {label} {message}")

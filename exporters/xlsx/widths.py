"""Column widths, estimated from the first block: a file for people shows its values, not ####."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.columns import Column
from exporters.number_formats import shown_code, shows_time
from exporters.options import XlsxOptions
from exporters.xlsx.shell import GENERAL, default_format

PADDING: Final = 2.0
WIDEST: Final = 60.0
"""Characters; longer texts run on or are cut by Excel's display, as people expect of a table."""

_NUMBER_WIDTH: Final = 17
"""Digits of the longest float, with sign and point, that General shows."""


def estimated_widths(
    columns: Sequence[Column], options: XlsxOptions, sample: pa.RecordBatch | None
) -> tuple[float | None, ...]:
    """A width for each column in characters; None leaves Excel's default."""
    return tuple(
        column.width
        if column.width is not None
        else _estimated(column, options, None if sample is None else sample.column(place))
        for place, column in enumerate(columns)
    )


def _estimated(column: Column, options: XlsxOptions, values: pa.Array | None) -> float | None:
    if options.column_widths == "none":
        return None
    shown = 0 if values is None else _longest(column, options, values)
    # Filter buttons cover about three characters of the header.
    header = _display_length(column.header) + (3 if options.autofilter else 0)
    return min(max(shown, header) + PADDING, WIDEST)


def _display_length(text: str) -> float:
    """Characters as Excel's width counts them; a CJK character (3 bytes of UTF-8) takes two."""
    return (len(text) + len(text.encode(errors="replace"))) / 2


def _longest(column: Column, options: XlsxOptions, values: pa.Array) -> float:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        characters, octets = pc.utf8_length(values), pc.binary_length(values)
        return (pc.max(pc.add(characters, octets)).as_py() or 0) / 2
    if pa.types.is_boolean(kind):
        return len("FALSE")
    code = shown_code(column.format or default_format(kind, options))
    if code == GENERAL:
        return min(_number_length(values), _NUMBER_WIDTH)
    if pa.types.is_temporal(kind) or shows_time(code):
        return len(code)
    return _formatted_length(code, values)


def _formatted_length(code: str, numbers: pa.Array) -> int:
    """The digits before the point, with commas, and as many characters behind it as `code` has."""
    found = pc.min_max(numbers).as_py().values()
    digits = max((len(f"{number:,.0f}") for number in found if number is not None), default=0)
    positive = code.partition(";")[0]
    return max(len(positive), digits + len("".join(positive.partition(".")[1:])))


def _number_length(values: pa.Array) -> int:
    return pc.max(pc.binary_length(pc.cast(values, pa.string()))).as_py() or 0

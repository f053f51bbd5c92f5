"""Column widths, estimated from the first block: a file for people shows its values, not ####."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.columns import Column
from exporters.number_formats import shown_code, shows_time
from exporters.xlsx.layout import Layout
from exporters.xlsx.looks import GENERAL, number_format

PADDING: Final = 2.0
WIDEST: Final = 60.0
"""Characters; longer texts run on or are cut by Excel's display, as people expect of a table."""

_NUMBER_WIDTH: Final = 17
"""Digits of the longest float, with sign and point, that General shows."""


_FORMULA_WIDTH: Final = 12
"""Characters for numbers that nobody has calculated yet."""


def estimated_widths(layout: Layout, sample: pa.RecordBatch | None) -> tuple[float | None, ...]:
    """A width for each column in characters; None leaves Excel's default."""
    asked = [
        *(column.width for column in layout.columns),
        *(formula.width for formula in layout.formulas),
    ]
    return tuple(
        _estimated(layout, place, sample) if width is None else width
        for place, width in enumerate(asked)
    )


def _estimated(layout: Layout, place: int, sample: pa.RecordBatch | None) -> float | None:
    if layout.options.column_widths == "none":
        return None
    # Filter buttons cover about three characters of the header.
    header = _display_length(layout.headers[place]) + (3 if layout.options.autofilter else 0)
    shown = max(header, _value_width(layout, place, sample), _total_width(layout, place))
    return min(shown + PADDING, WIDEST)


def _value_width(layout: Layout, place: int, sample: pa.RecordBatch | None) -> float:
    if layout.is_formula(place):
        return _FORMULA_WIDTH
    if sample is None:
        return 0
    return _longest(layout.columns[place], number_format(layout, place), sample.column(place))


def _total_width(layout: Layout, place: int) -> float:
    """A sum is wider than what it adds up."""
    return _FORMULA_WIDTH if layout.totals.get(place) == "sum" else 0


def _display_length(text: str) -> float:
    """Characters as Excel's width counts them; a CJK character (3 bytes of UTF-8) takes two."""
    return (len(text) + len(text.encode(errors="replace"))) / 2


def _longest(column: Column, code: str, values: pa.Array) -> float:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        characters, octets = pc.utf8_length(values), pc.binary_length(values)
        longest = (pc.max(pc.add(characters, octets)).as_py() or 0) / 2
        # Moments may be written shorter than they are shown.
        return max(longest, len(shown_code(code))) if _is_date(column) else longest
    if pa.types.is_boolean(kind):
        return len("FALSE")
    code = shown_code(code)
    if code == GENERAL:
        return min(_number_length(values), _NUMBER_WIDTH)
    if pa.types.is_temporal(kind) or shows_time(code):
        return len(code)
    return _formatted_length(code, values)


def _is_date(column: Column) -> bool:
    return column.reading is not None and column.reading.type == "date"


def _formatted_length(code: str, numbers: pa.Array) -> int:
    """The digits before the point, with commas, and as many characters behind it as `code` has."""
    found = pc.min_max(numbers).as_py().values()
    digits = max((len(f"{number:,.0f}") for number in found if number is not None), default=0)
    positive = code.partition(";")[0]
    return max(len(positive), digits + len("".join(positive.partition(".")[1:])))


def _number_length(values: pa.Array) -> int:
    return pc.max(pc.binary_length(pc.cast(values, pa.string()))).as_py() or 0

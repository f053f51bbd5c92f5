"""Which writer makes the cells of a column: by its type, and by what is asked of it."""

from typing import Final

import pyarrow as pa

from exporters.xlsx.cells import (
    BooleanCells,
    CellWriter,
    DecimalCells,
    FloatCells,
    IntegerCells,
    SingleCells,
)
from exporters.xlsx.layout import Layout
from exporters.xlsx.links import LinkCells, mask_name
from exporters.xlsx.options import XlsxOptions
from exporters.xlsx.readings import reading_writer
from exporters.xlsx.shell import Shell
from exporters.xlsx.temporal import DateCells, DurationCells, TimeCells, TimestampCells
from exporters.xlsx.texts import TextCells
from exporters.xlsx.wide_decimals import WideDecimalCells


def cell_writers(layout: Layout, shell: Shell) -> list[CellWriter]:
    """The writers of the stream's columns."""
    return [
        LinkCells(TextCells(0), TextCells(shell.styles[place]), mask_name(place))
        if place in layout.links
        else reading_writer(column.reading, shell, place, layout.options)
        if column.reading is not None
        else cell_writer(column.type, shell.styles[place], layout.options)
        for place, column in enumerate(layout.columns)
    ]


def cell_writer(kind: pa.DataType, style: int, options: XlsxOptions) -> CellWriter:
    """The writer for a canonical type."""
    types = pa.types
    long_as_text = options.long_numbers == "text"
    if types.is_timestamp(kind):
        zone = kind.tz and (options.timezone or kind.tz)
        return TimestampCells(style, _polars_unit(kind), zone)
    if types.is_duration(kind):
        return DurationCells(style, _polars_unit(kind))
    if types.is_integer(kind):
        return IntegerCells(style, long_as_text)
    if types.is_decimal256(kind):
        return WideDecimalCells(style, long_as_text)
    if types.is_decimal(kind):
        return DecimalCells(style, long_as_text)
    return next(make(style) for is_kind, make in _SIMPLE_WRITERS if is_kind(kind))


_SIMPLE_WRITERS: Final = (
    (pa.types.is_boolean, BooleanCells),
    (pa.types.is_float32, SingleCells),
    (pa.types.is_floating, FloatCells),
    (pa.types.is_date, DateCells),
    (pa.types.is_time, TimeCells),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind), TextCells),
)


def _polars_unit(kind: pa.DataType) -> str:
    """The unit that polars gives a timestamp or duration: it has no seconds."""
    return "ms" if kind.unit == "s" else str(kind.unit)

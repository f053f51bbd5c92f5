"""What each column's values are as text, before quotes."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from exporters.calendar_texts import date_texts, timestamp_texts
from exporters.columns import Column
from exporters.csv.number_texts import boolean_texts, float_texts, with_comma
from exporters.csv.options import CsvOptions
from exporters.csv.patterns import check_pattern, in_pattern
from exporters.decimals import decimal_texts
from exporters.durations import texts_of
from exporters.fates import is_text
from exporters.sizes import widest

_WIDEST_DIRECTIVE = len("-28030-01-01T00:00:00.000000000+00:00")
"""Bytes of what `%+` becomes."""

Spell = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True, slots=True)
class Cells:
    """How a column is written."""

    header: str
    spell: Spell
    """Canonical values to `string` or `large_string`."""
    is_text: bool
    """Whether `strings` quotes it: it is no number, boolean or time as databases write them."""
    is_foreign: bool
    """Whether the texts are the sender's own and may hold anything."""
    width: int
    """Bytes of the longest text; 0 where the values are texts, which have lengths of their own."""


def cells_of(column: Column, options: CsvOptions) -> Cells:
    """How the values of a column are written.

    Raises `InvalidOptions` for a format that the column cannot be shown in.
    """
    pattern = _pattern(column, options)
    text = is_text(column.type)
    spell = _speller(column.type, pattern, options)
    as_text = text or pattern is not None or pa.types.is_duration(column.type)
    width = 0 if text else _width(column.type, pattern, options)
    return Cells(column.header, spell, as_text, text and column.is_foreign, width)


def name_cells(header: str) -> Cells:
    """How the name of a column is written."""
    return Cells(header, _as_it_is, is_text=True, is_foreign=True, width=0)


def _as_it_is(texts: pa.Array) -> pa.Array:
    return texts


def _pattern(column: Column, options: CsvOptions) -> str | None:
    if column.format is not None:
        check_pattern(column, column.format, "columns")
        return column.format
    if pa.types.is_date(column.type) and options.date_format is not None:
        check_pattern(column, options.date_format, "options.date_format")
        return options.date_format
    if pa.types.is_timestamp(column.type) and options.datetime_format is not None:
        check_pattern(column, options.datetime_format, "options.datetime_format")
        return options.datetime_format
    return None


def _speller(kind: pa.DataType, pattern: str | None, options: CsvOptions) -> Spell:
    types = pa.types
    if is_text(kind):
        return _as_it_is
    if types.is_timestamp(kind):
        spell = _patterned(pattern) or timestamp_texts
        return _in_zone(spell, kind, options.timezone)
    if types.is_date(kind):
        return _patterned(pattern) or date_texts
    if types.is_boolean(kind):
        words = pa.array([options.false, options.true])
        return lambda booleans: boolean_texts(booleans, words)
    if types.is_duration(kind):
        return texts_of
    if types.is_floating(kind):
        return _pointed(float_texts, options)
    if types.is_decimal(kind):
        return _pointed(decimal_texts, options)
    return lambda array: pc.cast(array, pa.string())


def _width(kind: pa.DataType, pattern: str | None, options: CsvOptions) -> int:
    if pattern is not None:
        return len(pattern.encode()) + pattern.count("%") * _WIDEST_DIRECTIVE
    if pa.types.is_boolean(kind):
        return max(len(options.true.encode()), len(options.false.encode()))
    return widest(kind)


def _patterned(pattern: str | None) -> Spell | None:
    return functools.partial(in_pattern, pattern=pattern) if pattern is not None else None


def _in_zone(spell: Spell, kind: pa.DataType, zone: str | None) -> Spell:
    """Zoned timestamps by another clock; naive ones have none."""
    if zone is None or kind.tz is None:
        return spell
    shown = pa.timestamp(kind.unit, zone)
    return lambda stamps: spell(stamps.cast(shown))


def _pointed(spell: Spell, options: CsvOptions) -> Spell:
    return spell if options.decimal == "." else lambda numbers: with_comma(spell(numbers))

"""The text of a value: what keys of maps and of `sheet_names` are compared with."""

import pyarrow as pa
import pyarrow.compute as pc

from exporters.calendar_texts import timestamp_texts
from exporters.decimals import decimal_texts
from exporters.durations import texts_of


def value_texts(array: pa.Array) -> pa.Array:
    """Values of a canonical type as `large_string`: `true`, `-1`, `12.50`, `2024-02-29`."""
    if pa.types.is_duration(array.type):
        array = texts_of(array)
    elif pa.types.is_decimal(array.type):
        array = decimal_texts(array)
    elif pa.types.is_timestamp(array.type):
        array = timestamp_texts(array)
    return pc.cast(array, pa.large_string())

"""What becomes of each Arrow type in Parquet, which has not all of them."""

import pyarrow as pa

from exporters.encodings import is_extension
from exporters.errors import UnsupportedType
from exporters.fates import canonical_type
from exporters.layouts import plain_layout
from exporters.nesting import children, is_nested


def parquet_type(kind: pa.DataType) -> pa.DataType:
    """The type in which values of `kind` are stored; one that Parquet has needs no other.

    Raises `UnsupportedType` for structs without fields and for maps whose keys are all null.
    """
    stored = plain_layout(kind, _leaf)
    _check_fields(stored)
    return stored


def _check_fields(kind: pa.DataType) -> None:
    if is_extension(kind):
        kind = kind.storage_type
    if pa.types.is_struct(kind) and not kind.num_fields:
        raise UnsupportedType("Parquet cannot hold without a field in each struct")
    if pa.types.is_map(kind) and pa.types.is_null(kind.key_type):
        raise UnsupportedType("Parquet cannot hold because keys of maps are never null there")
    if is_nested(kind):
        for child in children(kind):
            _check_fields(child)


def _leaf(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_interval(kind):
        return pa.string()
    if types.is_decimal(kind) and not 0 <= kind.scale <= kind.precision:
        return canonical_type(kind)
    if types.is_fixed_size_binary(kind) and kind.byte_width == 0:
        return pa.binary()
    if types.is_date64(kind):
        return pa.date32()
    if types.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    return pa.time32("ms") if types.is_time32(kind) else kind

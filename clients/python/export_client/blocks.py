"""Batches cut to blocks that fit one message each.

A block is a view of its batch, so cutting costs no memory; only string views are copied, one
step of at most `MAX_ROWS` rows at a time.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

from export_client.errors import IncompleteExport

MAX_ROWS: Final = 16_384
MAX_BYTES: Final = 4 * 1024 * 1024
"""Bytes on the wire. A single row may be larger; it cannot be cut."""


def wire_schema(schema: pa.Schema) -> pa.Schema:
    """`schema` without string and binary views.

    A sliced view array is sent with all the data of the array it was cut from (measured on
    pyarrow 26, which polars frames reach as views: each block carried the whole frame).
    """
    return pa.schema([f.with_type(_without_views(f.type)) for f in schema], schema.metadata)


def _without_views(kind: pa.DataType) -> pa.DataType:
    """`kind`, with views replaced; a dictionary is not cut, so its values may stay views."""
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_without_views(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_without_views(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_views(field.type)) for field in kind])
    return kind


def cut(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Non-empty blocks of `schema` (see `wire_schema`), of at most MAX_ROWS and MAX_BYTES."""
    for batch in batches:
        as_it_is = batch.schema.equals(schema)
        for offset in range(0, batch.num_rows, MAX_ROWS):
            step = batch.slice(offset, MAX_ROWS)
            yield from _halved(step if as_it_is else step.cast(schema))


def _halved(block: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """`block` in parts within MAX_BYTES.

    The size is that of the message, without dictionaries, which are sent once for all blocks;
    computing it writes nothing (2 µs for 160,000 cells).
    """
    if block.num_rows <= 1 or pa.ipc.get_record_batch_size(block) <= MAX_BYTES:
        yield block
        return
    half = block.num_rows // 2
    yield from _halved(block.slice(0, half))
    yield from _halved(block.slice(half))


def counted(blocks: Iterable[pa.RecordBatch], rows: int | None) -> Iterator[pa.RecordBatch]:
    """`blocks`, which must have `rows` rows in all when that is declared.

    Raises:
        IncompleteExport: there are fewer or more rows; more are noticed before the block that
            exceeds the number is given out.

    """
    seen = 0
    for block in blocks:
        seen += block.num_rows
        if rows is not None and seen > rows:
            raise _mismatch(rows, f"at least {seen}")
        yield block
    if rows is not None and seen < rows:
        raise _mismatch(rows, str(seen))


def _mismatch(rows: int, seen: str) -> IncompleteExport:
    message = f"rows={rows} were declared, but the data has {seen}"
    return IncompleteExport("ROW_COUNT_MISMATCH", message, retryable=True)

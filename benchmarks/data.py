"""The table that is measured: ten mixed columns, the same rows for the same seed on any machine."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import polars as pl
import pyarrow as pa

SEED: Final = 7

BATCH_ROWS: Final = 16_384

_NAMES: Final = (
    "Wei Zhang",
    "张伟",
    'O\'Brien, "Bob"',
    "María José",
    "Smith & Sons",
    "李娜 (VIP)",
    "Jean-Luc",
    "Çağla",
    "王小明",
    "Ann <ann>",
)

SCHEMA: Final = pa.schema(
    {
        "id": pa.int64(),
        "order_no": pa.string(),
        "customer": pa.string(),
        "email": pa.string(),
        "amount": pa.float64(),
        "rate": pa.float64(),
        "quantity": pa.int32(),
        "created": pa.timestamp("us"),
        "day": pa.date32(),
        "paid": pa.bool_(),
    }
)


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    """The first `rows` rows of the endless table, made a batch at a time."""
    for start, count in spans(rows):
        yield batch(start, count)


def spans(rows: int, size: int = BATCH_ROWS) -> Iterator[tuple[int, int]]:
    """Where each batch of at most `size` rows begins, and how many it has."""
    for start in range(0, rows, size):
        yield start, min(size, rows - start)


def batch(start: int, rows: int) -> pa.RecordBatch:
    """`rows` rows of the endless table from row `start` (0-based)."""
    chance = pl.col("chance")
    ids = pl.int_range(start, start + rows, dtype=pl.Int64)
    frame = (
        pl.select(id=ids)
        .with_columns(chance=scrambled(pl.col("id")))
        .select(
            id=pl.col("id"),
            order_no=(620_000_000_000_000_000 + chance % 99_999_999_999_999).cast(pl.String),
            customer=pl.lit(pl.Series(_NAMES)).gather(chance % len(_NAMES)),
            email=pl.format("user{}@example.com", chance % 1_000_003),
            amount=(chance % 1_000_000).cast(pl.Float64) / 100,
            rate=(chance % 99_991).cast(pl.Float64) / 99_991,
            quantity=(chance % 500).cast(pl.Int32),
            created=pl.lit(dt.datetime(2024, 1, 1)) + pl.duration(seconds=chance % 31_536_000),
            day=pl.lit(dt.date(2020, 1, 1)) + pl.duration(days=chance % 2_000),
            paid=chance % 3 == 0,
        )
    )
    return record_batch(frame, SCHEMA)


def record_batch(frame: pl.DataFrame, schema: pa.Schema) -> pa.RecordBatch:
    """A frame, which has a row at least, in the types of a schema."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)
    return table.combine_chunks().to_batches()[0]


def scrambled(ids: pl.Expr) -> pl.Expr:
    """An even-looking 63-bit number for each id: two rounds of multiply and fold.

    Not polars' own hash, which may change from one version to the next.
    """
    value = (ids + SEED).cast(pl.UInt64)
    for factor in (0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9):
        product = value * pl.lit(factor, dtype=pl.UInt64)  # wraps around
        value = product ^ (product // 2**32)
    return (value // 2).cast(pl.Int64)

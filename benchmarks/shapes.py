"""Tables of other shapes than the main one: wide, long texts, mostly null, encoded strings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa

from benchmarks.cases import OUR_PACKAGE, Case
from benchmarks.data import SCHEMA, batch, record_batch, scrambled, spans
from benchmarks.words import paragraphs, words

Make = Callable[[int], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Shape:
    """A table and how many rows it has in a full run, so that writing it takes about a second."""

    case: Case
    make: Make
    rows: int


def _case(name: str, title: str) -> Case:
    return Case(name, "xlsx", title, OUR_PACKAGE)


_WIDE_TIMES: Final = 20


def _wide(rows: int) -> Iterator[pa.RecordBatch]:
    """The main table twenty times side by side, each time with other rows."""
    names = [f"{name}_{number}" for number in range(_WIDE_TIMES) for name in SCHEMA.names]
    for start, count in spans(rows, 4_096):
        pieces = [batch(start + number * rows, count) for number in range(_WIDE_TIMES)]
        yield pa.RecordBatch.from_arrays([each for one in pieces for each in one.columns], names)


_TEXT_BYTES: Final = 10_000
_PARAGRAPHS: Final = 1_000
_PARAGRAPH_BYTES: Final = 1_000
"""Paragraphs come again, but farther apart than compression looks back."""


_TEXT_SCHEMA: Final = pa.schema(
    {"id": pa.int64(), "name": pa.string(), "body": pa.string(), "notes": pa.string()}
)


def _texts(rows: int) -> Iterator[pa.RecordBatch]:
    """A number, a name and two long texts of about 10 KB of UTF-8 each."""
    known = pl.lit(pl.Series(paragraphs(_PARAGRAPHS, _PARAGRAPH_BYTES)))
    for start, count in spans(rows, 1_024):
        ids = pl.select(id=pl.int_range(start, start + count, dtype=pl.Int64))
        name = pl.format("Report {}", pl.col("id"))
        frame = ids.with_columns(name=name, body=_text(known, 0), notes=_text(known, 1))
        yield record_batch(frame, _TEXT_SCHEMA)


def _text(known: pl.Expr, number: int) -> pl.Expr:
    """Paragraphs by chance; each text of a row has a `number` of its own."""
    each = _TEXT_BYTES // _PARAGRAPH_BYTES
    ids = pl.col("id") * 2 * each + number * each
    return pl.concat_str([known.gather(scrambled(ids + at) % _PARAGRAPHS) for at in range(each)])


def _sparse(rows: int) -> Iterator[pa.RecordBatch]:
    """The main table with nine of ten values null, each column's where chance wants."""
    for start, count in spans(rows):
        frame = pl.DataFrame(pl.from_arrow(batch(start, count)))
        ids = pl.int_range(start, start + count, dtype=pl.Int64) * len(SCHEMA)
        sparse = frame.select(
            pl.when(scrambled(ids + at) % 10 == 0).then(pl.col(name)).alias(name)
            for at, name in enumerate(SCHEMA.names)
        )
        yield record_batch(sparse, SCHEMA)


_CARDINALITIES: Final = (2, 5, 20, 100, 500, 1_000, 5_000, 20_000)


def _encoded(rows: int) -> Iterator[pa.RecordBatch]:
    """A number, an amount and eight columns of dictionary-encoded strings, from 2 to 20,000."""
    known = pa.array(words(_CARDINALITIES[-1]))
    dictionaries = [known.slice(0, size) for size in _CARDINALITIES]
    names = ["id", "amount", *(f"kind_{size}" for size in _CARDINALITIES)]
    for start, count in spans(rows):
        main = batch(start, count)
        chances = pl.DataFrame(pl.from_arrow(main.select(["id"]))).select(
            (scrambled(pl.col("id") + size) % size).cast(pl.Int32).alias(str(size))
            for size in _CARDINALITIES
        )
        encoded = [
            pa.DictionaryArray.from_arrays(indices.to_arrow(), dictionary)
            for indices, dictionary in zip(chances, dictionaries, strict=True)
        ]
        yield pa.RecordBatch.from_arrays([main["id"], main["amount"], *encoded], names)


SHAPES: Final = (
    Shape(_case("wide", "wide: 200 columns"), _wide, 50_000),
    Shape(_case("texts", "two texts of 10 KB a row, Chinese among them"), _texts, 15_000),
    Shape(_case("nulls", "nine of ten values null"), _sparse, 1_000_000),
    Shape(_case("encoded", "eight columns of dictionary-encoded strings"), _encoded, 1_000_000),
)

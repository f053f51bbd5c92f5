"""Blocks of rows to CSV text.

`strings` is pyarrow's own quoting: every text quoted, null not, so that the two stay apart.
`minimal` has no fast path in pyarrow (its `none` refuses texts that would need quotes), so polars
quotes where needed; an empty text is `""` there, so that it stays apart from null as well.
"""

import io
from collections.abc import Callable, Sequence
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from exporters.base import Data
from exporters.columns import Column
from exporters.csv.options import CsvOptions
from exporters.csv.patterns import Patterns
from exporters.durations import texts_of

Formatter = Callable[[pa.RecordBatch], Data]

_LINE_ENDS: Final = {"lf": "\n", "crlf": "\r\n"}

_BATCH_ROWS: Final = 1 << 15
"""pyarrow formats 1,024 rows at a time by default; a block is formatted at once."""

_NULL_LINE: Final = '""'
"""What a null is written as where it stands alone on its line.

An empty line is not a row for most readers (pyarrow, pandas, DuckDB skip it): the file would look
complete and be short.
"""


def block_formatter(columns: Sequence[Column], options: CsvOptions) -> Formatter:
    """The function that turns canonical batches of `columns` into lines of CSV in UTF-8.

    Raises `InvalidOptions` for a column's format that cannot be used.
    """
    patterns = Patterns(columns)
    write = _writer(len(columns), options)
    return (lambda batch: write(patterns.apply(batch))) if patterns else write


def _writer(width: int, options: CsvOptions) -> Formatter:
    alone = width == 1 and not options.null
    if options.quoting == "minimal" or alone:
        null = _NULL_LINE if alone else options.null
        return lambda batch: _by_polars(batch, options, null)
    arrow_options = pacsv.WriteOptions(
        include_header=False,
        batch_size=_BATCH_ROWS,
        delimiter=options.delimiter,
        eol=_LINE_ENDS[options.line_terminator],
        null_string=options.null,
        quoting_style="needed",
    )
    return lambda batch: _by_arrow(batch, arrow_options)


def header_line(names: Sequence[str], options: CsvOptions) -> bytes:
    """The line of column names, or nothing when no header is wanted."""
    if not options.header:
        return b""
    quote_all = options.quoting == "strings"
    cells = (_quoted(name, options.delimiter, always=quote_all) for name in names)
    line = options.delimiter.join(cells) + _LINE_ENDS[options.line_terminator]
    return line.encode()


def _quoted(name: str, delimiter: str, *, always: bool) -> str:
    needed = always or not name or any(character in name for character in f'{delimiter}"\r\n')
    return '"' + name.replace('"', '""') + '"' if needed else name


def _by_arrow(batch: pa.RecordBatch, options: pacsv.WriteOptions) -> pa.Buffer:
    batch = _with_texts(batch, pa.types.is_duration)
    sink = pa.BufferOutputStream()
    with pacsv.CSVWriter(sink, batch.schema, write_options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _by_polars(batch: pa.RecordBatch, options: CsvOptions, null: str) -> memoryview:
    """Lines with quotes where needed, or around every text of a column that stands alone."""
    all_texts = options.quoting == "strings" and _is_text(batch.schema.types[0])
    frame = pl.from_arrow(_with_texts(batch, _spelled_by_arrow), rechunk=False)
    sink = io.BytesIO()
    frame.write_csv(  # type: ignore[union-attr]  # from_arrow types a batch too widely
        sink,
        include_header=False,
        separator=options.delimiter,
        line_terminator=_LINE_ENDS[options.line_terminator],
        null_value=null,
        quote_style="non_numeric" if all_texts else "necessary",
    )
    return sink.getbuffer()


def _is_text(kind: pa.DataType) -> bool:
    """Whether the values of a canonical type are written as texts."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_duration(kind))


def _spelled_by_arrow(kind: pa.DataType) -> bool:
    """Whether polars would spell the values of a canonical type otherwise than pyarrow."""
    types = pa.types
    return bool(types.is_temporal(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _with_texts(
    batch: pa.RecordBatch, is_rendered: Callable[[pa.DataType], bool]
) -> pa.RecordBatch:
    """`batch` with the columns of some types as texts, the same in every way of quoting."""
    if not any(is_rendered(kind) for kind in batch.schema.types):
        return batch
    arrays = [_text(array) if is_rendered(array.type) else array for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _text(array: pa.Array) -> pa.Array:
    if pa.types.is_duration(array.type):
        return texts_of(array)
    return pc.cast(array, pa.large_string())

"""What is written as CSV is what three independent readers read."""

import csv
import io
from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import CsvOptions, Workers, open_exporter
from tests.property.strategies import Kind, Raw, Sent, same, tables

LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}

OPTIONS = st.builds(
    CsvOptions,
    delimiter=st.sampled_from([",", ";", "tab", "|"]),
    quoting=st.sampled_from(["strings", "minimal"]),
    header=st.booleans(),
    line_terminator=st.sampled_from(sorted(LINE_ENDS)),
    null=st.sampled_from(["", "NULL", "\\N"]),
)


@cache
def workers() -> Workers:
    return Workers(threads=2)


def written(sent: Sent, options: CsvOptions) -> bytes:
    sink = io.BytesIO()
    with open_exporter("csv", sink, sent.schema, (), options, workers()) as exporter:
        for batch in sent.batches:
            exporter.write_batch(batch)
    assert exporter.rows_written == sent.rows
    return sink.getvalue()


def rows_of(sent: Sent) -> list[tuple[Raw, ...]]:
    return list(zip(*sent.columns, strict=True))


def null_is_quoted(sent: Sent, options: CsvOptions) -> bool:
    """An empty null alone on its line is written `""`, because readers skip empty lines."""
    return len(sent.kinds) == 1 and options.null == ""


def is_read_as_null(text: str, sent: Sent, options: CsvOptions, *, quotes_seen: bool) -> bool:
    """Whether a text that was sent looks like null in the file, to a reader of its kind."""
    return text == options.null and (null_is_quoted(sent, options) or not quotes_seen)


def expected(value: Raw, sent: Sent, options: CsvOptions, *, quotes_seen: bool) -> Raw:
    if isinstance(value, str) and is_read_as_null(value, sent, options, quotes_seen=quotes_seen):
        return None
    return value


def assert_same(
    got: list[list[str | None]], sent: Sent, options: CsvOptions, *, quotes_seen: bool
) -> None:
    assert len(got) == sent.rows
    for texts, values in zip(got, rows_of(sent), strict=True):
        assert len(texts) == len(values)
        for text, value, kind in zip(texts, values, sent.kinds, strict=True):
            back = None if text is None else kind.read(text)
            assert same(back, expected(value, sent, options, quotes_seen=quotes_seen)), text


@given(tables(), OPTIONS)
@settings(max_examples=250, deadline=None)
def test_pythons_reader_reads_every_value(sent: Sent, options: CsvOptions) -> None:
    """It sees no quotes: null is the text for null, quoted or not."""
    text = written(sent, options).decode()
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, strict=True)
    got: list[list[str | None]] = [
        [None if cell == options.null else cell for cell in line] for line in lines
    ]
    if options.header:
        assert got.pop(0) == list(sent.schema.names)
    assert_same(got, sent, options, quotes_seen=False)


@given(tables(), OPTIONS)
@settings(max_examples=250, deadline=None)
def test_polars_tells_empty_text_from_null(sent: Sent, options: CsvOptions) -> None:
    data = written(sent, options)
    if not sent.rows:
        return
    frame = pl.read_csv(
        data,
        has_header=options.header,
        separator=options.delimiter,
        infer_schema=False,
        null_values=None if options.null == "" else [options.null],
    )
    got = [list(row) for row in frame.iter_rows()]
    # polars takes quoted texts for null as well where a text for null is given.
    quotes_seen = options.null == ""
    if null_is_quoted(sent, options):
        got = [[cell or None for cell in row] for row in got]
    assert_same(got, sent, options, quotes_seen=quotes_seen)


def arrow_type(kind: Kind) -> pa.DataType:
    """The type in which pyarrow reads a kind's cells by itself; text where it has no reader."""
    array = kind.encode(pa.array([], kind.type)).type
    types = pa.types
    if types.is_integer(array) or types.is_boolean(array) or types.is_float64(array):
        return array
    if types.is_timestamp(array) or types.is_time(array) or types.is_date32(array):
        return array
    if types.is_decimal(array) and array.bit_width == 128:
        return array
    return pa.string()


def raw_values(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_temporal(kind):
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    return list(column.to_pylist())


@given(tables(), OPTIONS)
@settings(max_examples=250, deadline=None)
def test_arrow_reads_every_column_in_its_own_type(sent: Sent, options: CsvOptions) -> None:
    data = written(sent, options)
    if not data:
        return
    types = [arrow_type(kind) for kind in sent.kinds]
    table = pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(
            column_names=None if options.header else sent.schema.names, use_threads=False
        ),
        parse_options=pacsv.ParseOptions(delimiter=options.delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=dict(zip(sent.schema.names, types, strict=True)),
            null_values=[options.null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=null_is_quoted(sent, options),
        ),
    )
    assert table.schema.names == sent.schema.names
    columns = [raw_values(column) for column in table.columns]
    for values, back, kind, type_ in zip(sent.columns, columns, sent.kinds, types, strict=True):
        assert len(back) == len(values)
        for value, raw in zip(values, back, strict=True):
            got = kind.read(raw) if isinstance(raw, str) and type_ == pa.string() else raw
            assert same(got, expected(value, sent, options, quotes_seen=True)), raw


@given(tables(max_columns=3, max_rows=8), OPTIONS)
@settings(max_examples=100, deadline=None)
def test_every_line_ends_as_asked_and_the_last_one_too(sent: Sent, options: CsvOptions) -> None:
    text = written(sent, options).decode()
    end = LINE_ENDS[options.line_terminator]
    assert text.endswith(end) or not text
    unquoted = "".join(text.split('"')[::2])
    assert unquoted.count(end) == unquoted.count("\n") == sent.rows + options.header


@given(tables(max_columns=3, max_rows=8))
@settings(max_examples=100, deadline=None)
def test_the_cut_of_the_stream_into_batches_leaves_no_trace(sent: Sent) -> None:
    merged = pa.Table.from_batches(sent.batches, sent.schema).combine_chunks().to_batches()
    together = Sent(sent.kinds, sent.columns, sent.schema, tuple(merged))
    assert written(sent, CsvOptions()) == written(together, CsvOptions())

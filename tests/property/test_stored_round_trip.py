"""What is kept in Arrow and Parquet files is what their readers find, in its own type."""

import io
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exporters import ArrowOptions, FormatOptions, ParquetOptions, Workers, open_exporter
from exporters.fates import plain_type
from tests.property.spelled import is_nested, period
from tests.property.strategies import OF_PYTHON, PLAIN, Kind, Sent, tables

ARROW = st.builds(
    ArrowOptions,
    compression=st.sampled_from(["none", "lz4", "zstd"]),
    record_batch_size=st.integers(1, 20),
)
PARQUET = st.builds(
    ParquetOptions,
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4"]),
    row_group_size=st.integers(1, 20),
)
COMMON: Sequence[Kind] = [
    kind
    for kind in PLAIN
    if kind.name.startswith(("bool", "int", "uint", "float32", "float64", "string", "date32"))
    or kind.name in ("large_string", "dictionary", "run_end_encoded", "timestamp(us,None)")
    or (kind.name.startswith("decimal") and "256" not in kind.name)
]
"""What polars and DuckDB have types for as well."""


@cache
def workers() -> Workers:
    return Workers(threads=2)


def written(name: str, sent: Sent, options: FormatOptions) -> bytes:
    sink = io.BytesIO()
    with open_exporter(name, sink, sent.schema, (), options, workers()) as exporter:
        for batch in sent.batches:
            exporter.write_batch(batch)
    assert exporter.rows_written == sent.rows
    assert exporter.warnings == ()
    return sink.getvalue()


def plain(value: Any) -> Any:
    """As it compares: NaN is itself, and an interval its text."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, pa.MonthDayNano):
        return period(*value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def assert_kept(table: pa.Table, sent: Sent) -> None:
    assert table.schema.names == sent.schema.names
    for place, found in enumerate(table.columns):
        values = [each for batch in sent.batches for each in batch.column(place).to_pylist()]
        assert plain(found.to_pylist()) == plain(values), found.type


def parquet_lacks(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return parquet_lacks(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return parquet_lacks(kind.value_type)
    if pa.types.is_struct(kind) and kind.num_fields == 0:
        return True
    if pa.types.is_map(kind) and pa.types.is_null(plain_type(kind.key_type)):
        return True
    return is_nested(kind) and any(
        parquet_lacks(kind.field(place).type) for place in range(kind.num_fields)
    )


@given(tables(kinds=OF_PYTHON), ARROW)
@settings(max_examples=300, deadline=None)
def test_arrow_keeps_every_value(sent: Sent, options: ArrowOptions) -> None:
    reader = pa.ipc.open_file(written("arrow", sent, options))
    table = reader.read_all()
    table.validate(full=True)
    assert_kept(table, sent)
    sizes = [reader.get_batch(place).num_rows for place in range(reader.num_record_batches)]
    assert all(size == options.record_batch_size for size in sizes[:-1])


@given(tables(kinds=OF_PYTHON), PARQUET)
@settings(max_examples=300, deadline=None)
def test_parquet_keeps_every_value(sent: Sent, options: ParquetOptions) -> None:
    assume(not any(map(parquet_lacks, sent.schema.types)))
    file = pq.ParquetFile(io.BytesIO(written("parquet", sent, options)))
    table = file.read()
    table.validate(full=True)
    assert_kept(table, sent)
    groups = range(file.metadata.num_row_groups)
    sizes = [file.metadata.row_group(place).num_rows for place in groups]
    assert all(size == options.row_group_size for size in sizes[:-1])


@given(tables(kinds=PLAIN))
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_times_keep_every_unit(name: str, sent: Sent) -> None:
    """Python's own classes have none below a microsecond."""
    data = io.BytesIO(written(name, sent, ArrowOptions() if name == "arrow" else ParquetOptions()))
    table = pa.ipc.open_file(data).read_all() if name == "arrow" else pq.read_table(data)
    for found, kind, values in zip(table.columns, sent.kinds, sent.columns, strict=True):
        if pa.types.is_temporal(kind.type):
            whole = pa.int32() if kind.type.bit_width == 32 else pa.int64()
            assert found.cast(kind.type).cast(whole).to_pylist() == values


@given(tables(kinds=COMMON), PARQUET)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_polars_and_duckdb_read_the_same_of_parquet(sent: Sent, options: ParquetOptions) -> None:
    data = written("parquet", sent, options)
    assert_kept(pl.read_parquet(data).to_arrow(), sent)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "data.parquet")
        path.write_bytes(data)
        with duckdb.connect() as connection:
            assert_kept(connection.read_parquet(str(path)).to_arrow_table(), sent)


@given(tables(kinds=COMMON), ARROW)
@settings(max_examples=150, deadline=None)
def test_polars_reads_the_same_of_arrow(sent: Sent, options: ArrowOptions) -> None:
    assert_kept(pl.read_ipc(written("arrow", sent, options)).to_arrow(), sent)


@given(tables(max_columns=3, max_rows=8))
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_the_cut_of_the_stream_into_batches_leaves_no_trace(name: str, sent: Sent) -> None:
    assume(not any(map(parquet_lacks, sent.schema.types)))
    options = ArrowOptions() if name == "arrow" else ParquetOptions()
    data = written(name, sent, options)
    assert data == written(name, sent, options)
    each_row = [batch.slice(row, 1) for batch in sent.batches for row in range(batch.num_rows)]
    alone = Sent(sent.kinds, sent.columns, sent.schema, tuple(each_row))
    assert rows(name, written(name, alone, options)) == rows(name, data)


def rows(name: str, data: bytes) -> int:
    if name == "arrow":
        return int(pa.ipc.open_file(data).read_all().num_rows)
    return int(pq.ParquetFile(io.BytesIO(data)).metadata.num_rows)

"""What the client accepts as data, and the blocks it cuts."""

from collections.abc import Iterator
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from export_client import IncompleteExport, InvalidRequest
from export_client.blocks import MAX_BYTES, MAX_ROWS, counted, cut, wire_schema
from export_client.source import open_source

BATCH = pa.record_batch({"id": [1, 2, 3], "name": ["a", None, "ü"]})
TABLE = pa.Table.from_batches([BATCH])


class OnlyArray:
    """A producer of nothing but the array half of the PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return BATCH.__arrow_c_array__(requested_schema)


def table_of(data: Any) -> pa.Table:
    source_schema, batches = open_source(data)
    schema = wire_schema(source_schema)
    return pa.Table.from_batches(cut(batches, schema), schema)


@pytest.mark.parametrize(
    "data",
    [
        BATCH,
        TABLE,
        TABLE.to_reader(),
        OnlyArray(),
        pl.from_arrow(TABLE),
        [BATCH],
        iter([BATCH.slice(0, 1), BATCH.slice(1)]),
    ],
    ids=lambda data: type(data).__name__,
)
def test_every_kind_of_arrow_data_is_the_same_table(data: Any) -> None:
    assert table_of(data).to_pylist() == BATCH.to_pylist()


def test_a_duckdb_relation_is_the_same_table() -> None:
    query = "select * from (values (1::bigint, 'a'), (2, null), (3, 'ü')) t(id, name)"
    with duckdb.connect() as connection:
        assert table_of(connection.sql(query)).to_pylist() == BATCH.to_pylist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"id": [1]}, "cannot export a dict; pass a pyarrow Table"),
        ("orders.csv", "cannot export a str; "),
        (42, "cannot export a int; "),
        (pl.LazyFrame({"id": [1]}), "cannot export a LazyFrame; "),
        (pa.chunked_array([[1]]), "ChunkedArray is one column, not a table"),
        ([{"id": 1}], "item 1 of the iterable is a dict, not a pyarrow.RecordBatch"),
    ],
)
def test_other_data_is_refused_and_told_what_would_be_right(data: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        table_of(data)


def test_an_iterable_without_a_batch_is_told_how_to_give_a_schema() -> None:
    with pytest.raises(InvalidRequest, match=r"RecordBatchReader\.from_batches\(schema"):
        open_source(iter(()))


def test_a_batch_of_other_columns_is_refused_by_its_number() -> None:
    other = pa.record_batch({"id": ["text"]})
    with pytest.raises(InvalidRequest, match=r"batch 2 has the columns \[id: string\]"):
        table_of([BATCH, other])


def test_batches_are_cut_by_rows() -> None:
    batch = pa.record_batch({"id": range(2 * MAX_ROWS + 1)})
    assert [b.num_rows for b in cut([batch], batch.schema)] == [MAX_ROWS, MAX_ROWS, 1]


def test_batches_are_cut_by_bytes_and_stay_in_order() -> None:
    texts = [f"{i}" * 4_000 for i in range(3_000)]
    batch = pa.record_batch({"text": texts})
    blocks = list(cut([batch], batch.schema))
    assert all(pa.ipc.get_record_batch_size(block) <= MAX_BYTES for block in blocks)
    assert len(blocks) > 10
    assert pa.Table.from_batches(blocks)["text"].to_pylist() == texts


def test_a_row_larger_than_a_block_is_a_block_of_its_own() -> None:
    batch = pa.record_batch({"text": ["x" * (MAX_BYTES + 1), "y"]})
    assert [b.num_rows for b in cut([batch], batch.schema)] == [1, 1]


def test_a_large_dictionary_does_not_cut_batches_to_rows() -> None:
    """Dictionaries are sent once; the size of a block is that of its indices."""
    words = pa.array([f"{i}".zfill(2_000) for i in range(4_000)]).dictionary_encode()
    batch = pa.record_batch({"word": words})
    assert [b.num_rows for b in cut([batch], batch.schema)] == [4_000]


def test_empty_batches_are_left_out() -> None:
    assert list(cut([BATCH.slice(0, 0), BATCH], BATCH.schema)) == [BATCH]


def test_cutting_reads_one_batch_at_a_time() -> None:
    taken = []

    def source() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            taken.append(number)
            yield BATCH

    next(cut(source(), BATCH.schema))
    assert taken == [0]


def test_views_are_replaced_wherever_they_stand() -> None:
    view = pa.string_view()
    fields = {
        "a": view,
        "b": pa.binary_view(),
        "c": pa.list_(view),
        "d": pa.large_list(view),
        "e": pa.struct({"x": view}),
        "f": pa.int64(),
    }
    schema = wire_schema(pa.schema(fields, {"key": "value"}))
    assert schema.types == [
        pa.string(),
        pa.binary(),
        pa.list_(pa.string()),
        pa.large_list(pa.string()),
        pa.struct({"x": pa.string()}),
        pa.int64(),
    ]
    assert schema.metadata == {b"key": b"value"}


def test_declared_rows_are_checked_before_too_many_are_given_out() -> None:
    blocks = counted(iter([BATCH, BATCH]), 5)
    assert next(blocks) is BATCH
    with pytest.raises(IncompleteExport, match="rows=5 were declared, but the data has at least 6"):
        next(blocks)

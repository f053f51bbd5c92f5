"""Arrow and Parquet files: what both have in common, and what each has of its own."""

import io
import threading
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from exporters import (
    ColumnOptions,
    ExporterError,
    InvalidData,
    InvalidOptions,
    InvalidSchema,
    LimitExceeded,
    UnsupportedType,
    Workers,
    find_format,
    open_exporter,
)
from exporters.base import Data, Exporter

FORMATS = ["arrow", "parquet"]
both = pytest.mark.parametrize("name", FORMATS)

PEOPLE = pa.table({"name": ["Ada", None, ""], "age": [36, None, 0]})
MANY = pa.table({"n": range(100_000), "t": [f"{n:06}" for n in range(100_000)]})


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers
        assert workers.in_flight == 0


def opened(
    name: str,
    sink: Any,
    schema: pa.Schema,
    workers: Workers,
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> Exporter:
    parsed = find_format(name).options.parse(options)
    return open_exporter(name, sink, schema, columns, parsed, workers)


def written(
    name: str,
    data: pa.Table | Sequence[pa.RecordBatch],
    workers: Workers,
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> bytes:
    batches = data.to_batches() if isinstance(data, pa.Table) else data
    sink = io.BytesIO()
    with opened(name, sink, data[0].schema if batches is data else data.schema, workers, columns,
                **options) as exporter:  # fmt: skip
        for batch in batches:
            exporter.write_batch(batch)
    assert exporter.rows_written == sum(batch.num_rows for batch in batches)
    assert (exporter.warnings, exporter.sheets) == ((), None)
    return sink.getvalue()


def read(name: str, data: bytes) -> pa.Table:
    if name == "arrow":
        return pa.ipc.open_file(data).read_all()
    return pq.read_table(io.BytesIO(data))


def column(name: str, array: pa.Array, workers: Workers) -> pa.ChunkedArray:
    return read(name, written(name, pa.table({"v": array}), workers))["v"]


@both
def test_every_value_is_kept_in_its_own_type(name: str, workers: Workers) -> None:
    assert read(name, written(name, PEOPLE, workers)).equals(PEOPLE)


@both
def test_no_rows_make_a_whole_file(name: str, workers: Workers) -> None:
    for batches in ([], PEOPLE.slice(0, 0).to_batches()):
        sink = io.BytesIO()
        with opened(name, sink, PEOPLE.schema, workers) as exporter:
            for batch in batches:
                exporter.write_batch(batch)
        assert read(name, sink.getvalue()).equals(PEOPLE.slice(0, 0))


@both
def test_columns_are_selected_ordered_named_and_cast(name: str, workers: Workers) -> None:
    columns = [
        ColumnOptions("age", header="Age"),
        ColumnOptions("name"),
        ColumnOptions("age", header="as text", type="string"),
    ]
    found = read(name, written(name, PEOPLE, workers, columns))
    assert found.schema.names == ["Age", "name", "as text"]
    assert found.schema.types == [pa.int64(), pa.string(), pa.large_string()]
    assert found["as text"].to_pylist() == ["36", None, "0"]


@both
def test_a_value_that_is_not_of_the_type_asked_for_is_refused(name: str, workers: Workers) -> None:
    with pytest.raises(InvalidData, match="column 'name' cannot be"):
        written(name, PEOPLE, workers, [ColumnOptions("name", type="number")])


@both
@pytest.mark.parametrize(("key", "value"), [("format", "0.00"), ("width", 12.5)])
def test_what_only_texts_and_sheets_have_is_refused(
    name: str, key: str, value: Any, workers: Workers
) -> None:
    message = rf"^columns: 'age' has the {key} {value!r}, which means nothing in this format; leave"
    asked = [ColumnOptions("age", **{key: value})]
    with pytest.raises(InvalidOptions, match=message):
        opened(name, io.BytesIO(), PEOPLE.schema, workers, asked)


@both
@pytest.mark.parametrize(
    ("schema", "columns", "error"),
    [
        (pa.schema([]), (), InvalidSchema),
        (pa.schema([("a", pa.int8()), ("a", pa.int8())]), (), InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("nane")], InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("name"), ColumnOptions("name")], InvalidOptions),
        (PEOPLE.schema, [ColumnOptions("age", type="date")], InvalidOptions),
        (pa.schema([("a", pa.sparse_union([pa.field("b", pa.int8())]))]), (), UnsupportedType),
        (pa.schema([("a", pa.timestamp("s", "Mars/Base"))]), (), InvalidSchema),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_byte_is(
    name: str,
    schema: pa.Schema,
    columns: Sequence[ColumnOptions],
    error: type[ExporterError],
    workers: Workers,
) -> None:
    sink = io.BytesIO()
    with pytest.raises(error):
        opened(name, sink, schema, workers, columns)
    assert sink.getvalue() == b""


@both
def test_dictionaries_that_change_from_batch_to_batch_are_values(
    name: str, workers: Workers
) -> None:
    batches = [
        pa.record_batch({"v": pa.array(values).dictionary_encode()})
        for values in (["a", "b"], ["c", None, "a"], ["b"])
    ]
    found = read(name, written(name, batches, workers))["v"]
    assert found.type == pa.string()
    assert found.to_pylist() == ["a", "b", "c", None, "a", "b"]


@both
def test_runs_that_are_tiny_encoded_make_groups_by_what_they_become(
    name: str, workers: Workers
) -> None:
    runs = pa.RunEndEncodedArray.from_arrays([2_000], ["x" * 65_536])
    data = written(name, pa.table({"v": runs}), workers, compression="none")
    if name == "arrow":
        assert pa.ipc.open_file(data).num_record_batches > 2
    else:
        assert pq.ParquetFile(io.BytesIO(data)).num_row_groups > 2
    assert read(name, data)["v"].to_pylist() == ["x" * 65_536] * 2_000


@both
def test_the_streams_metadata_stays_where_no_column_changes(name: str, workers: Workers) -> None:
    age = pa.field("age", pa.int64(), metadata={"unit": "years"})
    schema = pa.schema([age, pa.field("name", pa.string())], metadata={"pandas": "{}"})
    table = pa.table({"age": [1], "name": ["Ada"]}, schema=schema)
    found = read(name, written(name, table, workers)).schema
    assert found.metadata[b"pandas"] == b"{}"
    assert found.field("age").metadata[b"unit"] == b"years"
    found = read(name, written(name, table, workers, [ColumnOptions("age", header="Age")])).schema
    assert b"pandas" not in (found.metadata or {})
    assert found.field("Age").metadata[b"unit"] == b"years"


@both
def test_nothing_of_the_machine_is_in_the_file(name: str, workers: Workers) -> None:
    data = written(name, PEOPLE, workers)
    for word in (b"/work", b"/home", b"/tmp", b"export", b"worker"):
        assert word not in data


@both
def test_the_same_batches_make_the_same_bytes(name: str, workers: Workers) -> None:
    assert written(name, MANY, workers) == written(name, MANY, workers)
    shorter = MANY.to_batches(max_chunksize=999)
    assert written(name, shorter, workers) == written(name, MANY, workers)


@both
def test_exports_side_by_side_do_not_mix(name: str, workers: Workers) -> None:
    found: dict[int, bytes] = {}

    def export(mark: int) -> None:
        found[mark] = written(name, pa.table({"n": [mark] * 50_000}), workers)

    threads = [threading.Thread(target=export, args=[mark]) for mark in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mark in range(6):
        assert pc.unique(read(name, found[mark])["n"]).to_pylist() == [mark]


class Sink:
    """Counts bytes; breaks after `room` of them."""

    def __init__(self, room: int = 2**62) -> None:
        self.size, self.largest, self.room = 0, 0, room

    def write(self, data: Data) -> None:
        size = memoryview(data).nbytes
        self.size, self.largest = self.size + size, max(self.largest, size)
        if self.size > self.room:
            raise OSError("disk full")


@both
@pytest.mark.parametrize("room", [0, 300_000])
def test_a_sink_that_fails_fails_the_export_and_leaves_nothing_in_flight(
    name: str, room: int, workers: Workers
) -> None:
    def export() -> None:
        size = {"arrow": "record_batch_size", "parquet": "row_group_size"}[name]
        options = {size: 10_000, "compression": "none"}
        with opened(name, Sink(room), MANY.schema, workers, **options) as exporter:
            for batch in MANY.to_batches():
                exporter.write_batch(batch)

    with pytest.raises(OSError, match="disk full"):
        export()
    assert workers.in_flight == 0


@both
def test_an_export_that_is_given_up_leaves_nothing_in_flight(name: str, workers: Workers) -> None:
    def export() -> None:
        with opened(name, Sink(), MANY.schema, workers) as exporter:
            exporter.write_batch(MANY.to_batches()[0])
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        export()
    assert workers.in_flight == 0


@both
def test_memory_does_not_grow_with_the_rows(name: str, workers: Workers) -> None:
    """64 MB are sent; Arrow's pool and the sink see a few MB at a time."""
    batch = pa.record_batch({"n": pa.array(range(8_192), pa.int64())})
    sink = Sink()
    before, peak = pa.total_allocated_bytes(), 0
    with opened(name, sink, batch.schema, workers, compression="none") as exporter:
        for _ in range(1_000):
            exporter.write_batch(batch)
            peak = max(peak, pa.total_allocated_bytes() - before)
    assert sink.size > 15_000_000
    assert sink.largest < 8_000_000
    assert peak < 16_000_000


def test_arrow_batches_have_the_rows_asked_for(workers: Workers) -> None:
    data = written("arrow", MANY.to_batches(7_000), workers, record_batch_size=30_000)
    reader = pa.ipc.open_file(data)
    sizes = [reader.get_batch(place).num_rows for place in range(reader.num_record_batches)]
    assert sizes == [30_000, 30_000, 30_000, 10_000]
    assert reader.read_all().combine_chunks().equals(MANY.combine_chunks())


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_arrow_takes_every_compression(compression: str, workers: Workers) -> None:
    data = written("arrow", MANY, workers, compression=compression)
    assert read("arrow", data).equals(MANY)
    assert (len(data) > 1_700_000) == (compression == "none")


def test_parquet_groups_have_the_rows_asked_for(workers: Workers) -> None:
    data = written("parquet", MANY.to_batches(7_000), workers, row_group_size=30_000)
    file = pq.ParquetFile(io.BytesIO(data)).metadata
    sizes = [file.row_group(place).num_rows for place in range(file.num_row_groups)]
    assert sizes == [30_000, 30_000, 30_000, 10_000]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_parquet_takes_every_compression(compression: str, workers: Workers) -> None:
    data = written("parquet", MANY, workers, compression=compression)
    assert read("parquet", data).equals(MANY)
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    shown = {"none": "UNCOMPRESSED"}.get(compression, compression.upper())
    assert group.column(0).compression == shown


@pytest.mark.parametrize(
    ("array", "type_", "values"),
    [
        (pa.array([(14, 3, 1_500_000_000)], pa.month_day_nano_interval()), pa.string(),
         ["P1Y2M3DT1.5S"]),
        (pa.array([Decimal(12300)], pa.decimal128(5, -2)), pa.decimal128(7, 0), [Decimal(12300)]),
        (pa.array([Decimal("0.000000012")], pa.decimal128(5, 9)), pa.decimal128(9, 9),
         [Decimal("0.000000012")]),
        (pa.array([date(2024, 2, 29)], pa.date64()), pa.date32(), [date(2024, 2, 29)]),
        (pa.array([datetime(2024, 2, 29)], pa.timestamp("s")), pa.timestamp("ms"),
         [datetime(2024, 2, 29)]),
        (pa.array([time(18)], pa.time32("s")), pa.time32("ms"), [time(18)]),
        (pa.array([b""], pa.binary(0)), pa.binary(), [b""]),
        (pa.array([timedelta(hours=36)], pa.duration("s")), pa.duration("s"),
         [timedelta(hours=36)]),
        (pa.array(["a"], pa.string_view()), pa.string(), ["a"]),
        (pa.array([0.5], pa.float16()), pa.float16(), [0.5]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)  # fmt: skip
def test_what_parquet_lacks_becomes_the_nearest_type(
    array: pa.Array, type_: pa.DataType, values: list[Any], workers: Workers
) -> None:
    found = column("parquet", array, workers)
    assert (found.type, found.to_pylist()) == (type_, values)
    nested = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), array)
    found = column("parquet", nested, workers)
    assert (found.type.value_type, found.to_pylist()) == (type_, [values])


@pytest.mark.parametrize("kind", [pa.struct([]), pa.list_(pa.struct([("a", pa.struct([]))]))])
def test_a_struct_without_fields_is_refused_by_parquet_alone(
    kind: pa.DataType, workers: Workers
) -> None:
    schema = pa.schema([("v", kind)])
    message = r"^column 'v' is .+, which Parquet cannot hold without a field in each struct; supp"
    with pytest.raises(UnsupportedType, match=message):
        opened("parquet", io.BytesIO(), schema, workers)
    assert read("arrow", written("arrow", schema.empty_table(), workers)).schema == schema


def test_a_map_of_null_keys_is_refused_by_parquet(workers: Workers) -> None:
    schema = pa.schema(
        [("v", pa.list_(pa.MapArray.from_arrays([0], pa.nulls(0), pa.array([], pa.int8())).type))]
    )
    message = r"^column 'v' is .+, which Parquet cannot hold because keys of maps are never null"
    with pytest.raises(UnsupportedType, match=message):
        opened("parquet", io.BytesIO(), schema, workers)


def test_a_time_too_far_away_for_parquet_is_refused(workers: Workers) -> None:
    far = pa.array([2**62], pa.timestamp("s"))
    with pytest.raises(InvalidData, match=r"^column 'v' cannot be timestamp\[ms\]: "):
        column("parquet", far, workers)
    assert column("arrow", far, workers).cast(pa.int64()).to_pylist() == [2**62]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("parquet", {"compression": "brotli"}),
        ("parquet", {"row_group_size": 0}),
        ("parquet", {"row_group_size": 2_000_000}),
        ("arrow", {"compression": "snappy"}),
        ("arrow", {"record_batch_size": 0}),
        ("arrow", {"row_group_size": 5}),
    ],
)
def test_a_wrong_option_is_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptions, match=rf"^options\.{next(iter(options))}: "):
        find_format(name).options.parse(options)


def test_a_null_where_the_sender_promised_none_is_kept(workers: Workers) -> None:
    schema = pa.schema([pa.field("v", pa.int8(), nullable=False)])
    table = pa.Table.from_arrays([pa.array([1, None], pa.int8())], schema=schema)
    assert read("parquet", written("parquet", table, workers)).to_pydict() == {"v": [1, None]}


def test_a_file_of_too_many_columns_of_row_groups_is_refused(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporters.parquet.exporter.MAX_CHUNKS", 3)
    table = pa.table({"v": [1, 2, 3, 4]})
    with pytest.raises(LimitExceeded, match=r"more than 3 columns of row groups; raise opt"):
        written("parquet", table, workers, row_group_size=1)
    assert workers.in_flight == 0

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.json as pajson
import pytest

from exporters import (
    ColumnOptions,
    ExporterError,
    InvalidData,
    InvalidOptions,
    InvalidSchema,
    NdjsonOptions,
    UnsupportedType,
    Workers,
    open_exporter,
)
from exporters.base import Data, Exporter, ExportWarning

Written = Callable[..., str]

PEOPLE = pa.table({"name": ["Ada", None, ""], "age": [36, None, 0]})


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers
        assert workers.in_flight == 0


def opened(
    sink: Any,
    schema: pa.Schema,
    workers: Workers,
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> Exporter:
    return open_exporter("ndjson", sink, schema, columns, NdjsonOptions.parse(options), workers)


@pytest.fixture
def written(workers: Workers) -> Written:
    """The file of a table, as text; no warning is expected."""

    def write(table: pa.Table, columns: Sequence[ColumnOptions] = (), **options: Any) -> str:
        sink = io.BytesIO()
        with opened(sink, table.schema, workers, columns, **options) as exporter:
            for batch in table.to_batches():
                exporter.write_batch(batch)
        assert exporter.rows_written == table.num_rows
        assert (exporter.warnings, exporter.sheets) == ((), None)
        return sink.getvalue().decode()

    return write


def test_each_row_is_an_object_on_a_line_of_its_own(written: Written) -> None:
    assert written(PEOPLE) == (
        '{"name":"Ada","age":36}\n{"name":null,"age":null}\n{"name":"","age":0}\n'
    )


def test_values_are_json_of_their_own_kind(written: Written) -> None:
    table = pa.table(
        {
            "long": pa.array([2**63 - 1]),
            "money": pa.array([Decimal("12345678901234567890.10")]),
            "share": [0.1],
            "paid": [True],
            "day": [date(2024, 2, 29)],
            "at": pa.array([datetime(2024, 2, 29, 12, tzinfo=UTC)], pa.timestamp("s", "+06:00")),
            "bytes": [b"\xfb\xff"],
            "tags": [["a", None]],
            "sizes": [{"s": 1, "m": None}],
            "counts": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
            "nothing": pa.nulls(1),
        }
    )
    assert written(table) == (
        '{"long":9223372036854775807,"money":12345678901234567890.10,"share":0.1,"paid":true,'
        '"day":"2024-02-29","at":"2024-02-29T18:00:00+06:00","bytes":"+/8=","tags":["a",null],'
        '"sizes":{"s":1,"m":null},"counts":{"a":1},"nothing":null}\n'
    )


def test_texts_and_keys_are_escaped(written: Written) -> None:
    odd = 'quote " back \\ line \n tab \t \x01 漢字 😀 \u2028'
    text = written(pa.table({odd: [odd, None]}))
    assert text.count("\n") == 2
    assert json.loads(text.split("\n")[0]) == {odd: odd}
    assert "漢字 😀 \u2028" in text


@pytest.mark.parametrize("values", [["plain"], ['"'], ["\\"], ['\\"'], ["\x1f"], ["a", None]])
def test_a_text_is_what_it_was_whatever_its_block_holds(written: Written, values: Any) -> None:
    lines = written(pa.table({"a": values, "n": [1] * len(values)})).splitlines()
    assert [json.loads(line)["a"] for line in lines] == values


def test_what_json_has_no_word_for_is_null_and_counted(workers: Workers) -> None:
    sink = io.BytesIO()
    nan, infinite = float("nan"), float("inf")
    table = pa.table(
        {
            "x": [1.5, nan, infinite, None],
            "list": [[nan, 1.0], None, [-infinite, nan], []],
            "struct": [{"a": nan}, None, {"a": None}, {"a": 0.0}],
            "map": pa.array([[("k", nan)], None, [], []], pa.map_(pa.string(), pa.float32())),
            "coded": pa.array([nan, nan, None, 2.0]).dictionary_encode(),
        }
    )
    with opened(sink, table.schema, workers) as exporter:
        for batch in table.to_batches(max_chunksize=2):
            exporter.write_batch(batch)
    message = "NaN and infinite numbers, which JSON lacks, are null"
    assert exporter.warnings == (ExportWarning("NON_FINITE_NULL", message, 9),)
    first, *_ = sink.getvalue().decode().splitlines()
    assert first == (
        '{"x":1.5,"list":[null,1.0],"struct":{"a":null},"map":{"k":null},"coded":null}'
    )


def test_columns_are_selected_ordered_named_and_cast(written: Written) -> None:
    columns = [
        ColumnOptions("age", header="Age"),
        ColumnOptions("name"),
        ColumnOptions("age", header="text", type="string"),
    ]
    assert written(PEOPLE, columns).startswith('{"Age":36,"name":"Ada","text":"36"}\n')


def test_nested_values_are_texts_where_that_is_asked_for(written: Written) -> None:
    table = pa.table({"list": [["a"]]})
    asked = [ColumnOptions("list", type="string")]
    assert written(table, asked) == '{"list":"[\\"a\\"]"}\n'


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_no_rows_make_a_file_without_lines(
    written: Written, workers: Workers, compression: str
) -> None:
    sink = io.BytesIO()
    with opened(sink, PEOPLE.schema, workers, compression=compression):
        pass
    data = sink.getvalue()
    if compression != "none":
        data = pa.input_stream(io.BytesIO(data), compression=compression).read()
    assert data == b""


def test_rows_go_to_several_files_of_a_zip(workers: Workers) -> None:
    options = NdjsonOptions.parse({"rows_per_file": 2}).for_file("people.jsonl")
    sink = io.BytesIO()
    with open_exporter("ndjson", sink, PEOPLE.schema, (), options, workers) as exporter:
        exporter.write_batch(PEOPLE.to_batches()[0])
    with zipfile.ZipFile(sink) as archive:
        names = archive.namelist()
        texts = [archive.read(name).decode() for name in names]
    assert names == ["people-0001.jsonl", "people-0002.jsonl"]
    assert texts[1] == '{"name":"","age":0}\n'


def test_many_blocks_come_in_order_whatever_the_batches(written: Written) -> None:
    table = pa.table({"n": range(50_000), "t": [f"{n:06}" for n in range(50_000)]})
    expected = "".join(f'{{"n":{n},"t":"{n:06}"}}\n' for n in range(50_000))
    for size in (7_000, 99, 50_000):
        assert written(pa.Table.from_batches(table.to_batches(max_chunksize=size))) == expected


DIGITS = Decimal("12345678901234567890.10")


def test_readers_of_decimals_find_every_digit(written: Written) -> None:
    data = written(pa.table({"d": [DIGITS]})).encode()
    assert json.loads(data, parse_float=Decimal)["d"] == DIGITS
    schema = pa.schema([("d", pa.decimal128(38, 2))])
    options = pajson.ParseOptions(explicit_schema=schema)
    assert pajson.read_json(io.BytesIO(data), parse_options=options)["d"].to_pylist() == [DIGITS]


def test_readers_of_doubles_find_every_digit_of_a_text(written: Written, tmp_path: Path) -> None:
    """DuckDB takes a number for a double first, whatever type it is told."""
    path = tmp_path / "d.ndjson"
    path.write_text(written(pa.table({"d": [DIGITS]}), [ColumnOptions("d", type="string")]))
    with duckdb.connect() as connection:
        query = f"SELECT * FROM read_json('{path}', columns = {{d: 'DECIMAL(38, 2)'}})"
        assert connection.execute(query).fetchall() == [(DIGITS,)]


def test_duckdb_reads_what_was_sent(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "d.ndjson"
    noon = datetime(2024, 2, 29, 12, 0, 0, 123_456)
    rows = [
        {"n": 2**63 - 1, "t": 'a "quoted" 漢字\n', "x": 0.1, "at": noon, "tags": ["a", None]},
        {"n": None, "t": None, "x": None, "at": None, "tags": None},
    ]
    path.write_text(written(pa.Table.from_pylist(rows)), encoding="utf-8")
    with duckdb.connect() as connection:
        types = """{n: 'BIGINT', t: 'VARCHAR', x: 'DOUBLE', "at": 'TIMESTAMP', tags: 'VARCHAR[]'}"""
        found = connection.sql(f"SELECT * FROM read_json('{path}', columns = {types})")
        assert found.to_arrow_table().to_pylist() == rows


class Sink:
    """Counts bytes; breaks after `room` of them."""

    def __init__(self, room: int = 2**62) -> None:
        self.size, self.largest, self.room = 0, 0, room

    def write(self, data: Data) -> None:
        size = memoryview(data).nbytes
        self.size, self.largest = self.size + size, max(self.largest, size)
        if self.size > self.room:
            raise OSError("disk full")


def test_a_text_that_repeats_in_few_bytes_is_still_cut_into_small_blocks(workers: Workers) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1024, pa.int8()), ["\x01" * 65_536])
    table = pa.table({"v": texts})
    sink = Sink()
    with opened(sink, table.schema, workers) as exporter:
        exporter.write_batch(table.to_batches()[0])
    assert sink.size > 6 * 64 * 1024 * 1024
    assert sink.largest <= 8 * 1024 * 1024


def test_memory_does_not_grow_with_the_rows(workers: Workers) -> None:
    batch = pa.record_batch({"n": range(8_192), "t": [f"{n:06}" for n in range(8_192)]})
    sink = Sink()
    before, peak = pa.total_allocated_bytes(), 0
    with opened(sink, batch.schema, workers) as exporter:
        for _ in range(500):
            exporter.write_batch(batch)
            peak = max(peak, pa.total_allocated_bytes() - before)
    assert sink.size > 90_000_000
    assert peak < 24_000_000


@pytest.mark.parametrize("room", [0, 500_000])
def test_a_sink_that_fails_fails_the_export_and_leaves_nothing_in_flight(
    room: int, workers: Workers
) -> None:
    batch = pa.record_batch({"n": range(100_000)})

    def export() -> None:
        with opened(Sink(room), batch.schema, workers) as exporter:
            exporter.write_batch(batch)

    with pytest.raises(OSError, match="disk full"):
        export()
    assert workers.in_flight == 0


def test_exports_side_by_side_do_not_mix(workers: Workers) -> None:
    sinks = [io.BytesIO() for _ in range(6)]

    def export(mark: int, sink: io.BytesIO) -> None:
        batch = pa.record_batch({"n": [mark] * 5_000})
        with opened(sink, batch.schema, workers) as exporter:
            for _ in range(20):
                exporter.write_batch(batch)

    threads = [threading.Thread(target=export, args=each) for each in enumerate(sinks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sink.getvalue() for sink in sinks] == [b'{"n":%d}\n' % n * 100_000 for n in range(6)]


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.list_(pa.timestamp("us")), pa.date32()])
def test_a_time_beyond_every_calendar_is_refused(written: Written, kind: pa.DataType) -> None:
    far = pa.array([2**62 if kind != pa.date32() else 2**31 - 1])
    if pa.types.is_list(kind):
        array = pa.ListArray.from_arrays([0, 1], far.cast(kind.value_type))
    else:
        array = far.cast(pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
    with pytest.raises(InvalidData, match=r"^column 'v' holds a time over 30,000 years away"):
        written(pa.table({"v": array}))


@pytest.mark.parametrize(
    ("schema", "columns", "error"),
    [
        (pa.schema([]), (), InvalidSchema),
        (pa.schema([("a", pa.int8()), ("a", pa.int8())]), (), InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("nane")], InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("name"), ColumnOptions("name")], InvalidOptions),
        (PEOPLE.schema, [ColumnOptions("age", format="0.00")], InvalidOptions),
        (PEOPLE.schema, [ColumnOptions("age", width=3)], InvalidOptions),
        (pa.schema([("a", pa.sparse_union([pa.field("b", pa.int8())]))]), (), UnsupportedType),
        (pa.schema([("a", pa.timestamp("s", "Mars/Base"))]), (), InvalidSchema),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_byte_is(
    schema: pa.Schema,
    columns: Sequence[ColumnOptions],
    error: type[ExporterError],
    workers: Workers,
) -> None:
    sink = io.BytesIO()
    with pytest.raises(error):
        opened(sink, schema, workers, columns)
    assert sink.getvalue() == b""

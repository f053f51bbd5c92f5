import csv
import io
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters import (
    ColumnOptions,
    CsvOptions,
    ExporterError,
    InvalidOptions,
    InvalidSchema,
    UnsupportedType,
    Workers,
    open_exporter,
)
from exporters.base import Data, Exporter

Written = Callable[..., str]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers
        assert workers.in_flight == 0


@pytest.fixture
def written(workers: Workers) -> Written:
    """The file of a table or of batches, as text."""

    def write(
        data: pa.Table | Sequence[pa.RecordBatch],
        columns: Sequence[ColumnOptions] = (),
        **options: Any,
    ) -> str:
        batches = data.to_batches() if isinstance(data, pa.Table) else data
        sink = io.BytesIO()
        with opened(sink, data.schema if isinstance(data, pa.Table) else batches[0].schema,
                    workers, columns, **options) as exporter:  # fmt: skip
            for batch in batches:
                exporter.write_batch(batch)
        assert exporter.rows_written == sum(batch.num_rows for batch in batches)
        assert exporter.warnings == ()
        assert exporter.sheets is None
        return sink.getvalue().decode()

    return write


def opened(
    sink: Any,
    schema: pa.Schema,
    workers: Workers,
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> Exporter:
    return open_exporter("csv", sink, schema, columns, CsvOptions.parse(options), workers)


def beside(array: pa.Array) -> pa.Table:
    """A table in which the column stands beside another."""
    return pa.table({"v": array, "n": pa.array([1] * len(array), pa.int8())})


def cells(text: str) -> list[str]:
    """The first column of `beside`, quotes and all."""
    return [line.removesuffix(",1") for line in text.splitlines()[1:]]


PEOPLE = pa.table({"name": ["Ada", None, ""], "age": [36, None, 0]})


def test_every_text_is_quoted_and_null_is_nothing(written: Written) -> None:
    assert written(PEOPLE) == '"name","age"\n"Ada",36\n,\n"",0\n'


def test_minimal_quotes_only_where_needed(written: Written) -> None:
    table = beside(
        pa.array(["plain", "a,b", 'say "hi"', "two\nlines", "a\rb", " spaced ", "", None])
    )
    assert written(table, quoting="minimal") == (
        'v,n\nplain,1\n"a,b",1\n"say ""hi""",1\n"two\nlines",1\n"a\rb",1\n spaced ,1\n"",1\n,1\n'
    )


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
def test_the_delimiter_is_the_one_asked_for(written: Written, quoting: str) -> None:
    text = written(pa.table({"a;b": ["x;y"], "c": [1]}), quoting=quoting, delimiter=";")
    assert list(csv.reader(io.StringIO(text), delimiter=";")) == [["a;b", "c"], ["x;y", "1"]]


def test_tab_separates_by_tabs(written: Written) -> None:
    assert written(PEOPLE, delimiter="tab").splitlines()[1] == '"Ada"\t36'


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
def test_lines_end_in_crlf_when_asked(written: Written, quoting: str) -> None:
    text = written(PEOPLE, line_terminator="crlf", quoting=quoting)
    assert text.count("\r\n") == text.count("\n") == 4


def test_line_ends_within_texts_stay(written: Written) -> None:
    assert written(beside(pa.array(["a\nb"])), line_terminator="crlf").endswith('"a\nb",1\r\n')


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
def test_null_is_the_text_asked_for_without_quotes(written: Written, quoting: str) -> None:
    assert written(PEOPLE, null="NULL", quoting=quoting).splitlines()[2] == "NULL,NULL"


def test_a_text_like_the_one_for_null_is_told_apart_by_its_quotes(written: Written) -> None:
    assert cells(written(beside(pa.array(["NULL", None])), null="NULL")) == ['"NULL"', "NULL"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_the_text_for_null_is_in_the_encoding_of_the_file(workers: Workers, encoding: str) -> None:
    sink = io.BytesIO()
    with opened(sink, PEOPLE.schema, workers, null="空", encoding=encoding) as exporter:
        exporter.write_batch(PEOPLE.to_batches()[0])
    assert sink.getvalue().decode(encoding).splitlines()[2] == "空,空"


def test_the_header_can_be_left_out(written: Written) -> None:
    assert written(PEOPLE, header=False).startswith('"Ada",36\n')


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
def test_headers_are_quoted_as_texts_are(written: Written, quoting: str) -> None:
    names = ["plain", "with,comma", 'with"quote', "two\nlines", "", "名前"]
    text = written(pa.table({name: [1] for name in names}), quoting=quoting)
    assert next(csv.reader(io.StringIO(text, newline=""))) == names
    assert text.startswith('"plain",' if quoting == "strings" else "plain,")


@pytest.mark.parametrize(("header", "text"), [(True, '"n"\n'), (False, "")])
def test_no_rows_make_a_file_of_the_header_alone(written: Written, header: bool, text: str) -> None:
    assert written(pa.table({"n": pa.array([], pa.int64())}), header=header) == text


def test_a_stream_without_a_batch_makes_a_file_of_the_header_alone(workers: Workers) -> None:
    sink = io.BytesIO()
    with opened(sink, PEOPLE.schema, workers):
        pass
    assert sink.getvalue() == b'"name","age"\n'


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
@pytest.mark.parametrize("array", [pa.nulls(3), pa.nulls(3, pa.int64()), pa.nulls(3, pa.string())])
def test_a_row_of_one_null_is_never_an_empty_line(
    written: Written, array: pa.Array, quoting: str
) -> None:
    assert written(pa.table({"n": array}), quoting=quoting, header=False) == '""\n' * 3


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
def test_a_row_of_one_null_is_the_text_for_null_where_there_is_one(
    written: Written, quoting: str
) -> None:
    table = pa.table({"n": pa.array([1, None])})
    assert written(table, quoting=quoting, null="-", header=False) == "1\n-\n"


VALUES = [
    (pa.array([True, False]), ["true", "false"]),
    (pa.array([-128, 127], pa.int8()), ["-128", "127"]),
    (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
    (pa.array([0.1, 1.5], pa.float32()), ["0.1", "1.5"]),
    (pa.array([0.1, -2.5, 1e-7]), ["0.1", "-2.5", "1e-7"]),
    (pa.array([0.5], pa.float16()), ["0.5"]),
    (pa.array([Decimal("1.50"), Decimal("-0.01")]), ["1.50", "-0.01"]),
    (pa.array([Decimal("9" * 38)]), ["9" * 38]),
    (pa.array([date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)]),
     ["2024-02-29", "0001-01-01", "9999-12-31"]),
    (pa.array([date(2024, 2, 29)], pa.date64()), ["2024-02-29"]),
    (pa.array([time(23, 59, 59)], pa.time32("s")), ["23:59:59"]),
    (pa.array([1], pa.time64("ns")), ["00:00:00.000000001"]),
    (pa.array([datetime(2024, 2, 29, 12, 30)], pa.timestamp("s")), ["2024-02-29 12:30:00"]),
    (pa.array([datetime(2024, 2, 29, 12, 30)], pa.timestamp("ms")), ["2024-02-29 12:30:00.000"]),
    (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
    (pa.array([0], pa.timestamp("s", "UTC")), ["1970-01-01 00:00:00Z"]),
    (pa.array([0], pa.timestamp("s", "Asia/Shanghai")), ["1970-01-01 08:00:00+0800"]),
    (pa.array([0], pa.timestamp("s", "-03:30")), ["1969-12-31 20:30:00-0330"]),
]  # fmt: skip


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
@pytest.mark.parametrize(
    ("array", "texts"), VALUES, ids=lambda each: str(getattr(each, "type", ""))
)
def test_a_value_that_is_no_text_is_written_without_quotes(
    written: Written, array: pa.Array, texts: list[str], quoting: str
) -> None:
    assert cells(written(beside(array), quoting=quoting)) == texts


def test_a_value_is_written_alike_when_it_stands_alone(written: Written) -> None:
    for array, texts in VALUES:
        assert written(pa.table({"v": array}), header=False).splitlines() == texts


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1.0, 1e16, 1e300, float("inf"), float("-inf"), float("nan")]),
        pa.array([Decimal("0.0000001")], pa.decimal128(20, 7)),
        pa.array([Decimal(12300)], pa.decimal128(5, -2)),
    ],
    ids=["floats", "small decimals", "decimals of hundreds"],
)
def test_numbers_are_spelled_alike_however_texts_are_quoted(
    written: Written, array: pa.Array
) -> None:
    assert cells(written(beside(array), quoting="minimal")) == cells(written(beside(array)))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_durations_are_texts_of_hours_minutes_seconds(written: Written, unit: str) -> None:
    values = [timedelta(days=1, seconds=1), -timedelta(hours=1), None]
    assert cells(written(beside(pa.array(values, pa.duration(unit))))) == [
        '"24:00:01"',
        '"-1:00:00"',
        "",
    ]


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.date32()])
def test_a_moment_beyond_every_calendar_is_refused_and_not_made_up(
    written: Written, kind: pa.DataType
) -> None:
    """Databases send the least and the largest number for -infinity and infinity."""
    most = 2 ** (kind.bit_width - 1)
    with pytest.raises(ExporterError):
        written(beside(pa.array([most - 1, -most], kind)))


TEXTS = ["a", None, "", "b,c", 'd"e', "漢字 😀", "\tx\r\n", "long enough to stand outside a view"]


@pytest.mark.parametrize("quoting", ["strings", "minimal"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda texts: texts.cast(pa.large_string()),
        lambda texts: texts.cast(pa.string_view()),
        lambda texts: texts.dictionary_encode(),
        pc.run_end_encode,
    ],
    ids=["large", "view", "dictionary", "run ends"],
)
def test_an_encoding_of_texts_leaves_no_trace(
    written: Written, encode: Callable[[pa.Array], pa.Array], quoting: str
) -> None:
    plain = pa.array(TEXTS)
    assert written(beside(encode(plain)), quoting=quoting) == written(
        beside(plain), quoting=quoting
    )


def test_a_slice_gives_its_own_rows(written: Written) -> None:
    batch = pa.record_batch({"n": range(10), "t": [str(n) for n in range(10)]})
    assert written([batch.slice(3, 2), batch.slice(9)]) == '"n","t"\n3,"3"\n4,"4"\n9,"9"\n'


def test_columns_are_selected_ordered_and_named(written: Written) -> None:
    columns = [ColumnOptions("age", header="Age"), ColumnOptions("name")]
    assert written(PEOPLE, columns).startswith('"Age","name"\n36,"Ada"\n')


def test_dates_take_a_format_of_the_column(written: Written) -> None:
    table = pa.table({"day": [date(2024, 2, 29), None], "n": [1, 2]})
    columns = [ColumnOptions("day", format="%d.%m.%Y"), ColumnOptions("n")]
    assert written(table, columns) == '"day","n"\n"29.02.2024",1\n,2\n'


def test_zoned_timestamps_take_a_format_by_their_own_clock(written: Written) -> None:
    noon = pa.array([datetime(2024, 2, 29, 12, tzinfo=UTC)], pa.timestamp("s", "Asia/Shanghai"))
    columns = [ColumnOptions("v", format="%H:%M"), ColumnOptions("n")]
    assert cells(written(beside(noon), columns)) == ['"20:00"']


def test_a_format_of_a_column_that_takes_none_is_refused(workers: Workers) -> None:
    with pytest.raises(InvalidOptions, match=r"columns: 'age' is int64; in csv only dates"):
        opened(io.BytesIO(), PEOPLE.schema, workers, [ColumnOptions("age", format="0.00")])


def test_many_blocks_come_in_order(written: Written) -> None:
    table = pa.table({"n": range(100_000), "t": [f"{n:06}" for n in range(100_000)]})
    text = written(table.to_batches(max_chunksize=7_000))
    assert text == '"n","t"\n' + "".join(f'{n},"{n:06}"\n' for n in range(100_000))


def test_the_same_data_makes_the_same_bytes_whatever_the_batches(written: Written) -> None:
    table = pa.table({"n": range(20_000), "t": [str(n) for n in range(20_000)]})
    assert written(table) == written(table.to_batches(max_chunksize=99))


@pytest.mark.parametrize("columns", [2_047, 3_000])
def test_thousands_of_columns_are_written(written: Written, columns: int) -> None:
    """pyarrow's writer counts the cells of a batch in 32 bits."""
    table = pa.table({f"c{place}": [place] for place in range(columns)})
    assert written(table).split("\n")[1] == ",".join(map(str, range(columns)))


def view_of_one_text(text: bytes, rows: int) -> pa.Array:
    """Views may all look at the same bytes."""
    view = struct.pack("<i4sii", len(text), text[:4], 0, 0)
    buffers = [None, pa.py_buffer(view * rows), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string_view(), rows, buffers)


@pytest.mark.parametrize(
    "array",
    [
        pa.DictionaryArray.from_arrays(pa.array([0] * 1024, pa.int8()), ["x" * 65_536]),
        pa.RunEndEncodedArray.from_arrays([1024], ["x" * 65_536]),
        view_of_one_text(b"x" * 65_536, 1024),
    ],
    ids=["dictionary", "run", "view"],
)
def test_a_text_that_repeats_in_few_bytes_is_still_cut_into_small_blocks(
    array: pa.Array, workers: Workers
) -> None:
    """It is tiny in Arrow and huge in the file."""
    sizes: list[int] = []

    class Sink:
        def write(self, data: Data) -> None:
            sizes.append(memoryview(data).nbytes)

    table = beside(array)
    with opened(Sink(), table.schema, workers) as exporter:
        exporter.write_batch(table.to_batches()[0])
    assert sum(sizes) > 64 * 1024 * 1024
    assert max(sizes) < 16 * 1024 * 1024


def test_an_export_that_fails_leaves_no_bytes_in_flight(workers: Workers) -> None:
    batch = pa.record_batch({"n": range(50_000)})

    def export() -> None:
        with opened(io.BytesIO(), batch.schema, workers) as exporter:
            exporter.write_batch(batch)
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        export()
    assert workers.in_flight == 0


def test_a_sink_that_fails_fails_the_export(workers: Workers) -> None:
    class FullDisk:
        def write(self, data: Data) -> None:
            raise OSError("disk full")

    with (
        pytest.raises(OSError, match="disk full"),
        opened(FullDisk(), PEOPLE.schema, workers) as exporter,
    ):
        exporter.write_batch(PEOPLE.to_batches()[0])
    assert workers.in_flight == 0


def test_exports_side_by_side_do_not_mix(workers: Workers) -> None:
    sinks = [io.BytesIO() for _ in range(6)]

    def export(mark: int, sink: io.BytesIO) -> None:
        batch = pa.record_batch({"n": [mark] * 5_000})
        with opened(sink, batch.schema, workers, header=False) as exporter:
            for _ in range(20):
                exporter.write_batch(batch)

    threads = [threading.Thread(target=export, args=each) for each in enumerate(sinks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sink.getvalue() for sink in sinks] == [b"%d\n" % n * 100_000 for n in range(6)]


@pytest.mark.parametrize(
    ("schema", "columns", "error"),
    [
        (pa.schema([]), (), InvalidSchema),
        (pa.schema([("a", pa.int8()), ("a", pa.int8())]), (), InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("nane")], InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("name"), ColumnOptions("name")], InvalidOptions),
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


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (pa.bool_(), {}),
        (pa.bool_(), {"true": "x" * 100}),
        (pa.null(), {"null": "y" * 100}),
        (pa.date32(), {"date_format": "%A %B " * 40}),
    ],
    ids=str,
)
def test_values_that_are_few_bits_and_long_texts_are_measured_by_their_texts(
    kind: pa.DataType, options: dict[str, Any], workers: Workers
) -> None:
    sizes: list[int] = []

    class Sink:
        def write(self, data: Data) -> None:
            sizes.append(memoryview(data).nbytes)

    column = pa.nulls(16_384, kind) if pa.types.is_null(kind) else pa.array([1] * 16_384).cast(
        pa.int32() if pa.types.is_date(kind) else pa.bool_()).cast(kind)  # fmt: skip
    batch = pa.RecordBatch.from_arrays([column] * 60, names=[str(n) for n in range(60)])
    with opened(Sink(), batch.schema, workers, **options) as exporter:
        exporter.write_batch(batch)
        in_flight = workers.in_flight
    assert max(sizes) <= 20 * 1024 * 1024
    assert in_flight > 0
    assert sum(sizes) > 60 * 16_384


@pytest.mark.parametrize("guard", ["prefix", "reject"])
def test_numbers_asked_for_as_texts_are_no_formulas(written: Written, guard: str) -> None:
    columns = [
        ColumnOptions("n", type="string"),
        ColumnOptions(value=-1, header="c", type="string"),
    ]
    text = written(pa.table({"n": [-5]}), columns, formula_guard=guard)
    assert text == '"n","c"\n"-5","-1"\n'


def test_a_constant_text_is_guarded(workers: Workers) -> None:
    sink = io.BytesIO()
    columns = [ColumnOptions(value="=1+1", header="c")]
    with opened(sink, PEOPLE.schema, workers, columns, formula_guard="prefix") as exporter:
        exporter.write_batch(PEOPLE.to_batches()[0])
    assert sink.getvalue().decode().splitlines()[1] == '"\'=1+1"'
    assert [each.count for each in exporter.warnings] == [3]


def test_an_offset_after_2037_is_that_of_the_zone_in_every_way_of_writing(
    written: Written,
) -> None:
    """Arrow's zones stop in 2037."""
    summer = pa.array([datetime(2040, 7, 1, 12, tzinfo=UTC)], pa.timestamp("s", "Europe/Berlin"))
    table = pa.table({"v": summer, "l": pa.array([[summer[0]]], pa.list_(summer.type))})
    columns = [ColumnOptions("v"), ColumnOptions("v", header="t", type="string"),
               ColumnOptions("v", header="m", map={"x": "y"}), ColumnOptions("l")]  # fmt: skip
    assert written(table, columns, header=False) == (
        '2040-07-01 14:00:00+0200,"2040-07-01 14:00:00+0200","2040-07-01 14:00:00+0200",'
        '"[""2040-07-01T14:00:00+02:00""]"\n'
    )

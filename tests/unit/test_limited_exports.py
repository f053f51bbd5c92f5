"""What is larger than an export may be is refused before harm is done, and leaves nothing."""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from exporters.base import Data
from flight_server.config.limits_section import LimitsSection
from flight_server.errors import ErrorCode, ServiceError
from flight_server.limits import LimitedBatches, LimitedStream, cells, check_request
from flight_server.request import ColumnOptions, parse_command
from flight_server.service import Export
from flight_server.storage.base import Target, Upload
from flight_server.storage.memory import MemoryStorage, MemoryUpload
from flight_server.stream import Message, MessageStream
from tests.support.exports import SCHEMA, batch
from tests.support.hostile import nulls, runs, views
from tests.support.scripted import COMMIT, Script, bench

MIB = 2**20


def limits(**values: object) -> LimitsSection:
    return LimitsSection.model_validate(values)


def refusal(raised: pytest.ExceptionInfo[ServiceError]) -> str:
    assert raised.value.code is ErrorCode.LIMIT_EXCEEDED
    return raised.value.message


class Sent:
    """Valid batches of one schema."""

    def __init__(self, *batches: pa.RecordBatch) -> None:
        self.schema = batches[0].schema
        self._batches = batches

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self._batches)


def passed(
    *batches: pa.RecordBatch, asked: tuple[ColumnOptions, ...] = (), **most: object
) -> list[pa.RecordBatch]:
    return list(LimitedBatches(Sent(*batches), asked, limits(**most)))


def of(*arrays: pa.Array) -> pa.RecordBatch:
    return pa.record_batch(list(arrays), names=[f"c{place}" for place in range(len(arrays))])


class TestRequests:
    def test_rows_that_are_declared_are_no_more_than_allowed(self) -> None:
        request = parse_command(b'{"filename": "a.csv", "rows": 1001}')
        check_request(request, limits(max_rows=1001))
        check_request(request, limits(max_rows="unlimited"))
        with pytest.raises(ServiceError) as raised:
            check_request(request, limits(max_rows=1000))
        assert refusal(raised) == "limits.max_rows: 1,001 rows are declared; at most 1,000"

    def test_columns_that_are_asked_for_are_no_more_than_allowed(self) -> None:
        request = parse_command(b'{"filename": "a.csv", "columns": [{"name": "a"}, {"name": "b"}]}')
        check_request(request, limits(max_columns=2))
        with pytest.raises(ServiceError) as raised:
            check_request(request, limits(max_columns=1))
        assert refusal(raised) == "limits.max_columns: 2 columns are asked for; at most 1"

    def test_a_request_that_is_refused_makes_no_task(self) -> None:
        with bench(limits=limits(max_rows=2)) as parts:
            with pytest.raises(ServiceError):
                parts.service.open(parse_command(b'{"filename": "a.csv", "rows": 3}'), "us")
            assert parts.service.list("us") == []


class TestStreams:
    def limited(self, *messages: Message, **most: object) -> MessageStream:
        return LimitedStream(Script(*messages), limits(**most))

    def test_rows_are_counted_over_all_batches(self) -> None:
        stream = self.limited(Message(batch(3), None), Message(batch(2), None), max_rows=4)
        stream.read()
        with pytest.raises(ServiceError) as raised:
            stream.read()
        assert refusal(raised) == "limits.max_rows: 5 rows were sent; at most 4"

    def test_what_is_within_the_limits_passes_as_it_is(self) -> None:
        message = Message(batch(4), b"{}")
        stream = self.limited(message, COMMIT, max_rows=4)
        assert [stream.read() for _ in range(3)] == [message, COMMIT, None]
        assert stream.schema == SCHEMA

    def test_a_batch_has_its_buffers_whole_however_little_it_refers_to(self) -> None:
        """Its offsets are not looked at: they may lead anywhere."""
        text = pa.array(["x" * 5 * MIB, "y"]).slice(1)
        with pytest.raises(ServiceError) as raised:
            self.limited(Message(of(text), None), max_batch_bytes=4 * MIB).read()
        assert refusal(raised).startswith("limits.max_batch_bytes: a batch has 5,242,8")

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            (pa.int64(), 1),
            (pa.struct([("a", pa.int8()), ("b", pa.struct([("c", pa.int8())]))]), 4),
            (pa.list_(pa.struct([("a", pa.int8())])), 2),
            (pa.map_(pa.string(), pa.struct([("a", pa.int8())])), 2),
            (pa.dictionary(pa.int8(), pa.struct([("a", pa.int8())])), 2),
            (pa.run_end_encoded(pa.int16(), pa.struct([("a", pa.int8())])), 2),
        ],
        ids=str,
    )
    def test_fields_of_structs_are_columns_too(self, kind: pa.DataType, fields: int) -> None:
        script = Script(schema=pa.schema([("c", kind)]))
        assert LimitedStream(script, limits(max_columns=fields)).schema == script.schema
        if fields > 1:
            with pytest.raises(ServiceError) as raised:
                _ = LimitedStream(script, limits(max_columns=fields - 1)).schema
            assert f"has {fields} columns" in refusal(raised)


TEXT = "é" * 50
"""100 bytes."""
LONG: dict[str, pa.Array] = {
    "string": pa.array(["a", None, TEXT]),
    "large string": pa.array(["a", None, TEXT], pa.large_string()),
    "view": pa.array(["a", None, TEXT], pa.string_view()),
    "binary": pa.array([b"a", None, TEXT.encode()]),
    "binary view": pa.array([b"a", None, TEXT.encode()], pa.binary_view()),
    "fixed binary": pa.array([None, None, bytes(100)], pa.binary(100)),
    "dictionary": pa.array(["a", None, TEXT]).dictionary_encode(),
    "runs": pa.RunEndEncodedArray.from_arrays([2, 3], ["a", TEXT]),
    "list": pa.array([[], None, ["a" * 42, "b" * 42]]),
    "struct": pa.array([None, None, {"name": "x" * 88}]),
    "map": pa.array([[], None, [("k" * 42, "v" * 42)]], pa.map_(pa.string(), pa.string())),
    "list of runs": pa.ListArray.from_arrays(
        [0, 0, 0, 2], pa.RunEndEncodedArray.from_arrays([2], ["a" * 42])
    ),
    "json": pa.array(["1", None, "2" * 100], pa.json_()),
    "struct of uuids": pa.StructArray.from_arrays(
        [pa.array([bytes(16)] * 3, pa.uuid())], ["n" * 76], mask=pa.array([True, True, False])
    ),
}


class TestCells:
    @pytest.mark.parametrize("array", LONG.values(), ids=LONG)
    def test_the_longest_cell_is_as_long_as_allowed_and_no_longer(self, array: pa.Array) -> None:
        assert passed(of(array), max_cell_bytes=100) == [of(array)]
        with pytest.raises(ServiceError) as raised:
            passed(of(array.slice(0, 2)), of(array), max_cell_bytes=99)
        assert refusal(raised) == (
            "limits.max_cell_bytes: column 'c0' has a cell of 100 bytes in row 5; at most 99"
        )

    @pytest.mark.parametrize("array", LONG.values(), ids=LONG)
    def test_a_slice_is_not_refused_for_what_is_beside_it(self, array: pa.Array) -> None:
        assert passed(of(array.slice(0, 2)), max_cell_bytes=99)

    def test_a_dictionary_may_have_long_values_that_no_row_has(self) -> None:
        array = pa.DictionaryArray.from_arrays([0, 0], ["a", "x" * 100])
        assert passed(of(array), max_cell_bytes=10)

    def test_numbers_and_times_have_no_length(self) -> None:
        array = pa.array([0], pa.timestamp("ns", "UTC"))
        assert passed(of(array, pa.array([1.5]), nulls(1)), max_cell_bytes=1)

    def test_a_column_with_a_long_name_is_named_by_its_beginning(self) -> None:
        data = pa.record_batch([pa.array(["xx"])], names=["n" * 10_000])
        with pytest.raises(ServiceError) as raised:
            passed(data, max_cell_bytes=1)
        assert "in row 1; at most 1" in refusal(raised)

    def test_a_cell_beyond_64_bits_is_long(self) -> None:
        with pytest.raises(ServiceError) as raised:
            passed(of(views(12, 100)), max_cell_bytes="2 GiB")
        assert "has a cell of 8,589,934,592 bytes in row 1" in refusal(raised)


class TestValues:
    @pytest.mark.parametrize(
        ("array", "size"),
        [
            (pa.array([1, 2, 3]), 24),
            (pa.array(["a", "bb", ""], pa.large_string()), 3 + 3 * 8),
            (pa.DictionaryArray.from_arrays(pa.array([0] * 10, pa.int8()), ["x" * 50]), 580),
            (runs(10, "x" * 50), 580),
            (runs(10, 1), 80),
            (nulls(10), 80),
            (views(1, 10), 10 * (8 + 10 * 9)),
        ],
        ids=["numbers", "texts", "dictionary", "runs", "runs of numbers", "nulls", "views"],
    )
    def test_values_count_as_often_as_they_stand_in_a_row(self, array: pa.Array, size: int) -> None:
        assert len(passed(of(array), of(array), max_bytes_in=2 * size)) == 2
        assert passed(of(array), max_bytes_in="unlimited")
        with pytest.raises(ServiceError) as raised:
            passed(of(array), of(array), max_bytes_in=2 * size - 1)
        expected = f"limits.max_bytes_in: the rows sent have {2 * size:,} bytes"
        assert refusal(raised).startswith(expected)

    def test_columns_that_share_their_bytes_have_them_each(self) -> None:
        """In a message each column says where its bytes are: all may name the same."""
        text = pa.array(["x" * 3 * MIB])
        assert of(text, text).get_total_buffer_size() < 4 * MIB
        with pytest.raises(ServiceError) as raised:
            passed(of(text, text), max_batch_bytes=4 * MIB)
        assert refusal(raised).startswith("limits.max_batch_bytes: a batch has 6,291,4")

    def test_values_within_others_count_where_they_take_no_bytes(self) -> None:
        size = 4 * MIB // 8
        lists = pa.ListArray.from_arrays([0, size], nulls(size))
        assert passed(of(lists), max_batch_bytes=4 * MIB)
        with pytest.raises(ServiceError) as raised:
            passed(of(pa.ListArray.from_arrays([0, 0], nulls(size + 1))), max_batch_bytes=4 * MIB)
        assert "a batch has 524,289 values within others, of 8 bytes each" in refusal(raised)


def shared(*counts: int) -> pa.Array:
    """Rows with so many times the same 1,016 bytes: each counts a KiB, and is sent once."""
    ends = [sum(counts[:place]) for place in range(len(counts) + 1)]
    places = pa.array([0] * ends[-1], pa.int8())
    return pa.ListArray.from_arrays(ends, pa.DictionaryArray.from_arrays(places, ["x" * 1016]))


class TestRows:
    """A row in the file is no larger than a batch may be."""

    def test_a_row_may_be_small_as_it_is_sent(self) -> None:
        data = [shared(1, 2048)] * 3
        assert of(*data).nbytes < 10_000
        assert passed(of(*data[:2]), max_batch_bytes=4 * MIB)
        with pytest.raises(ServiceError) as raised:
            passed(of(*data), max_batch_bytes=4 * MIB)
        assert "limits.max_batch_bytes: a row has 6,291,456 bytes in row 2" in refusal(raised)

    def test_a_column_may_be_asked_for_again_and_again(self) -> None:
        asked = tuple(ColumnOptions("c0", header=str(place)) for place in range(3))
        data = of(pa.array(["a", "x" * 2 * MIB]), pa.array(["y", "y" * MIB]))
        assert passed(data, asked=asked[:2], max_batch_bytes=4 * MIB)
        with pytest.raises(ServiceError) as raised:
            passed(data, asked=asked, max_batch_bytes=4 * MIB)
        assert "a row has 6,291,456 bytes in row 2" in refusal(raised)

    def test_long_cells_in_different_rows_make_no_long_row(self) -> None:
        columns = [shared(*[0] * place, 2048, *[0] * (3 - place)) for place in range(4)]
        assert passed(of(*columns), max_batch_bytes=4 * MIB)


class TestPieces:
    def test_a_batch_comes_in_pieces_whose_rows_are_all_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cells, "PIECE_ROWS", 4)
        pieces = passed(batch(10), batch(0, 10), batch(3, 10))
        assert [piece.num_rows for piece in pieces] == [4, 4, 2, 0, 3]
        assert pa.concat_batches(pieces) == batch(13)

    def test_the_more_columns_are_measured_the_fewer_rows_a_piece_has(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cells, "PIECE_ROWS", 1000)
        monkeypatch.setattr(cells, "PIECE_CELLS", 2000)
        measured, plain = runs(3000, 1), pa.array(range(3000))
        assert [piece.num_rows for piece in passed(of(measured, plain, plain))] == [1000] * 3
        assert [piece.num_rows for piece in passed(of(*[measured] * 4))] == [500] * 6

    def test_a_row_is_named_by_its_place_in_the_stream(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cells, "PIECE_ROWS", 4)
        with pytest.raises(ServiceError) as raised:
            passed(
                batch(10),
                of(pa.array(range(6)), pa.array(["x"] * 5 + ["y" * 20])),
                max_cell_bytes=10,
            )
        assert "in row 16;" in refusal(raised)


class Storage(MemoryStorage):
    """Counts uploads and the blocks that are written to them."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads: list[Upload] = []
        self.blocks = 0
        self.on_block: Callable[[], object] = lambda: None

    def open_upload(self, target: Target) -> MemoryUpload:
        storage = self

        class Counted(MemoryUpload):
            def write(self, data: Data) -> None:
                storage.blocks += 1
                super().write(data)
                storage.on_block()

        super().open_upload(target)
        upload = Counted(self, target)
        self.uploads.append(upload)
        return upload


def run(storage: Storage, *steps: Any, schema: pa.Schema = SCHEMA, **most: object) -> str:
    """The refusal of an export, of which nothing may be left."""
    with bench(storage, slots=1, limits=limits(**most)) as parts:
        export = parts.service.open(parse_command(b'{"filename": "a.csv"}'), "us")
        assert isinstance(export, Export)
        with pytest.raises(ServiceError) as raised:
            export.run(Script(*steps, COMMIT, schema=schema), lambda _task: None)
        assert parts.manager.active == 0
        assert storage._kept == {}
        task = parts.service.status("us", task_id=export.task.task_id)
        assert task.error == raised.value.failure
        return raised.value.message


class TestExports:
    def test_columns_are_refused_before_there_is_a_spool(self) -> None:
        storage = Storage()
        message = run(storage, lambda: pytest.fail("a batch was asked for"), max_columns=1)
        assert message.startswith("limits.max_columns: the stream has 2 columns")
        assert storage.uploads == []

    def test_a_block_that_makes_the_file_too_large_is_not_written(self) -> None:
        storage = Storage()
        message = run(storage, Message(batch(100_000), None), max_bytes_out="1 MiB")
        assert message.startswith("limits.max_bytes_out: the file would have 1,")
        [upload] = storage.uploads
        assert 0 < upload.bytes_written <= MIB

    def test_a_batch_with_a_long_cell_is_not_written_at_all(self) -> None:
        storage = Storage()
        long = pa.record_batch([[1], ["x" * 200_000]], schema=SCHEMA)
        message = run(storage, Message(long, None), max_cell_bytes=100_000)
        assert message.startswith("limits.max_cell_bytes: column 'name' has a cell of 200,000")
        assert storage.blocks == 0

    def test_without_limits_the_whole_of_it_is_exported(self) -> None:
        boundless = dict.fromkeys(("max_rows", "max_bytes_in", "max_bytes_out"), "unlimited")
        with bench(limits=limits(**boundless)) as parts:
            export = parts.service.open(parse_command(b'{"filename": "a.csv", "rows": 5}'), "us")
            assert isinstance(export, Export)
            task = export.run(Script(Message(batch(5), None)), lambda _task: None)
        assert (task.rows, task.error) == (5, None)

    def test_one_that_has_ended_writes_no_further_block_of_its_batch(self) -> None:
        """Its spool is removed already: what is written to it holds the disk unseen."""
        with bench(storage := Storage()) as parts:
            export = parts.service.open(parse_command(b'{"filename": "a.csv"}'), "us")
            assert isinstance(export, Export)
            storage.on_block = lambda: parts.service.cancel("us", export.task.task_id)
            with pytest.raises(ServiceError) as raised:
                export.run(Script(Message(batch(200_000), None), COMMIT), lambda _task: None)
            assert raised.value.code is ErrorCode.CANCELLED
            assert storage.blocks == 1

    @pytest.mark.parametrize("most", [{"max_rows": 2}, {"max_cell_bytes": 5}], ids=str)
    def test_an_error_that_lives_on_keeps_no_batch(self, most: dict[str, int]) -> None:
        """It would have the memory of what was refused until the collector comes by."""
        made: list[weakref.ref[pa.RecordBatch]] = []

        class Stream:
            schema = SCHEMA

            def read(self) -> Message:
                data = batch(3)
                made.append(weakref.ref(data))
                return Message(data, None)

        with bench(limits=limits(**most)) as parts:
            export = parts.service.open(parse_command(b'{"filename": "a.csv"}'), "us")
            assert isinstance(export, Export)
            with pytest.raises(ServiceError) as raised:
                export.run(Stream(), lambda _task: None)
        assert raised.value.code is ErrorCode.LIMIT_EXCEEDED
        assert [reference() for reference in made] == [None]

"""What the bytes of a call are taken for, held against the library of protobuf."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from grpc_tools import protoc
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flight_server.config.model import KEYS
from flight_server.errors import ErrorCode, ServiceError
from flight_server.transports import export_pb2 as pb
from flight_server.transports.grpc_rows import RowDecoder
from flight_server.transports.grpc_sequence import BatchOrder
from flight_server.transports.grpc_stream import TOGETHER
from flight_server.transports.grpc_wire import payload_of
from tests.support.grpc_client import PROTO, batch, metadata

TEXTS = st.text(max_size=8)


def kind_by_library(message: bytes) -> str | None:
    try:
        kind: str | None = pb.ExportRequest.FromString(message).WhichOneof("payload")
    except DecodeError:
        return None
    return kind


def kind_by_us(message: bytes) -> str | None:
    try:
        return payload_of(message).kind
    except ServiceError as error:
        return None if error.code is ErrorCode.INVALID_DATA else str(error)


def test_the_generated_code_is_that_of_the_contract(tmp_path: pytest.TempPathFactory) -> None:
    arguments = ["", f"-I{PROTO.parent}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    assert protoc.main([*arguments, PROTO.name]) == 0
    for name in ("export_pb2.py", "export_pb2.pyi"):
        made = (tmp_path / name).read_text()  # type: ignore[operator]
        assert made == (PROTO.parent / name).read_text(), f"generate {name} again"


CONTRACT = {
    "ColumnDefinition": "1: name string, 2: data_type DataType, 3: width int32, 4: format string",
    "FormatOptions": (
        "1: csv_delimiter string, 2: csv_encoding string, 3: excel_sheet_name string, "
        "4: excel_start_row int32, 5: compression_enabled bool"
    ),
    "ExportMetadata": (
        "1: request_id string, 2: format ExportFormat, 3: filename string, "
        "4: columns repeated ColumnDefinition, 5: options FormatOptions"
    ),
    "Record": "1: values repeated string",
    "DataBatch": "1: records repeated Record, 2: batch_sequence int64",
    "ExportRequest": "1: metadata ExportMetadata, 2: batch DataBatch",
    "ExportResponse": (
        "1: task_id string, 2: status TaskStatus, 3: oss_url string, 4: file_size_bytes int64, "
        "5: record_count int64, 6: progress_percent float, 7: checksum_sha256 string, "
        "8: error_message string, 9: error_code string, 10: start_time int64, "
        "11: completion_time int64"
    ),
    "TaskStatusRequest": "1: task_id string",
    "TaskStatusResponse": (
        "1: task_id string, 2: status TaskStatus, 3: format ExportFormat, 4: filename string, "
        "5: records_processed int64, 6: progress_percent float, 7: oss_url string, "
        "8: file_size_bytes int64, 9: error_message string, 10: error_code string, "
        "11: start_time int64, 12: completion_time int64, 13: estimated_time_remaining int64"
    ),
}
"""Numbers, names and types on the wire: deployed clients were made from them."""

ENUMS = {
    "ExportFormat": "FORMAT_UNSPECIFIED 0, FORMAT_EXCEL 1, FORMAT_CSV 2",
    "DataType": (
        "DATA_TYPE_UNSPECIFIED 0, DATA_TYPE_STRING 1, DATA_TYPE_NUMBER 2, DATA_TYPE_DATE 3, "
        "DATA_TYPE_BOOLEAN 4"
    ),
    "TaskStatus": (
        "TASK_STATUS_UNSPECIFIED 0, TASK_STATUS_QUEUED 1, TASK_STATUS_PROCESSING 2, "
        "TASK_STATUS_UPLOADING 3, TASK_STATUS_COMPLETED 4, TASK_STATUS_FAILED 5"
    ),
}

SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_BOOL: "bool",
}


def spelled(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    repeated = "repeated " if field.is_repeated else ""
    return f"{field.number}: {field.name} {repeated}{named.name if named else SCALARS[field.type]}"


def test_the_messages_are_those_that_deployed_clients_speak() -> None:
    messages = pb.DESCRIPTOR.message_types_by_name
    found = {name: ", ".join(map(spelled, each.fields)) for name, each in messages.items()}
    assert found == CONTRACT
    (payload,) = pb.ExportRequest.DESCRIPTOR.oneofs
    assert [each.name for each in payload.fields] == ["metadata", "batch"]


def test_the_enums_are_those_that_deployed_clients_speak() -> None:
    enums = pb.DESCRIPTOR.enum_types_by_name
    assert {
        name: ", ".join(f"{each.name} {each.number}" for each in enum.values)
        for name, enum in enums.items()
    } == ENUMS


def test_the_methods_are_those_that_deployed_clients_call() -> None:
    [service] = pb.DESCRIPTOR.services_by_name.values()
    assert service.full_name == "export.ExportService"
    assert not any(each.server_streaming for each in service.methods)
    assert [
        (each.name, each.client_streaming, each.input_type.name, each.output_type.name)
        for each in service.methods
    ] == [
        ("StreamExport", True, "ExportRequest", "ExportResponse"),
        ("QueryTaskStatus", False, "TaskStatusRequest", "TaskStatusResponse"),
    ]


@settings(max_examples=2_000, deadline=None)
@given(st.binary(max_size=40))
@example(b"")
@example(b"\x0a\x00")
@example(b"\x12\x00")
@example(b"\x12\x00\x0a\x00")
@example(b"\x12\x80\x80\x80\x80\x80\x00")
@example(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
def test_any_bytes_are_taken_for_what_protobuf_takes_them_for(message: bytes) -> None:
    """But for a message that is one field: what is wrong within it comes out when it is decoded."""
    ours, theirs = kind_by_us(message), kind_by_library(message)
    if theirs is not None:
        assert ours == theirs


@given(st.lists(st.sampled_from([metadata(), batch([("1", "x")]), batch([])]), max_size=4))
def test_of_several_payloads_the_last_counts(messages: list[pb.ExportRequest]) -> None:
    joined = b"".join(each.SerializeToString() for each in messages)
    assert kind_by_us(joined) == kind_by_library(joined)


def test_unknown_fields_are_skipped() -> None:
    known = batch([("1", "x")]).SerializeToString()
    later = b"\x7a\x03new"  # field 15, a text
    for message in (later + known, known + later):
        assert payload_of(message).data == payload_of(known).data


# Rows ---------------------------------------------------------------------------------------


def encoded(rows: Sequence[Sequence[str]], number: int = 0) -> bytes:
    records = [pb.Record(values=row) for row in rows]
    data: bytes = pb.DataBatch(records=records, batch_sequence=number).SerializeToString()
    return data


def refusal(decoder: RowDecoder, *batches: bytes) -> str:
    with pytest.raises(ServiceError) as refused:
        decoder.decode(batches)
    assert refused.value.code is ErrorCode.INVALID_DATA
    return refused.value.message


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.lists(TEXTS, min_size=width, max_size=width), max_size=5), max_size=5
        ).map(lambda batches: (width, batches))
    ),
    st.booleans(),
)
def test_rows_become_columns(drawn: tuple[int, list[list[list[str]]]], nulls: bool) -> None:
    width, batches = drawn
    decoder = RowDecoder([str(place) for place in range(width)], empty_is_null=nulls)
    rows = [row for each in batches for row in each]
    if not batches:
        return
    decoded = decoder.decode([encoded(each) for each in batches])
    decoded.validate(full=True)
    wanted = [[(text or None) if nulls else text for text in row] for row in rows]
    assert [list(row.values()) for row in decoded.to_pylist()] == wanted
    assert decoder.rows == len(rows)


def test_a_row_of_another_length_is_named_by_its_number_in_the_stream() -> None:
    decoder = RowDecoder(["a", "b"], empty_is_null=False)
    decoder.decode([encoded([("1", "2")] * 1_234)])
    said = refusal(decoder, encoded([("1", "2")]), encoded([("1", "2"), ("3",)]))
    assert said.startswith("row 1,237 has 1 values and the export 2 columns")


def test_a_text_that_is_no_utf8_is_named_by_row_and_column() -> None:
    good = encoded([("1", "abc"), ("2", "def")])
    decoder = RowDecoder(["a", "b"], empty_is_null=False)
    decoder.decode([good])
    said = refusal(decoder, good, good.replace(b"def", b"d\xffe"))
    assert said.startswith("column 'b', row 6: the text is not UTF-8")


def test_a_text_that_is_cut_inside_a_character_is_not_made_whole_by_the_next_one() -> None:
    halves = encoded([("~~~", "~~")]).replace(b"~~~", b"ab\xe5").replace(b"~~", b"\xbc\xa0")
    said = refusal(RowDecoder(["a", "b"], empty_is_null=False), halves)
    assert said.startswith("column 'a', row 1: the text is not UTF-8")


def rows_of(data: bytes) -> int | None:
    """How many rows the decoder finds; None for a refusal."""
    try:
        decoded = RowDecoder(["a"], empty_is_null=False).decode([data])
    except ServiceError as error:
        return None if error.code is ErrorCode.INVALID_DATA else -1
    decoded.validate(full=True)
    return int(decoded.num_rows)


def rows_by_library(data: bytes) -> int | None:
    try:
        return len(pb.DataBatch.FromString(data).records)
    except DecodeError:
        return None


@settings(max_examples=1_000, deadline=None)
@given(st.binary(max_size=60))
@example(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    """ptars is looser with fields that are none of ours, and finds no rows in them."""
    ours, theirs = rows_of(data), rows_by_library(data)
    assert ours != -1
    if theirs is not None:
        assert ours in {theirs, None}


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=1), max_size=4), st.data())
def test_a_batch_that_was_cut_off_is_never_a_shorter_one(
    rows: list[list[str]], drawn: st.DataObject
) -> None:
    whole = encoded(rows, 1)
    cut = whole[: drawn.draw(st.integers(0, len(whole)))]
    assert rows_of(cut) == rows_by_library(cut)


def test_the_columns_of_a_stream_are_texts() -> None:
    schema = RowDecoder(["a", "b"], empty_is_null=True).schema
    assert schema == pa.schema([("a", pa.string()), ("b", pa.string())])


# The order of batches -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "counted"),
    [
        ([0, 0, 0], [True, True, True]),
        ([1, 2, 3], [True, True, True]),
        ([0, 1, 2], [True, True, True]),
        ([1, 1, 2, 1, 3], [True, False, True, False, True]),
        ([0, 1, 0, 1, 2], [True, True, False, False, True]),
    ],
)
def test_each_number_counts_once(numbers: list[int], counted: list[bool]) -> None:
    order = BatchOrder()
    assert [order.counts(number) for number in numbers] == counted


@pytest.mark.parametrize(
    "numbers", [[2], [1, 3], [0, 1, 3], [0, 0, 1], [-1], [1, 2, -5], [1, 2, 0]]
)
def test_gaps_and_mixtures_are_refused(numbers: list[int]) -> None:
    order = BatchOrder()
    with pytest.raises(ServiceError, match="out of order"):
        list(map(order.counts, numbers))


@pytest.mark.parametrize("columns", [1, 60])
@pytest.mark.parametrize("nulls", [True, False], ids=["nulls", "empty texts"])
def test_messages_that_are_joined_make_no_batch_beyond_the_least_limit(
    columns: int, nulls: bool
) -> None:
    """Whether they are joined depends on how fast they come, and no refusal may."""
    row = [""] * columns
    size = len(encoded([row]))
    decoder = RowDecoder([str(place) for place in range(columns)], empty_is_null=nulls)
    batch = decoder.decode([encoded([row] * (TOGETHER // size))])
    assert batch.get_total_buffer_size() < KEYS["limits.max_batch_bytes"].kind.minimum

"""The original contract, with a client made from it: every rule that deployed clients rely on."""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import grpc
import httpx
import openpyxl
import pytest

from flight_server.transports import export_pb2 as pb
from tests.support.grpc_client import (
    Client,
    batch,
    column,
    metadata,
    refusal_of,
    task_id_of,
)
from tests.support.site import Running
from tests.support.waiting import wait_for

ROWS = [("1", "Ada"), ("2", "张三")]


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[Client]:
    with Client(server.grpc) as made:
        yield made


def content(answer: Any) -> bytes:
    got = httpx.get(answer.oss_url)
    assert got.status_code == 200
    return got.content


def cells(answer: Any) -> list[tuple[object, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content(answer))).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def refused(call: Callable[[], object], status: grpc.StatusCode, said: str) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert (caught.value.code(), said in caught.value.details()) == (status, True), caught.value
    assert "Traceback" not in caught.value.details()
    return caught.value


INVALID = grpc.StatusCode.INVALID_ARGUMENT

# The first message, and later ones ----------------------------------------------------------


def test_a_csv_export_is_answered_in_full_and_found_by_its_id(client: Client) -> None:
    rows = [(str(row), f"name {row}") for row in range(2_500)]
    batches = [batch(rows[first : first + 1_000], first // 1_000 + 1) for first in (0, 1000, 2000)]
    answer = client.export(metadata(filename="订单.csv"), *batches)
    data = content(answer)
    assert data.decode().splitlines() == ["id,name", *map(",".join, rows)]
    assert answer.status == pb.TASK_STATUS_COMPLETED
    assert (answer.record_count, answer.progress_percent) == (2_500, 100.0)
    assert answer.file_size_bytes == len(data)
    assert answer.checksum_sha256 == hashlib.sha256(data).hexdigest()
    assert 0 < answer.start_time <= answer.completion_time
    assert (answer.error_code, answer.error_message) == ("", "")
    status = client.status(answer.task_id)
    assert status.task_id == answer.task_id
    assert (status.status, status.format) == (pb.TASK_STATUS_COMPLETED, pb.FORMAT_CSV)
    assert (status.filename, status.records_processed) == ("订单.csv", 2_500)
    assert (status.progress_percent, status.estimated_time_remaining) == (100.0, 0)
    assert (status.file_size_bytes, status.error_code) == (len(data), "")
    assert (status.start_time, status.completion_time) == (
        answer.start_time,
        answer.completion_time,
    )
    assert httpx.get(status.oss_url).content == data


def test_a_second_metadata_message_is_refused(client: Client) -> None:
    call = lambda: client.export(metadata(), batch(ROWS), metadata())  # noqa: E731
    refused(call, INVALID, "metadata was sent twice")


def test_a_batch_first_is_refused(client: Client) -> None:
    refused(lambda: client.export(batch(ROWS)), INVALID, "a batch came first")


@pytest.mark.parametrize("place", [0, 1])
def test_an_empty_payload_is_refused(client: Client, place: int) -> None:
    messages = [metadata(), batch(ROWS)]
    messages[place] = pb.ExportRequest()
    refused(lambda: client.export(*messages), INVALID, "no payload")


def test_a_stream_without_any_message_is_refused(client: Client) -> None:
    refused(client.export, INVALID, "ended before its metadata")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"request_id": ""}, "metadata.request_id is missing"),
        ({"format": 0}, "metadata.format is missing"),
        ({"format": 7}, "metadata.format: 7 is not allowed; use one of FORMAT_EXCEL 1"),
        ({"filename": ""}, "metadata.filename is missing"),
        ({"filename": "../orders.csv"}, "metadata.filename"),
        ({"columns": []}, "metadata.columns is missing"),
        ({"columns": [pb.ColumnDefinition(data_type=1)]}, "metadata.columns[0].name is missing"),
        (
            {"columns": [column("a"), pb.ColumnDefinition(name="b")]},
            "metadata.columns[1].data_type is missing",
        ),
        ({"columns": [column("a", 9)]}, "metadata.columns[0].data_type: 9 is not allowed"),
        (
            {"options": pb.FormatOptions(csv_delimiter=";;")},
            "metadata.options.csv_delimiter",
        ),
        ({"options": pb.FormatOptions(csv_encoding="klingon")}, "metadata.options.csv_encoding"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    client: Client, change: dict[str, Any], said: str
) -> None:
    fields = {
        "request_id": "r",
        "format": pb.FORMAT_CSV,
        "filename": "orders.csv",
        "columns": [column("id")],
    }
    message = pb.ExportRequest(metadata=pb.ExportMetadata(**(fields | change)))
    call = client.begin(iter([message]))
    assert said in refusal_of(call)
    refused(call.result, INVALID, said)


@pytest.mark.parametrize("values", [["1"], ["1", "2", "3"], []])
def test_a_row_of_another_length_is_refused_with_its_number(
    client: Client, values: list[str]
) -> None:
    """Numbers count through the whole stream."""
    messages = metadata(), batch(ROWS, 1), batch([*ROWS, values], 2)
    error = refused(
        lambda: client.export(*messages),
        INVALID,
        f"row 5 has {len(values)} values and the export 2 columns",
    )
    task_id = dict(error.trailing_metadata())["x-task-id"]
    status = client.status(task_id)
    assert (status.status, status.error_code) == (pb.TASK_STATUS_FAILED, "INVALID_DATA")
    assert "row 5" in status.error_message
    assert status.oss_url == ""


# Batches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
def test_a_repeated_batch_is_ignored(client: Client, first: int) -> None:
    batches = [batch([(str(each), "x")], first + each) for each in (0, 1, 1, 0, 2)]
    answer = client.export(metadata(), *batches)
    assert content(answer) == b"id,name\n0,x\n1,x\n2,x\n"
    assert answer.record_count == 3


def test_a_gap_between_batches_is_an_error(client: Client) -> None:
    messages = metadata(), batch(ROWS, 1), batch(ROWS, 3)
    refused(lambda: client.export(*messages), INVALID, "batch.batch_sequence 3 is out of order")


def test_batches_without_numbers_all_count(client: Client) -> None:
    assert client.export(metadata(), batch(ROWS), batch(ROWS), batch(ROWS)).record_count == 6


def test_empty_batches_and_empty_exports_are_files_with_a_header(client: Client) -> None:
    assert content(client.export(metadata())) == b"id,name\n"
    assert content(client.export(metadata(), batch([]))) == b"id,name\n"
    book = client.export(metadata(kind=pb.FORMAT_EXCEL, filename="orders.xlsx"))
    assert cells(book) == [("id", "name")]
    assert book.record_count == 0


# CSV ----------------------------------------------------------------------------------------


def test_in_csv_every_text_stands_as_it_was_sent(client: Client) -> None:
    columns = [
        column("n", pb.DATA_TYPE_NUMBER),
        column("d", pb.DATA_TYPE_DATE, format="d/m/Y"),
        column("b", pb.DATA_TYPE_BOOLEAN),
        column("s"),
    ]
    rows = [("007", "1/2/2024", "YES", 'say "hi", twice'), ("1.50", "", "maybe", "")]
    data = content(client.export(metadata(*columns), batch(rows)))
    assert data == b'n,d,b,s\n007,1/2/2024,YES,"say ""hi"", twice"\n1.50,,maybe,\n'


def test_the_delimiter_and_the_encoding_are_those_asked_for(client: Client) -> None:
    asked = metadata(csv_delimiter=";", csv_encoding="GBK")
    data = content(client.export(asked, batch(ROWS)))
    assert data == "id;name\n1;Ada\n2;张三\n".encode("gbk")


def test_a_compressed_csv_is_gzip_and_is_called_so(client: Client) -> None:
    answer = client.export(metadata(compression_enabled=True), batch(ROWS))
    got = httpx.get(answer.oss_url, headers={"accept-encoding": "identity"})
    assert gzip.decompress(got.content).decode() == "id,name\n1,Ada\n2,张三\n"
    assert client.status(answer.task_id).filename == "orders.csv.gz"


# Excel --------------------------------------------------------------------------------------


def excel(*columns: pb.ColumnDefinition, **options: Any) -> pb.ExportRequest:
    return metadata(*columns, filename="orders.xlsx", kind=pb.FORMAT_EXCEL, **options)


def test_in_excel_numbers_dates_and_booleans_are_real(client: Client) -> None:
    columns = [
        column("n", pb.DATA_TYPE_NUMBER),
        column("d", pb.DATA_TYPE_DATE),
        column("b", pb.DATA_TYPE_BOOLEAN),
        column("s"),
    ]
    rows = [
        ("1", "2024-01-05", "true", "1"),
        ("-2.50", "2024/1/5 10:30:00", "N", "007"),
        ("1e3", "1704450600", "1", "=1+1"),
        ("620000000000000001", "2024-01-05T10:30:00Z", "no", "张三"),
        ("n/a", "0000-00-00", "maybe", ""),
        ("", "", "", "end"),
    ]
    answer = client.export(excel(*columns), batch(rows))
    day, morning = datetime(2024, 1, 5), datetime(2024, 1, 5, 10, 30)
    assert cells(answer) == [
        ("n", "d", "b", "s"),
        (1, day, True, "1"),
        (-2.5, morning, False, "007"),
        (1000, morning, True, "=1+1"),
        ("620000000000000001", morning, False, "张三"),
        ("n/a", "0000-00-00", "maybe", None),
        (None, None, None, "end"),
    ]


def test_texts_that_are_no_numbers_are_counted_as_a_warning(
    client: Client, server: Running
) -> None:
    asked = excel(column("n", pb.DATA_TYPE_NUMBER))
    answer = client.export(asked, batch([("1",), ("n/a",), ("007",)]))
    task = server.actions.one("status", task_id=answer.task_id)
    assert [(each["code"], each["count"]) for each in task["warnings"]] == [
        ("UNREAD_NUMBERS_AS_TEXT", 2)
    ]


def test_dates_are_read_in_the_columns_own_notation(client: Client) -> None:
    columns = column("d", pb.DATA_TYPE_DATE, format="d/m/Y"), column("n", 2, format="#,##0.00")
    answer = client.export(excel(*columns), batch([("5/1/2024", "1234.5")]))
    sheet = openpyxl.load_workbook(io.BytesIO(content(answer))).worksheets[0]
    assert [(cell.value, cell.number_format) for cell in sheet[2]] == [
        (datetime(2024, 1, 5), "dd/mm/yyyy"),
        (1234.5, "#,##0.00"),
    ]


def test_the_sheet_is_called_sheet1_or_as_asked_for(client: Client) -> None:
    def names(answer: Any) -> list[str]:
        return openpyxl.load_workbook(io.BytesIO(content(answer))).sheetnames

    assert names(client.export(excel(), batch(ROWS))) == ["Sheet1"]
    assert names(client.export(excel(excel_sheet_name="订单"), batch(ROWS))) == ["订单"]


def test_rows_before_the_start_row_stay_empty(client: Client) -> None:
    answer = client.export(excel(excel_start_row=3), batch(ROWS))
    assert cells(answer) == [(None, None), (None, None), ("id", "name"), *ROWS]
    assert cells(client.export(excel(excel_start_row=1), batch(ROWS)))[0] == ("id", "name")


def test_a_compressed_workbook_is_smaller_and_still_one(client: Client) -> None:
    rows = [(str(row), f"customer number {row}") for row in range(20_000)]
    plain = client.export(excel(), batch(rows))
    small = client.export(excel(compression_enabled=True), batch(rows))
    assert small.file_size_bytes < plain.file_size_bytes
    assert cells(small) == cells(plain)


def test_widths_are_those_asked_for(client: Client) -> None:
    answer = client.export(excel(column("id", width=42), column("name")), batch(ROWS))
    sheet = openpyxl.load_workbook(io.BytesIO(content(answer))).worksheets[0]
    assert round(sheet.column_dimensions["A"].width) == 43  # and the cell's margin


def test_columns_may_have_the_same_name(client: Client) -> None:
    twice = column("id"), column("id"), column("id (2)")
    assert cells(client.export(excel(*twice), batch([("1", "2", "3")]))) == [
        ("id", "id", "id (2)"),
        ("1", "2", "3"),
    ]
    data = content(client.export(metadata(*twice), batch([("1", "2", "3")])))
    assert data == b"id,id,id (2)\n1,2,3\n"


# Many rows, and large messages --------------------------------------------------------------


@pytest.mark.parametrize("kind", [pb.FORMAT_CSV, pb.FORMAT_EXCEL])
def test_half_a_million_rows_arrive(client: Client, kind: int) -> None:
    one = [(str(row), "x") for row in range(1_000)]
    message = batch(one)
    name = "many.csv" if kind == pb.FORMAT_CSV else "many.xlsx"
    answer = client.export(metadata(kind=kind, filename=name), *[message] * 500)
    assert (answer.record_count, answer.status) == (500_000, pb.TASK_STATUS_COMPLETED)
    if kind == pb.FORMAT_CSV:
        wanted = b"id,name\n" + b"".join(b"%d,x\n" % row for row in range(1_000)) * 500
        assert content(answer) == wanted


def test_a_message_of_more_than_4_mib_is_taken_and_one_of_more_than_64_is_not(
    client: Client,
) -> None:
    text = "x" * (8 * 2**20)
    answer = client.export(metadata(), batch([("1", text)]))
    assert answer.file_size_bytes == len("id,name\n1,\n") + len(text)
    with pytest.raises(grpc.RpcError):
        client.export(metadata(), batch([("1", "x" * (64 * 2**20))]))


def test_compressed_messages_are_taken(client: Client) -> None:
    answer = client.export(metadata(), batch(ROWS), compression=grpc.Compression.Gzip)
    assert answer.record_count == 2


def test_text_that_is_no_utf8_is_refused_with_its_row_and_column(client: Client) -> None:
    """The library of a client would not let it through; a hand-written one may."""
    record = b"\x0a\x011" + b"\x0a\x02\xd5\xc5"  # "1", and a character in GBK
    data = b"\x0a" + bytes([len(record)]) + record
    message = b"\x12" + bytes([len(data)]) + data
    raw = client.channel.stream_unary("/export.ExportService/StreamExport")
    call = raw.future(iter([metadata().SerializeToString(), message]), timeout=20)
    refused(call.result, INVALID, "column 'name', row 1: the text is not UTF-8")


# Status -------------------------------------------------------------------------------------


def test_an_unknown_task_is_not_found(client: Client) -> None:
    refused(lambda: client.status("01a2"), grpc.StatusCode.NOT_FOUND, "there is no task")
    refused(lambda: client.status(""), INVALID, "task_id is missing")


def test_the_status_is_told_while_rows_arrive(client: Client) -> None:
    gate: list[bool] = []

    def messages() -> Iterator[pb.ExportRequest]:
        yield metadata()
        yield batch([("1", "x")] * 20_000, 1)
        wait_for(lambda: gate)
        yield batch(ROWS, 2)

    call = client.begin(messages())
    task_id = task_id_of(call)
    wait_for(lambda: client.status(task_id).records_processed == 20_000)
    status = client.status(task_id)
    assert (status.status, status.progress_percent) == (pb.TASK_STATUS_PROCESSING, 0.0)
    assert status.start_time > 0
    gate.append(True)
    assert call.result().record_count == 20_002


def test_the_same_request_is_the_same_export(client: Client) -> None:
    first = client.export(metadata(request_id="same"), batch(ROWS))
    again = client.export(metadata(request_id="same"), batch(ROWS))
    assert (again.task_id, again.checksum_sha256) == (first.task_id, first.checksum_sha256)
    other = lambda: client.export(metadata(request_id="same", filename="b.csv"))  # noqa: E731
    refused(other, grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_CONFLICT")

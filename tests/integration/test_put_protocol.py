"""One export over Flight, message by message, as the protocol has it."""

import hashlib
import itertools
import threading
from datetime import datetime

import pyarrow as pa
import pytest

from tests.conftest import StartServer
from tests.support.exports import Json, Put, csv_of, export, refused, sheet_rows
from tests.support.site import Running
from tests.support.waiting import wait_for

TASK_KEYS = [
    *("task_id", "request_id", "client", "state", "format", "filename", "rows", "bytes"),
    *("progress", "position", "rows_per_second", "eta_seconds", "url", "url_expires_at"),
    *("size_bytes", "sha256", "sheets", "warnings", "error"),
    *("created_at", "started_at", "completed_at"),
]


def test_the_result_is_the_whole_task_object(server: Running) -> None:
    result = export(server.client, 3)
    content = csv_of(3)
    assert list(result) == ["type", *TASK_KEYS]
    assert result["state"] == "COMPLETED"
    assert (result["format"], result["filename"], result["client"]) == (
        "csv",
        "orders.csv",
        "anonymous",
    )
    assert (result["rows"], result["bytes"], result["size_bytes"]) == (
        3,
        len(content),
        len(content),
    )
    assert result["sha256"] == hashlib.sha256(content).hexdigest()
    assert (result["progress"], result["eta_seconds"], result["error"]) == (100.0, None, None)
    assert result["url"].startswith(f"{server.http}/files/{result['task_id']}/orders.csv?")
    times = [datetime.fromisoformat(result[key]) for key in TASK_KEYS[-3:]]
    assert times == sorted(times)
    assert all(result[key].endswith("Z") for key in ("created_at", "url_expires_at"))


def test_the_export_is_accepted_before_any_batch_is_sent(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv"})
    assert put.answer() == {
        "type": "accepted",
        "task_id": server.actions.all("list", limit=1)[0]["task_id"],
        "state": "PROCESSING",
    }
    put.send()
    put.commit()
    assert put.result()["rows"] == 3


def test_a_path_descriptor_is_a_filename_with_everything_else_by_default(server: Running) -> None:
    put = Put.of_path(server.client, "订单 2024.csv")
    put.send()
    put.commit()
    result = put.result()
    assert (result["filename"], result["format"]) == ("订单 2024.csv", "csv")
    assert server.web.get(result["url"]).content == csv_of(3)


@pytest.mark.parametrize("path", [(), ("a", "b.csv"), ("",), ("a/b.csv",), ("noextension",)])
def test_a_path_descriptor_of_another_kind_is_refused(
    server: Running, path: tuple[str, ...]
) -> None:
    with refused("INVALID_DESCRIPTOR"):
        Put.of_path(server.client, *path).answers()


def test_progress_comes_now_and_then_and_the_result_last(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv", "rows": 1_000_000})
    task_id = put.accepted()
    heard: list[Json | None] = []
    listening = threading.Thread(target=lambda: heard.append(put.answer()), daemon=True)
    listening.start()
    sent = itertools.count()
    wait_for(lambda: put.send(1, next(sent)) or heard)
    listening.join()
    put.commit()
    [progress] = heard
    assert progress is not None
    assert (progress["type"], progress["task_id"]) == ("progress", task_id)
    assert 0 < progress["rows"] <= next(sent)
    assert progress["bytes"] >= 0
    with refused("ROW_COUNT_MISMATCH"):
        put.answers()


def test_with_wait_false_the_result_is_the_durable_task(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv", "wait": False})
    put.send()
    put.commit()
    answers = put.answers()
    assert [each["type"] for each in answers] == ["accepted", "result"]
    result = answers[-1]
    assert (result["state"], result["size_bytes"], result["url"]) == (
        "UPLOADING",
        len(csv_of(3)),
        None,
    )
    wait_for(lambda: server.actions.state(result["task_id"]) == "COMPLETED")
    finished = server.actions.one("status", task_id=result["task_id"])
    assert server.web.get(finished["url"]).content == csv_of(3)


class TestCommit:
    def test_by_message(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        put.send()
        put.commit()
        assert put.result()["state"] == "COMPLETED"

    def test_by_message_with_the_number_of_rows(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        put.send(3)
        put.send(2, 3)
        put.commit(5)
        assert put.result()["rows"] == 5

    def test_in_the_metadata_of_the_last_batch(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        put.send_and_commit(4)
        assert put.result()["rows"] == 4

    def test_by_as_many_rows_as_were_declared(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv", "rows": 3})
        put.send(3)
        result = put.result()
        assert (result["state"], result["rows"], result["warnings"]) == ("COMPLETED", 3, [])

    def test_the_export_no_longer_needs_its_client_after_it(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        task_id = put.accepted()
        put.send()
        put.commit()
        put.drop()
        wait_for(lambda: server.actions.state(task_id) == "COMPLETED")

    def test_after_as_many_rows_as_declared_a_dropped_call_is_a_whole_export(
        self, server: Running
    ) -> None:
        put = Put(server.client, {"filename": "orders.csv", "rows": 3})
        task_id = put.accepted()
        put.send(3)
        put.drop()
        wait_for(lambda: server.actions.state(task_id) == "COMPLETED")

    def test_what_comes_after_it_is_not_part_of_the_export(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        task_id = put.accepted()
        put.send(3)
        put.commit(3)
        assert put.result()["rows"] == 3
        assert server.actions.one("status", task_id=task_id)["rows"] == 3


class TestWithoutCommit:
    def test_a_half_close_is_incomplete(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        task_id = put.accepted()
        put.send()
        with refused("INCOMPLETE_STREAM") as refusal:
            put.answers()
        assert refusal.retryable
        assert refusal.task_id == task_id
        server.assert_failed(task_id, "INCOMPLETE_STREAM")

    def test_a_dropped_writer_is_incomplete(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        task_id = put.accepted()
        put.send()
        put.drop()
        server.assert_failed(task_id, "INCOMPLETE_STREAM")

    def test_fewer_rows_than_declared_are_incomplete(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv", "rows": 4})
        task_id = put.accepted()
        put.send(3)
        with refused("INCOMPLETE_STREAM") as refusal:
            put.answers()
        assert "3 of 4 rows" in refusal.message
        server.assert_failed(task_id, "INCOMPLETE_STREAM")

    def test_no_message_at_all_is_incomplete(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        task_id = put.accepted()
        with refused("INCOMPLETE_STREAM"):
            put.answers()
        server.assert_failed(task_id, "INCOMPLETE_STREAM")

    def test_it_is_a_warning_where_the_configuration_says_so(
        self, start_server: StartServer
    ) -> None:
        relaxed = start_server("flight.require_commit=false")
        put = Put(relaxed.client, {"filename": "orders.csv"})
        put.send(3)
        result = put.result()
        assert (result["state"], result["rows"]) == ("COMPLETED", 3)
        assert [each["code"] for each in result["warnings"]] == ["UNVERIFIED_END"]

    def test_declared_rows_are_still_held_to_where_no_commit_is_required(
        self, start_server: StartServer
    ) -> None:
        relaxed = start_server("flight.require_commit=false")
        put = Put(relaxed.client, {"filename": "orders.csv", "rows": 4})
        put.send(3)
        with refused("INCOMPLETE_STREAM"):
            put.answers()


class TestRowCount:
    @pytest.mark.parametrize(
        ("declared", "sent", "committed"),
        [(None, 3, 4), (None, 3, 2), (3, 4, None), (4, 3, 3), (3, 3, 4), (3, 4, 4)],
        ids=[
            "the commit says more",
            "the commit says fewer",
            "more than declared",
            "fewer than declared, and committed",
            "the commit contradicts the declaration",
            "more than declared, and committed",
        ],
    )
    def test_a_contradiction_is_a_mismatch(
        self, server: Running, declared: int | None, sent: int, committed: int | None
    ) -> None:
        put = Put(server.client, {"filename": "orders.csv", "rows": declared})
        task_id = put.accepted()
        put.send(sent)
        with refused("ROW_COUNT_MISMATCH") as refusal:
            if committed is not None:
                put.commit(committed)
            put.answers()
        assert refusal.retryable
        server.assert_failed(task_id, "ROW_COUNT_MISMATCH")


@pytest.mark.parametrize(
    "metadata",
    [
        b"{}",
        b"hello",
        b'{"commit": 1}',
        b"[]",
        b'{"commit": true, "rows": -1}',
        b"\xff",
        b"[" * 9999,
    ],
)
def test_metadata_that_is_no_commit_is_refused(server: Running, metadata: bytes) -> None:
    put = Put(server.client, {"filename": "orders.csv"})
    task_id = put.accepted()
    put.send()
    with refused("INVALID_DATA") as refusal:
        put.metadata(metadata)
        put.answers()
    assert not refusal.retryable
    server.assert_failed(task_id, "INVALID_DATA")


class TestZeroRows:
    def test_a_csv_of_no_rows_has_its_header(self, server: Running) -> None:
        result = export(server.client, 0)
        assert result["rows"] == 0
        assert server.web.get(result["url"]).content == csv_of(0)

    def test_a_csv_without_any_batch_has_its_header(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv"})
        put.commit(0)
        assert server.web.get(put.result()["url"]).content == csv_of(0)

    def test_a_workbook_without_any_batch_has_its_header(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.xlsx", "rows": 0})
        result = put.result()
        assert (result["rows"], result["sheets"]) == (0, 1)
        assert sheet_rows(server.web.get(result["url"]).content) == [["id", "name"]]


def test_a_workbook_holds_what_was_sent(server: Running) -> None:
    result = export(server.client, 3, filename="orders.xlsx", format=None)
    rows = sheet_rows(server.web.get(result["url"]).content)
    assert rows == [["id", "name"], *([float(each), f"name {each}"] for each in range(3))]


def test_columns_are_selected_ordered_and_headed(server: Running) -> None:
    columns = [{"name": "name", "header": "名称"}, {"name": "id"}]
    result = export(server.client, 1, columns=columns)
    assert server.web.get(result["url"]).text == '"名称","id"\n"name 0",0\n'


def test_many_tiny_batches_make_one_file(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv"})
    for start in range(500):
        put.send(1, start)
    put.commit(500)
    assert server.web.get(put.result()["url"]).content == csv_of(500)


def test_a_batch_larger_than_a_block_is_cut(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv", "rows": 100_000})
    put.send(100_000)
    assert server.web.get(put.result()["url"]).content == csv_of(100_000)


def test_dictionaries_that_change_between_batches_are_followed(server: Running) -> None:
    kind = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([("colour", kind)])
    put = Put(server.client, {"filename": "colours.csv"}, schema)
    for colours in (["red", "green"], ["blue", "red"]):
        put.send_batch(pa.record_batch([pa.array(colours).dictionary_encode()], schema=schema))
    put.commit(4)
    assert server.web.get(put.result()["url"]).text == '"colour"\n"red"\n"green"\n"blue"\n"red"\n'

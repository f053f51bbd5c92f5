"""The same request_id is the same export, whatever became of the first call."""

import pytest

from tests.conftest import StartServer
from tests.support.exports import Put, batch, csv_of, export, refused
from tests.support.site import Running


def test_a_completed_export_answers_again_without_reading_data(server: Running) -> None:
    first = export(server.client, 3, request_id="again")
    second = Put(server.client, {"filename": "orders.csv", "request_id": "again"})
    [result] = second.answers()
    assert result["type"] == "result"
    for key in ("task_id", "sha256", "rows", "completed_at"):
        assert result[key] == first[key]
    assert server.web.get(result["url"]).content == csv_of(3)


def test_it_answers_again_to_a_client_that_sends_its_data_all_the_same(server: Running) -> None:
    first = export(server.client, 3, request_id="sends")
    again = Put(server.client, {"filename": "orders.csv", "request_id": "sends"})
    answer = again.answer()
    assert answer is not None
    assert answer["task_id"] == first["task_id"]
    again.send()
    assert server.actions.ids(limit=1) == [first["task_id"]]


def test_how_the_caller_waits_is_not_part_of_the_request(server: Running) -> None:
    first = export(server.client, 3, request_id="waits")
    second = Put(server.client, {"filename": "orders.csv", "request_id": "waits", "wait": False})
    assert second.result()["task_id"] == first["task_id"]


def test_an_export_in_progress_already_exists(server: Running) -> None:
    command = {"filename": "orders.csv", "request_id": "running"}
    first = Put(server.client, command)
    task_id = first.accepted()
    with refused("ALREADY_EXISTS") as refusal:
        Put(server.client, command).answers()
    assert refusal.task_id == task_id
    assert not refusal.retryable
    first.send()
    first.commit()
    assert first.result()["task_id"] == task_id


@pytest.mark.parametrize(
    "other",
    [
        {"filename": "other.csv"},
        {"format": "xlsx"},
        {"rows": 3},
        {"columns": [{"name": "id"}]},
        {"options": {"delimiter": ";"}},
    ],
)
def test_another_descriptor_under_the_same_id_is_a_conflict(
    server: Running, other: dict[str, object]
) -> None:
    request_id = f"conflict {sorted(other)}"
    first = export(server.client, 3, request_id=request_id)
    command = {"filename": "orders.csv", "request_id": request_id} | other
    with refused("REQUEST_ID_CONFLICT") as refusal:
        Put(server.client, command).answers()
    assert refusal.task_id == first["task_id"]


def test_another_descriptor_is_a_conflict_while_the_first_is_in_progress_too(
    server: Running,
) -> None:
    first = Put(server.client, {"filename": "orders.csv", "request_id": "busy"})
    first.accepted()
    with refused("REQUEST_ID_CONFLICT"):
        Put(server.client, {"filename": "other.csv", "request_id": "busy"}).answers()
    first.commit()
    first.answers()


def test_a_failed_export_starts_afresh(server: Running) -> None:
    command = {"filename": "orders.csv", "request_id": "failed"}
    failed = Put(server.client, command)
    task_id = failed.accepted()
    with refused("INCOMPLETE_STREAM"):
        failed.answers()
    result = export(server.client, 3, request_id="failed")
    assert result["task_id"] != task_id
    assert result["state"] == "COMPLETED"
    assert server.actions.one("status", request_id="failed")["task_id"] == result["task_id"]


def test_a_cancelled_export_starts_afresh(server: Running) -> None:
    cancelled = Put(server.client, {"filename": "orders.csv", "request_id": "cancelled"})
    task_id = cancelled.accepted()
    server.actions.one("cancel", task_id=task_id)
    with refused("CANCELLED"):
        cancelled.answers()
    result = export(server.client, 3, request_id="cancelled")
    assert result["task_id"] != task_id


def test_a_failed_export_may_be_followed_by_another_descriptor(server: Running) -> None:
    failed = Put(server.client, {"filename": "orders.csv", "request_id": "changed"})
    with refused("INCOMPLETE_STREAM"):
        failed.answers()
    assert export(server.client, 3, request_id="changed", filename="b.csv")["filename"] == "b.csv"


def test_without_a_request_id_each_call_is_an_export_of_its_own(server: Running) -> None:
    first, second = export(server.client, 1), export(server.client, 1)
    assert first["task_id"] != second["task_id"]
    assert first["request_id"] != second["request_id"]


def test_of_many_calls_at_once_one_makes_the_export(start_server: StartServer) -> None:
    server = start_server()
    command = {"filename": "orders.csv", "request_id": "race"}
    puts = [Put(server.client, command) for _ in range(8)]
    accepted = [put for put in puts if tells(put)]
    assert len(accepted) == 1
    accepted[0].send_batch(batch(3))
    accepted[0].commit(3)
    assert accepted[0].result()["rows"] == 3
    assert len(server.actions.ids()) == 1


def tells(put: Put) -> bool:
    """Whether the call was accepted; else it must be told that the export exists."""
    if put.answer() is not None:
        return True
    with refused("ALREADY_EXISTS"):
        put.answers()
    return False

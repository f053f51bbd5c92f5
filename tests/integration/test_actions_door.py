"""Every action over Flight, with good and with bad bodies."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pyarrow import flight

from tests.support.exports import OPTIONS, Json, Put, csv_of, export, refused
from tests.support.site import Running
from tests.support.waiting import wait_for

UNKNOWN = "0" * 32


@pytest.fixture(scope="module")
def done(server: Running) -> Json:
    """A COMPLETED task."""
    return export(server.client, 3, request_id="done")


@pytest.fixture
def open_put(server: Running) -> Iterator[Put]:
    """An export that takes batches, and is cancelled at the end."""
    put = Put(server.client, {"filename": "open.csv"})
    put.accepted()
    yield put
    server.actions.one("cancel", task_id=put.task_id)
    put.drop()


def test_every_action_is_listed_with_a_description(server: Running) -> None:
    listed = {each.type: each.description for each in server.client.list_actions(OPTIONS)}
    assert sorted(listed) == [
        *("CancelFlightInfo", "cancel", "formats", "health", "list", "status", "url"),
    ]
    assert all(listed.values())


class TestStatus:
    def test_by_task_id(self, server: Running, done: Json) -> None:
        task = server.actions.one("status", task_id=done["task_id"])
        assert task.keys() == done.keys() - {"type"}
        assert {**task, "url": 0, "url_expires_at": 0, "type": "result"} == {
            **done,
            "url": 0,
            "url_expires_at": 0,
        }

    def test_by_request_id(self, server: Running, done: Json) -> None:
        assert server.actions.one("status", request_id="done")["task_id"] == done["task_id"]

    def test_the_link_is_signed_anew_each_time(self, server: Running, done: Json) -> None:
        task = server.actions.one("status", task_id=done["task_id"])
        assert server.web.get(task["url"]).content == csv_of(3)

    def test_a_running_export_has_live_figures(self, server: Running) -> None:
        put = Put(server.client, {"filename": "orders.csv", "rows": 10})
        task_id = put.accepted()
        assert server.actions.one("status", task_id=task_id)["progress"] == 0.0
        put.send(5)
        seen = server.wait_for_rows(task_id, 5)
        assert seen["progress"] == 50.0
        wait_for(lambda: server.actions.one("status", task_id=task_id)["eta_seconds"])
        assert (seen["state"], seen["url"], seen["completed_at"]) == ("PROCESSING", None, None)
        put.send(5, 5)
        put.answers()

    @pytest.mark.parametrize("body", [{"task_id": UNKNOWN}, {"request_id": "nobody's"}])
    def test_an_unknown_id_is_not_found(self, server: Running, body: Json) -> None:
        with refused("TASK_NOT_FOUND") as refusal:
            server.actions.one("status", **body)
        assert next(iter(body.values())) in refusal.message


class TestList:
    def test_tasks_come_newest_first(self, server: Running, done: Json) -> None:
        newer = export(server.client, 1)
        assert server.actions.ids(limit=1) == [newer["task_id"]]
        ids = server.actions.ids()
        assert ids == sorted(ids, reverse=True)
        assert done["task_id"] in ids

    def test_by_state(self, server: Running, done: Json, open_put: Put) -> None:
        assert done["task_id"] in server.actions.ids(state="COMPLETED")
        assert open_put.task_id not in server.actions.ids(state="COMPLETED")
        assert open_put.task_id in server.actions.ids(state="PROCESSING")

    def test_by_pages(self, server: Running) -> None:
        made = [export(server.client, 1)["task_id"] for _ in range(3)]
        first = server.actions.ids(limit=2)
        assert first == [made[2], made[1]]
        assert server.actions.ids(limit=1, after=first[-1]) == [made[0]]


class TestCancel:
    def test_it_ends_a_running_export(self, server: Running, open_put: Put) -> None:
        task = server.actions.one("cancel", task_id=open_put.task_id)
        assert (task["state"], task["error"]) == ("CANCELLED", None)
        assert server.actions.state(open_put.task_id) == "CANCELLED"

    def test_it_is_idempotent(self, server: Running, open_put: Put) -> None:
        first = server.actions.one("cancel", task_id=open_put.task_id)
        assert server.actions.one("cancel", task_id=open_put.task_id) == first

    def test_a_completed_export_stays_as_it_is(self, server: Running, done: Json) -> None:
        assert server.actions.one("cancel", task_id=done["task_id"])["state"] == "COMPLETED"

    def test_an_unknown_id_is_not_found(self, server: Running) -> None:
        with refused("TASK_NOT_FOUND"):
            server.actions.one("cancel", task_id=UNKNOWN)


class TestUrl:
    def test_it_signs_a_link_for_as_long_as_asked(self, server: Running, done: Json) -> None:
        before = datetime.now(UTC)
        link = server.actions.one("url", task_id=done["task_id"], expires_seconds=60)
        expires = datetime.fromisoformat(link["url_expires_at"])
        assert timedelta(seconds=59) < expires - before < timedelta(seconds=62)
        assert server.web.get(link["url"]).content == csv_of(3)

    def test_without_a_time_it_lives_as_configured(self, server: Running, done: Json) -> None:
        link = server.actions.one("url", task_id=done["task_id"])
        expires = datetime.fromisoformat(link["url_expires_at"])
        assert expires - datetime.now(UTC) > timedelta(days=6, hours=23)

    @pytest.mark.parametrize("seconds", [0, -1, 604_801, 10**30, "60", 1.5, True])
    def test_another_time_is_refused(self, server: Running, done: Json, seconds: object) -> None:
        with refused("INVALID_DESCRIPTOR") as refusal:
            server.actions.one("url", task_id=done["task_id"], expires_seconds=seconds)
        assert "expires_seconds" in refusal.message

    def test_a_running_export_has_none(self, server: Running, open_put: Put) -> None:
        with refused("TASK_NOT_FOUND") as refusal:
            server.actions.one("url", task_id=open_put.task_id)
        assert "PROCESSING" in refusal.message


class TestFormatsAndHealth:
    def test_formats_tell_their_options_and_defaults(self, server: Running) -> None:
        formats = server.actions.one("formats")
        assert {"arrow", "csv", "ndjson", "parquet", "xlsx"} <= formats.keys()
        assert formats["ndjson"]["extensions"] == ["ndjson", "jsonl"]
        assert formats["csv"]["content_type"] == "text/csv; charset=utf-8"
        assert formats["csv"]["options"]["delimiter"]["default"] == ","
        assert formats["csv"]["options"]["quoting"]["enum"] == [
            "strings",
            "minimal",
            "all",
            "none",
        ]
        assert formats["xlsx"]["options"]["freeze_header"]["default"] is True

    def test_health_tells_every_component(self, server: Running) -> None:
        health = server.actions.one("health")
        assert health["status"] == "ready"
        assert {name: each["ok"] for name, each in health["components"].items()} == {
            "replica": True,
            "state": True,
            "storage": True,
        }
        assert str(server.site.root) not in json.dumps(health)

    @pytest.mark.parametrize("name", ["formats", "health", "list"])
    def test_an_empty_body_has_no_keys(self, server: Running, name: str) -> None:
        assert server.actions.raw(name, b"")


BAD_BODIES = [
    ("status", b""),
    ("status", b"{}"),
    ("status", b"task"),
    ("status", b"[]"),
    ("status", b"null"),
    ("status", b"\xff"),
    ("status", b"[" * 10_000),
    ("status", b'{"task_id": "a", "request_id": "b"}'),
    ("status", b'{"task_id": 7}'),
    ("status", b'{"task_id": ""}'),
    ("status", b'{"task_id": "a", "extra": 1}'),
    ("status", b'{"task_id": "' + b"x" * 129 + b'"}'),
    ("status", b'{"task_id": "' + b"x" * 70_000 + b'"}'),
    ("list", b'{"state": "DONE"}'),
    ("list", b'{"limit": 0}'),
    ("list", b'{"limit": 1001}'),
    ("list", b'{"limit": "10"}'),
    ("list", b'{"after": 1}'),
    ("cancel", b""),
    ("cancel", b'{"request_id": "a"}'),
    ("url", b'{"expires_seconds": 5}'),
    ("formats", b'{"format": "csv"}'),
    ("health", b'{"x": 1}'),
    ("nonsense", b"{}"),
    ("x" * 5000, b"{}"),
    ("", b"{}"),
]


@pytest.mark.parametrize(("name", "body"), BAD_BODIES, ids=lambda value: str(value)[:40])
def test_a_bad_body_or_name_is_refused(server: Running, name: str, body: bytes) -> None:
    with refused("INVALID_DESCRIPTOR", str(server.site.root)):
        server.actions.raw(name, body)


def test_an_unknown_action_is_told_the_known_ones(server: Running) -> None:
    with refused("INVALID_DESCRIPTOR") as refusal:
        server.actions.raw("statsu", b"{}")
    assert "'statsu'; available: status, list, cancel" in refusal.message


class TestCancelFlightInfo:
    def cancel(self, server: Running, body: bytes) -> bytes:
        action = flight.Action("CancelFlightInfo", body)
        [result] = server.client.do_action(action, OPTIONS)
        return bytes(result.body.to_pybytes())

    def request(self, info: flight.FlightInfo) -> bytes:
        """CancelFlightInfoRequest {1 info}."""
        data = info.serialize()
        length = bytes([len(data) & 0x7F | 0x80, len(data) >> 7])
        assert 0x7F < len(data) < 0x4000
        return b"\x0a" + length + bytes(data)

    def info(self, server: Running, task_id: str) -> flight.FlightInfo:
        return server.client.get_flight_info(flight.FlightDescriptor.for_path(task_id), OPTIONS)

    def test_it_cancels_a_running_export(self, server: Running, open_put: Put) -> None:
        body = self.request(self.info(server, open_put.task_id))
        assert self.cancel(server, body) == b"\x08\x01"  # CANCEL_STATUS_CANCELLED
        assert server.actions.state(open_put.task_id) == "CANCELLED"
        assert self.cancel(server, body) == b"\x08\x01"

    def test_a_completed_export_cannot_be_cancelled(self, server: Running, done: Json) -> None:
        body = self.request(self.info(server, done["task_id"]))
        assert self.cancel(server, body) == b"\x08\x03"  # CANCEL_STATUS_NOT_CANCELLABLE

    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"\x0a", b"\x0a\x05abc", b"\x0a\x03abc", b"\x0a" + b"\xff" * 20, b"\x0a\x00"],
    )
    def test_a_body_that_is_no_request_is_refused(self, server: Running, body: bytes) -> None:
        with refused("INVALID_DESCRIPTOR"):
            self.cancel(server, body)

    def test_the_info_of_an_unknown_export_is_not_found(self, server: Running, done: Json) -> None:
        info = self.info(server, done["task_id"])
        stranger = flight.FlightInfo(
            info.schema, flight.FlightDescriptor.for_path(UNKNOWN * 3), [], -1, -1
        )
        with refused("TASK_NOT_FOUND"):
            self.cancel(server, self.request(stranger))

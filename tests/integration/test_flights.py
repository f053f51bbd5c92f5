"""A finished file over Flight: list_flights, get_flight_info, get_schema, do_get."""

import hashlib
import json

import pyarrow as pa
import pytest
from pyarrow import flight

from tests.conftest import StartServer
from tests.support.exports import OPTIONS, Json, Put, csv_of, export, refused
from tests.support.site import Running

DATA = pa.schema([pa.field("data", pa.binary(), nullable=False)])
REUSE = b"arrow-flight-reuse-connection://?"


@pytest.fixture(scope="module")
def done(server: Running) -> Json:
    return export(server.client, 3)


def info_of(server: Running, task_id: str) -> flight.FlightInfo:
    return server.client.get_flight_info(flight.FlightDescriptor.for_path(task_id), OPTIONS)


def read(server: Running, ticket: flight.Ticket) -> bytes:
    chunks = server.client.do_get(ticket, OPTIONS).read_all()
    assert chunks.schema == DATA
    return b"".join(chunks["data"].to_pylist())


def test_the_endpoint_of_a_finished_file_is_its_link_and_this_connection(
    server: Running, done: Json
) -> None:
    info = info_of(server, done["task_id"])
    [endpoint] = info.endpoints
    link, here = [location.uri for location in endpoint.locations]
    assert here == REUSE
    assert server.web.get(link.decode()).content == csv_of(3)
    assert endpoint.ticket.ticket == done["task_id"].encode()


def test_the_info_carries_the_task(server: Running, done: Json) -> None:
    info = info_of(server, done["task_id"])
    assert info.schema == DATA
    assert info.descriptor.path == [done["task_id"].encode()]
    assert (info.total_records, info.total_bytes) == (-1, len(csv_of(3)))
    assert json.loads(info.app_metadata)["sha256"] == done["sha256"]


def test_the_ticket_gives_the_bytes_of_the_file(server: Running) -> None:
    task = export(server.client, 200_000)
    content = read(server, info_of(server, task["task_id"]).endpoints[0].ticket)
    assert hashlib.sha256(content).hexdigest() == task["sha256"]
    assert content == csv_of(200_000)


def test_the_schema_is_that_of_the_ticket(server: Running, done: Json) -> None:
    descriptor = flight.FlightDescriptor.for_path(done["task_id"])
    assert server.client.get_schema(descriptor, OPTIONS).schema == DATA


def test_an_unfinished_export_has_no_endpoints_and_no_bytes(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv"})
    task_id = put.accepted()
    info = info_of(server, task_id)
    assert info.endpoints == []
    assert info.total_bytes == -1
    with refused("TASK_NOT_FOUND"):
        read(server, flight.Ticket(task_id.encode()))
    put.commit()
    put.answers()


def test_a_failed_export_has_no_endpoints(server: Running) -> None:
    put = Put(server.client, {"filename": "orders.csv"})
    task_id = put.accepted()
    with refused("INCOMPLETE_STREAM"):
        put.answers()
    assert info_of(server, task_id).endpoints == []


@pytest.mark.parametrize("ticket", [b"", b"nobody", b"\xff\xfe", b"../../etc/passwd", b"x" * 9999])
def test_an_unknown_ticket_is_not_found(server: Running, ticket: bytes) -> None:
    with refused("TASK_NOT_FOUND"):
        read(server, flight.Ticket(ticket))


@pytest.mark.parametrize(
    "descriptor",
    [
        flight.FlightDescriptor.for_command(b"{}"),
        flight.FlightDescriptor.for_path(),
        flight.FlightDescriptor.for_path("a", "b"),
        flight.FlightDescriptor.for_path(""),
    ],
    ids=["command", "no segment", "two segments", "empty"],
)
def test_a_descriptor_of_another_kind_is_refused(
    server: Running, descriptor: flight.FlightDescriptor
) -> None:
    with refused("INVALID_DESCRIPTOR"):
        server.client.get_flight_info(descriptor, OPTIONS)
    # pyarrow would send what get_schema raises with its traceback: it refuses nothing.
    assert server.client.get_schema(descriptor, OPTIONS).schema == DATA


def test_an_unknown_path_is_not_found(server: Running) -> None:
    with refused("TASK_NOT_FOUND"):
        info_of(server, "nobody")


def test_flights_are_the_exports_newest_first(server: Running, done: Json) -> None:
    newest = export(server.client, 1)["task_id"]
    infos = list(server.client.list_flights(b"", OPTIONS))
    ids = [info.descriptor.path[0].decode() for info in infos]
    assert ids == server.actions.ids()
    assert ids[0] == newest


def test_criteria_are_the_body_of_list(server: Running, done: Json) -> None:
    [info] = server.client.list_flights(b'{"limit": 1, "state": "COMPLETED"}', OPTIONS)
    assert json.loads(info.app_metadata)["state"] == "COMPLETED"


@pytest.mark.parametrize("criteria", [b"x", b'{"limit": 0}', b'{"state": "NO"}', b'{"x": 1}'])
def test_bad_criteria_are_refused(server: Running, criteria: bytes) -> None:
    with refused("INVALID_DESCRIPTOR"):
        list(server.client.list_flights(criteria, OPTIONS))


def test_a_file_that_somebody_removed_is_not_found(server: Running) -> None:
    task = export(server.client, 1)
    [file] = [
        path for path in (server.site.root / "files").rglob("*.csv") if task["task_id"] in str(path)
    ]
    file.unlink()
    with refused("TASK_NOT_FOUND", str(server.site.root)) as refusal:
        read(server, flight.Ticket(task["task_id"].encode()))
    assert refusal.task_id == task["task_id"]


def test_files_in_memory_are_read_by_their_ticket(start_server: StartServer) -> None:
    server = start_server("storage.backend=memory")
    task = export(server.client, 3)
    [endpoint] = info_of(server, task["task_id"]).endpoints
    assert [location.uri for location in endpoint.locations] == [REUSE]
    assert read(server, endpoint.ticket) == csv_of(3)
    assert (server.site.spools(), server.site.files()) == ([], [])


def test_what_flight_has_and_exports_do_not_is_unimplemented(server: Running) -> None:
    writer, _ = server.client.do_exchange(flight.FlightDescriptor.for_path("a.csv"), OPTIONS)
    with pytest.raises((flight.FlightError, pa.ArrowException)) as raised:
        writer.close()
    assert "Traceback" not in str(raised.value)

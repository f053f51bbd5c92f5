"""The bodies of actions, and the protobuf of CancelFlightInfo."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyarrow import flight

from flight_server.errors import ErrorCode, ServiceError
from flight_server.transports.actions import (
    Actions,
    ListBody,
    flight_info_in,
    parse_body,
    path_task_id,
    task_id_of,
)
from tests.support.scripted import bench


@pytest.fixture
def actions() -> Iterator[Actions]:
    with bench() as parts:
        yield Actions(parts.service)


def info(path: str) -> bytes:
    return bytes(
        flight.FlightInfo(
            pa.schema([]), flight.FlightDescriptor.for_path(path), [], -1, -1
        ).serialize()
    )


def varint(value: int) -> bytes:
    octets = b""
    while value > 0x7F:
        octets += bytes([value & 0x7F | 0x80])
        value >>= 7
    return octets + bytes([value])


@pytest.mark.parametrize("length", [1, 50, 128, 20_000])
def test_the_info_of_a_request_is_found_whatever_its_length(length: int) -> None:
    data = info("x" * length)
    assert task_id_of(flight_info_in(b"\x0a" + varint(len(data)) + data)) == "x" * length


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x12\x00",
        b"\x0a",
        b"\x0a\x80",
        b"\x0a" + b"\x80" * 12,
        b"\x0a\x05\x00",
        b"\x0a\x02\xff\xff",
        b"\x0a" + varint(len(info("x"))) + info("x") + b"more",
    ],
)
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(ServiceError) as raised:
        flight_info_in(body)
    assert raised.value.code is ErrorCode.INVALID_DESCRIPTOR


def test_a_task_id_is_the_one_segment_of_a_path() -> None:
    assert path_task_id(flight.FlightDescriptor.for_path("abc")) == "abc"
    for wrong in (
        flight.FlightDescriptor.for_path(),
        flight.FlightDescriptor.for_path("a", "b"),
        flight.FlightDescriptor.for_command(b"abc"),
    ):
        with pytest.raises(ServiceError, match="one segment"):
            path_task_id(wrong)


def test_an_empty_body_is_an_object_without_keys() -> None:
    assert parse_body(ListBody, b"") == parse_body(ListBody, b"{}") == ListBody()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no", ["JSON", "keys of this body: state, limit, after"]),
        (b'{"limit": "5"}', ["limit: "]),
        (b'{"lmit": 5}', ["lmit: "]),
    ],
)
def test_a_bad_body_names_its_key(body: bytes, words: list[str]) -> None:
    with pytest.raises(ServiceError) as raised:
        parse_body(ListBody, body)
    for word in words:
        assert word in raised.value.message


def test_every_listed_action_can_be_run(actions: Actions) -> None:
    """Those that need a task say so; none is unknown."""
    for name, description in actions.listed():
        assert description
        try:
            list(actions.run("us", name, b""))
        except ServiceError as error:
            assert "unknown action" not in error.message  # noqa: PT017 - some do not raise


def test_results_are_json(actions: Actions) -> None:
    [health] = actions.run("us", "health", b"")
    assert json.loads(health)["status"] == "starting"
    assert list(actions.run("us", "list", b"")) == []

"""`do_put` in plain gRPC with hand-made protobuf, for what no Arrow library would send.

Field numbers are those of Flight.proto: FlightData {1 flight_descriptor, 2 data_header,
3 app_metadata, 1000 data_body}, FlightDescriptor {1 type, 2 cmd}, PutResult {1 app_metadata}.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
import pyarrow as pa

DO_PUT = "/arrow.flight.protocol.FlightService/DoPut"
COMMIT = b'{"commit": true}'


@dataclass(frozen=True)
class Refused:
    """How a call ended: what gRPC says, and `extra_info` of our errors."""

    status: grpc.StatusCode
    details: str
    info: dict[str, object]


def put(url: str, messages: Sequence[bytes]) -> list[dict[str, object]] | Refused:
    """The PutResults of a whole call, or how it failed."""
    with grpc.insecure_channel(url.removeprefix("grpc://")) as channel:
        call = channel.stream_stream(DO_PUT)(iter(messages), timeout=30)
        try:
            return [_put_result(each) for each in call]
        except grpc.RpcError as error:
            metadata = dict(error.trailing_metadata() or ())
            info = metadata.get("grpc-status-details-bin", b"{}")
            return Refused(error.code(), error.details(), json.loads(info))


class OpenPut:
    """A call that has sent `messages` and does not end by itself."""

    def __init__(self, url: str, messages: Sequence[bytes], deadline: float) -> None:
        self._hold = threading.Event()
        self._channel = grpc.insecure_channel(url.removeprefix("grpc://"))
        self._call = self._channel.stream_stream(DO_PUT)(self._sending(messages), timeout=deadline)

    def first_answer(self) -> dict[str, object]:
        return _put_result(next(self._call))

    def cancel(self) -> None:
        self._call.cancel()

    def ended(self) -> grpc.StatusCode:
        """How the call ended; the channel is closed."""
        code = self._call.code()
        self._hold.set()
        self._channel.close()
        return code

    def _sending(self, messages: Sequence[bytes]) -> Iterator[bytes]:
        yield from messages
        self._hold.wait(30)


def descriptor(**command: object) -> bytes:
    """A CMD descriptor."""
    return b"\x08\x02" + _field(2, json.dumps(command).encode())


def message(
    *,
    descriptor: bytes | None = None,
    header: bytes | None = None,
    metadata: bytes | None = None,
    body: bytes | None = None,
) -> bytes:
    """One FlightData."""
    parts = ((1, descriptor), (2, header), (3, metadata), (1000, body))
    return b"".join(_field(number, data) for number, data in parts if data is not None)


def opening(schema: pa.Schema, **command: object) -> bytes:
    """The first message: descriptor and schema."""
    return message(descriptor=descriptor(**command), header=header_of(schema))


def batch_message(data: pa.RecordBatch) -> bytes:
    return message(header=header_of(data), body=body_of(data))


def commit() -> bytes:
    return message(metadata=COMMIT)


def header_of(value: pa.Schema | pa.RecordBatch) -> bytes:
    """The flatbuffer of an IPC message."""
    return pa.ipc.read_message(value.serialize()).metadata.to_pybytes()


def body_of(data: pa.RecordBatch) -> bytes:
    return pa.ipc.read_message(data.serialize()).body.to_pybytes()


def _put_result(data: bytes) -> dict[str, object]:
    """The JSON in a PutResult: one field, whose length is a varint."""
    start = next(place for place in range(1, len(data)) if data[place] < 0x80) + 1
    parsed: dict[str, object] = json.loads(data[start:])
    return parsed


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)

"""The outer message of a stream: which payload it carries, by the wire format of protobuf.

Almost every message is one field and nothing else; that is seen in its first bytes, and the bytes
of a batch become Arrow without an object of Python for each record. Whatever else protobuf allows
(unknown fields, a payload in pieces, several of which the last counts) is left to its library.
"""

from dataclasses import dataclass
from typing import Final, Literal

from google.protobuf.message import DecodeError

from flight_server.errors import ErrorCode, ServiceError
from flight_server.request import MAX_DESCRIPTOR_BYTES
from flight_server.transports.export_pb2 import ExportMetadata, ExportRequest

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""Of one message, decompressed; clients cut batches at about 1 MiB."""

Kind = Literal["metadata", "batch"]

_TAGS: Final[dict[int, Kind]] = {0x0A: "metadata", 0x12: "batch"}
"""A tag is `number << 3 | wire type`; both fields are length-delimited, which is type 2."""

_LENGTH_BYTES: Final = 5
"""A length that is written in more is none that a message here can have."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What one message carries: an encoded `ExportMetadata` or `DataBatch`."""

    kind: Kind
    data: bytes


def payload_of(message: bytes) -> Payload:
    """The payload that protobuf would see. Raises INVALID_DATA if it would see none."""
    return _only_field(message) or _by_library(message)


def metadata_of(payload: Payload) -> ExportMetadata:
    """The decoded metadata. Raises INVALID_DESCRIPTOR for too many bytes or invalid ones."""
    if (size := len(payload.data)) > MAX_DESCRIPTOR_BYTES:
        message = f"metadata has {size} bytes; at most {MAX_DESCRIPTOR_BYTES}"
        raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)
    try:
        metadata: ExportMetadata = ExportMetadata.FromString(payload.data)
    except DecodeError as error:
        message = "metadata is no valid ExportMetadata in protobuf, with its texts in UTF-8"
        raise ServiceError(ErrorCode.INVALID_DESCRIPTOR, message) from error
    return metadata


def _only_field(message: bytes) -> Payload | None:
    """The payload of a message that is one of the two fields and nothing else."""
    kind = _TAGS.get(message[0]) if message else None
    if kind is None:
        return None
    length = 0
    for place, octet in enumerate(message[1 : 1 + _LENGTH_BYTES]):
        length |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            start = place + 2
            return Payload(kind, message[start:]) if start + length == len(message) else None
    return None


def _by_library(message: bytes) -> Payload:
    try:
        request = ExportRequest.FromString(message)
    except DecodeError as error:
        text = "a message is no valid ExportRequest in protobuf, with its texts in UTF-8"
        raise ServiceError(ErrorCode.INVALID_DATA, text) from error
    match request.WhichOneof("payload"):
        case "metadata":
            return Payload("metadata", request.metadata.SerializeToString())
        case "batch":
            return Payload("batch", request.batch.SerializeToString())
        case _:
            text = "a message has no payload; send metadata first, then batch after batch"
            raise ServiceError(ErrorCode.INVALID_DATA, text)

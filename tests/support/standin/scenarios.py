"""What can happen to an export: each scenario is what its handler does after the metadata.

A scenario yields the answers, raises `Ended` to end the call with another status, and finds the
messages that follow the metadata in `requests`.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import grpc

from tests.support.standin.calls import BEGUN, DONE, SHA256, SIZE, Call
from tests.support.standin.contract import (
    COMPLETED,
    FAILED,
    PROCESSING,
    UPLOADING,
    ExportResponse,
)

Requests = Iterator[bytes]


class Ended(Exception):
    """The call is to end with a status."""

    def __init__(self, status: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays."""

    call: Call
    context: grpc.ServicerContext
    cut: Callable[[], None]
    """Break every connection, without a word to anybody."""

    def announce(self, **headers: str) -> None:
        """Send the initial metadata."""
        given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        self.context.send_initial_metadata(given)

    def accept(self) -> None:
        """As the server does."""
        self.announce(x_task_id=self.call.task_id)

    def state(self, status: int, code: str = "", message: str = "") -> None:
        """What the next question for the task is answered."""
        self.call.states.append({"status": status, "error_code": code, "error_message": message})


REFUSAL: Final = "INVALID_DESCRIPTOR: metadata.filename: 订单 100% is refused"
FAILURE: Final = "INVALID_DATA: row 7 has 3 values and the export 2 columns"


def well(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """All as it should be."""
    stage.accept()
    stage.call.drain(requests)
    stage.state(COMPLETED)
    yield answer(stage.call)


def silent(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """No word before the answer, as servers of other makers may do."""
    stage.call.drain(requests)
    stage.state(COMPLETED)
    yield answer(stage.call)


def refuse(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """A request that is not taken: said at once, then drained."""
    stage.announce(x_error=quote(REFUSAL, safe=" :./"))
    stage.call.drain(requests)
    raise Ended(grpc.StatusCode.INVALID_ARGUMENT, REFUSAL)
    yield b""


def crowded(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """One export too many, with a hint when there is room."""
    reason = "QUEUE_FULL: 10 exports are running; retry in 12.5 s"
    stage.announce(x_error=quote(reason, safe=" :./"))
    stage.call.drain(requests)
    stage.context.set_trailing_metadata((("grpc-retry-pushback-ms", "12500"),))
    raise Ended(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
    yield b""


def refuse_at_once(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The same without draining, where old versions of libcurl lose the status."""
    raise Ended(grpc.StatusCode.INVALID_ARGUMENT, REFUSAL)
    yield b""


def fail(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """A wrong row on the way."""
    stage.accept()
    stage.call.take(next(requests))
    stage.state(FAILED, *FAILURE.split(": ", 1))
    stage.call.drain(requests)
    raise Ended(grpc.StatusCode.INVALID_ARGUMENT, FAILURE)
    yield b""


def fail_at_once(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The same without draining."""
    stage.accept()
    stage.call.take(next(requests))
    stage.state(FAILED, *FAILURE.split(": ", 1))
    raise Ended(grpc.StatusCode.INVALID_ARGUMENT, FAILURE)
    yield b""


def lose(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """Everything went well, but the answer does not arrive; at first the task seems to run."""
    stage.accept()
    stage.call.drain(requests)
    for status in (PROCESSING, UPLOADING, COMPLETED):
        stage.state(status)
    stage.cut()
    yield b""


def lose_failure(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The upload failed, and the answer that says so does not arrive."""
    stage.accept()
    stage.call.drain(requests)
    stage.state(FAILED, "STORAGE_ERROR", "the store does not answer")
    stage.cut()
    yield b""


def cut(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The connection breaks while rows are sent; the server notes it."""
    stage.accept()
    stage.call.take(next(requests))
    stage.state(FAILED, "INCOMPLETE_STREAM", "the call broke off")
    stage.cut()
    yield b""


def cut_unnoticed(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The same, but nobody ever learns what became of the task."""
    stage.accept()
    stage.call.take(next(requests))
    stage.cut()
    yield b""


def cut_unannounced(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The connection breaks before the server has said anything."""
    stage.cut()
    yield b""


def hang(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """All rows are taken, and nothing is answered."""
    stage.accept()
    stage.call.drain(requests)
    wait_for_end(stage)
    yield b""


def stall(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """No row is read: flow control holds the client back."""
    stage.accept()
    wait_for_end(stage)
    yield b""


def unknown_fields(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """An answer of a later version, with new fields of every kind."""
    stage.accept()
    stage.call.drain(requests)
    varint, fixed64 = b"\xa0\x06\x96\x01", b"\xa9\x06" + bytes(8)
    text, fixed32 = b"\xb2\x06\x02hi", b"\xbd\x06" + bytes(4)
    yield varint + fixed64 + answer(stage.call) + text + fixed32


def garbage(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """An answer that is no protobuf."""
    stage.accept()
    stage.call.drain(requests)
    yield b"\x0a\xff\xff"


def empty(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """Status 0 and no message, which is no success; what the task came to is known."""
    stage.accept()
    stage.call.drain(requests)
    stage.state(COMPLETED)
    yield from ()


def huge(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """An answer of 2 MiB, and nothing to ask for afterwards."""
    stage.announce()
    stage.call.drain(requests)
    yield answer(stage.call, error_message="x" * 2**21)


def short(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """A file with a row less than were sent."""
    stage.accept()
    stage.call.drain(requests)
    yield answer(stage.call, record_count=stage.call.rows - 1)


def early(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The same request was finished before: its rows are not wanted, and are drained."""
    stage.accept()
    stage.call.drain(requests)
    stage.state(COMPLETED)
    stage.call.rows = 123
    yield answer(stage.call)


def unfinished(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The answer comes while the upload runs."""
    stage.accept()
    stage.call.drain(requests)
    for status in (UPLOADING, COMPLETED):
        stage.state(status)
    yield answer(stage.call, status=UPLOADING, oss_url="", completion_time=0)


def answer_of_failure(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """A call that ends well with an export that did not."""
    stage.accept()
    stage.call.drain(requests)
    yield answer(
        stage.call, status=FAILED, oss_url="", error_code="QUEUE_TIMEOUT", error_message="too late"
    )


def later_code(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """An error of a later version."""
    stage.accept()
    stage.call.drain(requests)
    raise Ended(grpc.StatusCode.FAILED_PRECONDITION, "BRAND_NEW: something unheard of")
    yield b""


def without_code(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """A proxy on the way gives up; the server itself has finished."""
    stage.accept()
    stage.call.drain(requests)
    stage.state(COMPLETED)
    raise Ended(grpc.StatusCode.UNAVAILABLE, "upstream went away")
    yield b""


def coded(stage: Stage, requests: Requests) -> Iterator[bytes]:
    """The error whose code and status the metadata `x-error-to-give` names."""
    stage.accept()
    stage.call.drain(requests)
    status, code = stage.call.headers["x-error-to-give"].split()
    raise Ended(grpc.StatusCode[status], f"{code}: because")
    yield b""


def answer(call: Call, **changes: Any) -> bytes:
    """What a completed export is answered."""
    fields = {
        "task_id": call.task_id,
        "status": COMPLETED,
        "oss_url": f"http://files.example/{call.task_id}",
        "file_size_bytes": SIZE,
        "record_count": call.rows,
        "progress_percent": 100.0,
        "checksum_sha256": SHA256,
        "start_time": BEGUN,
        "completion_time": DONE,
    }
    encoded: bytes = ExportResponse(**{**fields, **changes}).SerializeToString()
    return encoded


def wait_for_end(stage: Stage) -> None:
    """Do nothing until the client has gone."""
    gone = threading.Event()
    if stage.context.add_callback(gone.set):
        gone.wait()


SCENARIOS: Final[dict[str, Callable[[Stage, Requests], Iterator[bytes]]]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        well, silent, refuse, crowded, refuse_at_once, fail, fail_at_once, lose, lose_failure, cut,
        cut_unnoticed, cut_unannounced, hang, stall, unknown_fields, garbage, empty, huge, short,
        early, unfinished, answer_of_failure, later_code, without_code, coded,
    )
}  # fmt: skip

"""When a call has ended well, as grpcio tells it: only a half-close does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import grpc
import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.transports.errors import GRPC_STATUSES
from flight_server.transports.grpc_shim import _Announcement, _messages

CANCELLED = grpc.RpcError()
END = StopIteration()


class Requests:
    """grpcio's iterator, which may be asked again after its end."""

    def __init__(self, *said: bytes | Exception) -> None:
        self._said = iter(said)

    def __iter__(self) -> "Requests":
        return self

    def __next__(self) -> bytes:
        said = next(self._said, END)
        if isinstance(said, Exception):
            raise said
        return said


@dataclass
class Context:
    active: bool = True
    gone: bool = False
    sent: list[Sequence[tuple[str, str]]] = field(default_factory=list)

    def is_active(self) -> bool:
        return self.active

    def send_initial_metadata(self, metadata: Sequence[tuple[str, str]]) -> None:
        if self.gone:
            raise CANCELLED
        self.sent.append(metadata)


def read(requests: Requests, context: Context) -> Iterator[bytes]:
    return _messages(requests, context)  # type: ignore[arg-type]


def test_a_half_close_is_an_end() -> None:
    assert list(read(Requests(b"a", b"b", END, END), Context())) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("said", "active"),
    [
        ((b"a", CANCELLED), True),
        ((b"a", END, CANCELLED), True),
        ((b"a", END, END), False),
    ],
    ids=["said at once", "said when asked again", "known to the context only"],
)
def test_whatever_else_ends_a_call_breaks_it_after_its_messages(
    said: tuple[bytes | Exception, ...], active: bool
) -> None:
    messages = read(Requests(*said), Context(active))
    assert next(messages) == b"a"
    with pytest.raises(ServiceError) as raised:
        next(messages)
    assert raised.value.code is ErrorCode.INCOMPLETE_STREAM


def test_no_two_calls_break_with_the_same_error() -> None:
    """An error carries its task's id and the frames that it came through."""
    errors = []
    for _ in range(2):
        with pytest.raises(ServiceError) as raised:
            next(read(Requests(CANCELLED), Context()))
        errors.append(raised.value)
    errors[0].task_id = "of the first"
    assert errors[1].task_id is None


def test_a_call_is_announced_once() -> None:
    context = Context()
    announce = _Announcement(context)  # type: ignore[arg-type]
    announce({"x-task-id": "t"})
    announce({"x-error": "too late"})
    assert context.sent == [(("x-task-id", "t"),)]


def test_a_client_that_has_gone_is_announced_nothing() -> None:
    context = Context(gone=True)
    _Announcement(context)({"x-task-id": "t"})  # type: ignore[arg-type]
    assert context.sent == []


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_a_status_of_grpc(code: ErrorCode) -> None:
    assert grpc.StatusCode[GRPC_STATUSES[code]] is not grpc.StatusCode.OK

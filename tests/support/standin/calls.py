"""What the stand-in has seen of each export, and what it says of it afterwards."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.standin.contract import PROCESSING, ExportRequest

KEPT_ROWS: Final = 20
"""Of each export, to look at."""

KEPT_CHARACTERS: Final = 100
"""Of each of their values."""

SIZE: Final = 4711
SHA256: Final = "ab" * 32
BEGUN: Final = 1_700_000_000
DONE: Final = 1_700_000_009


@dataclass
class Call:
    """One export."""

    task_id: str
    headers: dict[str, str]
    time: float | None
    """Seconds that its client gave it."""
    asked: dict[str, Any] = field(default_factory=dict)
    filename: str = ""
    format: int = 0
    rows: int = 0
    first_rows: list[list[str]] = field(default_factory=list)
    batches: list[tuple[int, int, int]] = field(default_factory=list)
    """Number, rows and bytes of each."""
    half_closed: bool = False
    cancelled: bool = False
    states: list[dict[str, Any]] = field(default_factory=list)
    """What the status says, one question after another; the last one stays."""
    questions: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def take(self, body: bytes) -> str:
        """Note a message; the name of its payload."""
        request = ExportRequest.FromString(body)
        payload: str = request.WhichOneof("payload")
        if payload == "metadata":
            self.filename, self.format = request.metadata.filename, request.metadata.format
            self.asked = _plain(request.metadata)
        else:
            records = request.batch.records
            self.rows += len(records)
            self.batches.append((request.batch.batch_sequence, len(records), len(body)))
            space = KEPT_ROWS - len(self.first_rows)
            self.first_rows += [
                [value[:KEPT_CHARACTERS] for value in record.values] for record in records[:space]
            ]
        return payload

    def drain(self, requests: Iterator[bytes]) -> None:
        """Read to the half-close, noting what comes. Raises for a call that breaks.

        Asked once more: of a call that breaks, grpcio may hear first that there is no message.
        """
        for body in requests:
            self.take(body)
        next(requests, None)
        self.half_closed = True

    def state(self) -> dict[str, Any]:
        """What to answer to the next question."""
        self.questions += 1
        if len(self.states) > 1:
            return self.states.pop(0)
        return self.states[0] if self.states else {"status": PROCESSING}

    def seen(self) -> dict[str, Any]:
        """All of it as JSON."""
        hidden = {"over", "states"}
        return {name: value for name, value in vars(self).items() if name not in hidden}


class Calls:
    """All exports of a server, by their task id. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, Call] = {}

    def add(self, headers: dict[str, str], time: float | None) -> Call:
        """A new one."""
        with self._lock:
            call = Call(f"task-{len(self._calls) + 1}", headers, time)
            self._calls[call.task_id] = call
            return call

    def find(self, task_id: str) -> Call | None:
        """The one of an id; the last one for an empty id."""
        with self._lock:
            if not task_id and self._calls:
                return list(self._calls.values())[-1]
            return self._calls.get(task_id)


def _plain(message: Any) -> Any:
    """A message as JSON has it, fields with their defaults left out."""
    plain: dict[str, Any] = {}
    for descriptor, value in message.ListFields():
        nested = descriptor.message_type is not None
        if nested and descriptor.is_repeated:
            plain[descriptor.name] = [_plain(each) for each in value]
        else:
            plain[descriptor.name] = _plain(value) if nested else value
    return plain

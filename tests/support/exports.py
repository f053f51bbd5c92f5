"""Exports over plain pyarrow, step by step, and the refusals that they meet."""

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import flight
from python_calamine import CalamineWorkbook

Json = dict[str, Any]

OPTIONS = flight.FlightCallOptions(timeout=30)
"""No test waits for ever."""

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


def batch(rows: int, start: int = 0) -> pa.RecordBatch:
    """Rows of `SCHEMA`."""
    ids = range(start, start + rows)
    return pa.record_batch([list(ids), [f"name {each}" for each in ids]], schema=SCHEMA)


def csv_of(rows: int) -> bytes:
    """The file of `batch(rows)`."""
    lines = ['"id","name"', *(f'{each},"name {each}"' for each in range(rows))]
    return "".join(f"{line}\n" for line in lines).encode()


def sheet_rows(content: bytes) -> list[list[Any]]:
    """The cells of a workbook's first sheet, read by a reader that is not ours."""
    return CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()


class Put:
    """One `do_put`, driven message by message from one thread."""

    task_id = ""
    """Once accepted."""

    def __init__(
        self,
        client: flight.FlightClient,
        command: Mapping[str, object] | bytes,
        schema: pa.Schema = SCHEMA,
    ) -> None:
        body = command if isinstance(command, bytes) else json.dumps(command).encode()
        self._open(client, flight.FlightDescriptor.for_command(body), schema)

    @classmethod
    def opened(cls, client: flight.FlightClient, **command: object) -> "Put":
        """An export that is accepted: of several, the first one opened is the first in line."""
        put = cls(client, {"filename": "orders.csv"} | command)
        put.accepted()
        return put

    @classmethod
    def of_path(cls, client: flight.FlightClient, *path: str) -> "Put":
        """With a PATH descriptor."""
        put = cls.__new__(cls)
        put._open(client, flight.FlightDescriptor.for_path(*path), SCHEMA)
        return put

    def _open(
        self, client: flight.FlightClient, descriptor: flight.FlightDescriptor, schema: pa.Schema
    ) -> None:
        self._writer, self._reader = client.do_put(descriptor, schema, OPTIONS)

    def answer(self) -> Json | None:
        """The next PutResult; None when there are no more."""
        buffer = self._reader.read()
        return None if buffer is None else json.loads(buffer.to_pybytes())

    def accepted(self) -> str:
        """The task id, of the first PutResult."""
        answer = self.answer()
        assert answer is not None, self._told()
        assert answer["type"] == "accepted"
        self.task_id = str(answer["task_id"])
        return self.task_id

    def send(self, rows: int = 3, start: int = 0) -> None:
        self._writer.write_batch(batch(rows, start))

    def send_batch(self, data: pa.RecordBatch) -> None:
        self._writer.write_batch(data)

    def metadata(self, data: bytes) -> None:
        self._writer.write_metadata(data)

    def commit(self, rows: int | None = None) -> None:
        said = {"commit": True} if rows is None else {"commit": True, "rows": rows}
        self.metadata(json.dumps(said).encode())

    def send_and_commit(self, rows: int = 3) -> None:
        self._writer.write_with_metadata(batch(rows), b'{"commit": true}')

    def half_close(self) -> None:
        self._writer.done_writing()

    def answers(self) -> list[Json]:
        """Every PutResult that is left, after half-closing. Raises the call's error."""
        self.half_close()
        left = []
        while (answer := self.answer()) is not None:
            left.append(answer)
        self._writer.close()
        return left

    def result(self) -> Json:
        """The last PutResult, after half-closing."""
        last = self.answers()[-1]
        assert last["type"] == "result"
        return last

    def drop(self) -> None:
        """Forget the call, as a client does whose objects are collected."""
        del self._writer, self._reader
        gc.collect()

    def _told(self) -> str:
        try:
            self._writer.close()
        except flight.FlightError as error:
            return str(error)
        return "the call ended without an answer"


def export(client: flight.FlightClient, rows: int = 3, **command: object) -> Json:
    """One whole export; its task."""
    put = Put(client, {"filename": "orders.csv"} | command)
    put.send(rows)
    put.commit(rows)
    return put.result()


@dataclass(frozen=True)
class Actions:
    """`do_action` with JSON in and out."""

    client: flight.FlightClient

    def all(self, name: str, **body: object) -> list[Json]:
        return self.raw(name, json.dumps(body).encode())

    def raw(self, name: str, body: bytes) -> list[Json]:
        found = self.client.do_action(flight.Action(name, body), OPTIONS)
        return [json.loads(each.body.to_pybytes()) for each in found]

    def one(self, name: str, **body: object) -> Json:
        [result] = self.all(name, **body)
        return result

    def ids(self, **body: object) -> list[str]:
        """The ids of `list`."""
        return [str(task["task_id"]) for task in self.all("list", **body)]

    def state(self, task_id: str) -> str:
        return str(self.one("status", task_id=task_id)["state"])


@dataclass
class Refusal:
    """What a client was told, filled in when the block that it was told in has ended."""

    code: str = ""
    message: str = ""
    task_id: str | None = None
    retryable: bool = False
    error: Exception = field(default_factory=Exception)


@contextmanager
def refused(code: str, *leaks: str) -> Iterator[Refusal]:
    """The block must be refused with `code`, in one clear sentence that leaks nothing."""
    refusal = Refusal()
    with pytest.raises(flight.FlightError) as raised:
        yield refusal
    error = raised.value
    info = json.loads(error.extra_info)
    text = str(error)
    assert info["code"] == code, info
    assert text.startswith(f"{code}: {info['message']}")
    assert 0 < len(info["message"]) < 512
    assert len(text.partition(". Client context")[0].partition(". gRPC client")[0]) < 512
    for leak in ("Traceback", 'File "', ".py", "flight_server", *leaks):
        assert leak not in text
        assert leak.encode() not in error.extra_info
    refusal.error, refusal.code = error, code
    refusal.message, refusal.task_id = info["message"], info["task_id"]
    refusal.retryable = info["retryable"]

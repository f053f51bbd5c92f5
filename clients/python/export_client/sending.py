"""One `do_put`: blocks out in the caller's thread, the server's answers read in another.

What this module guarantees:

- The commit is sent only after the source of the blocks has ended by itself. An export that
  is left by an exception ends without a commit, so FAILED, never short; or, while it waits in
  line, CANCELLED.
- The last block is held back until then too, because a stream of exactly the declared rows
  counts as committed.
- Nothing is sent while the export waits in line: a write that waits for the server cannot be
  interrupted, and waiting here can.
- Whatever ends the call early, the caller sees the server's error rather than a broken pipe.

Measured on pyarrow 26, and why the code is as it is: the status of a call is told by
`writer.close()`, the reader only ends; `close()` deadlocks while another thread reads, so the
reader is joined first; a write that fails throws away answers not yet read, so nothing is
written before the first answer.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.flight as fl

from export_client.connection import Connection
from export_client.errors import ExportError, Unavailable, wire_errors
from export_client.models import Progress, Task

OnProgress = Callable[[Progress], object]

_ABANDON_SECONDS: Final = 10.0
"""How long an export that was ended without a commit is waited for."""

_HEED_SECONDS: Final = 0.5

_WIRE: Final = (fl.FlightError, pa.ArrowException, OSError)


def send(
    connection: Connection,
    command: bytes,
    schema: pa.Schema,
    blocks: Iterator[pa.RecordBatch],
    progress: OnProgress | None,
) -> Task:
    """Export `blocks`, and give the task of the server's last answer.

    The first block is taken before the call opens: a query that takes minutes to its first row
    keeps no slot of the server waiting.
    """
    block = next(blocks, None)
    with _PutCall(connection, command, schema, progress) as call:
        call.wait_for_turn()
        rows = 0
        while block is not None and not call.ended:
            following = next(blocks, None)
            call.write(block)
            rows += block.num_rows
            block = following
        call.commit(rows)
        return call.result()


class _Answers:
    """The PutResults of a call, taken in a thread of their own until the call ends."""

    def __init__(
        self, connection: Connection, reader: fl.FlightMetadataReader, progress: OnProgress | None
    ) -> None:
        self.task_id: str | None = None
        self.result: Task | None = None
        self.error: BaseException | None = None
        self.in_line = False
        """Whether the server has said that it will tell when the export's turn has come."""
        self.turn = threading.Event()
        """Set from when on the call may go on: it was answered, and does not wait in line."""
        self._connection = connection
        self._reader = reader
        self._progress = progress

    def read(self) -> None:
        """Take answers until the end. An error of the wire is told by `writer.close()`."""
        try:
            with contextlib.suppress(*_WIRE):
                while (message := self._read()) is not None:
                    self._take_safely(message)
                    if self.error is not None or not self.in_line:
                        self.turn.set()
        finally:
            self.turn.set()

    def cancel(self) -> None:
        """End the export on the server, which also wakes a write that waits for it.

        When that fails, the missing commit ends the export.
        """
        with contextlib.suppress(ExportError):
            body = {"task_id": self.task_id}
            self._connection.ask("cancel", body, timeout=_ABANDON_SECONDS)

    def _read(self) -> bytes | None:
        message = self._reader.read()
        return None if message is None else message.to_pybytes()

    def _take_safely(self, message: bytes) -> None:
        """Keep what the callback raises for the caller's thread, and cancel the export.

        Reading goes on: unread answers would stop the stream.
        """
        if self.error is not None:
            return
        try:
            self._take(json.loads(message))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self.error = error
            self.cancel()

    def _take(self, answer: dict[str, Any]) -> None:
        kind, task_id = answer.get("type"), answer.get("task_id")
        self.task_id = task_id or self.task_id
        if kind == "result":
            self.result = Task.from_json(answer)
        elif kind in {"accepted", "progress"}:
            progress = Progress.from_json(answer)
            self.in_line = progress.position is not None
            if self._progress is not None:
                self._progress(progress)


class _PutCall:
    """An open `do_put`. Leaving it by an exception ends the stream without a commit."""

    def __init__(
        self,
        connection: Connection,
        command: bytes,
        schema: pa.Schema,
        progress: OnProgress | None,
    ) -> None:
        self._connection = connection
        self._url = connection.url
        self._writer, reader = connection.put(command, schema)
        self._answers = _Answers(connection, reader, progress)
        # A daemon: a server that never answers must not keep the interpreter from exiting. The
        # target is a method of this object, because a writer that is freed while its reader
        # still reads blocks for ever.
        self._thread = threading.Thread(
            target=self._take_answers, name="export-client-answers", daemon=True
        )
        self._failed_write = False
        self._committed = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._abandon()

    def _take_answers(self) -> None:
        self._answers.read()

    @property
    def ended(self) -> bool:
        """Whether nothing more can be sent: the server or the callback ended the export."""
        return (
            self._failed_write
            or self._answers.result is not None
            or self._answers.error is not None
            or not self._thread.is_alive()
        )

    def wait_for_turn(self) -> None:
        """Wait until the server has answered and takes the export's data, or the call has ended."""
        while not self._answers.turn.wait(_HEED_SECONDS):
            pass  # here an interrupt is heeded: not by a wait without end, on every system

    def write(self, block: pa.RecordBatch) -> None:
        """Send a block. That the server ended the call is told by `ended` and `result`."""
        try:
            self._writer.write_batch(block)
        except _WIRE:
            self._failed_write = True

    def commit(self, rows: int) -> None:
        """Say that these were all the rows, unless the call has ended already."""
        if self.ended:
            return
        self._committed = True
        message = json.dumps({"commit": True, "rows": rows}).encode()
        try:
            self._writer.write_metadata(message)
        except _WIRE:
            self._failed_write = True

    def result(self) -> Task:
        """The server's answer, after half-closing and waiting for it.

        Raises:
            ExportError: the server refused or failed the export.
            BaseException: what the progress callback raised.

        """
        self._half_close()
        self._thread.join()
        answers = self._answers
        try:
            with wire_errors(self._url, task_id=answers.task_id):
                self._writer.close()
        except ExportError:
            if answers.error is None:
                raise
        if answers.error is not None:
            raise answers.error
        return answers.result or self._lost_result()

    def _lost_result(self) -> Task:
        """The task as the server knows it, when the call ended well but its answer was lost.

        pyarrow drops unread answers when a write fails, and a write fails when the server has
        answered without reading everything.
        """
        task_id = self._answers.task_id
        if task_id is None:
            message = f"the server at {self._url} ended the export without an answer"
            raise Unavailable("INTERRUPTED", message, True)
        task = Task.from_json(self._connection.ask("status", {"task_id": task_id}))
        if task.finished:
            return task
        message = f"the call ended while the export is {task.state}; ask for its status"
        raise Unavailable("INTERRUPTED", message, True, task_id)

    def _half_close(self) -> None:
        with contextlib.suppress(*_WIRE):  # an ended call: `close` tells why
            self._writer.done_writing()

    def _abandon(self) -> None:
        """End without a commit, and wait for the server to have seen it.

        The server's INCOMPLETE_STREAM is expected here; the caller gets the error that led here.
        After the commit there is nothing to wait for: the export no longer needs its client. What
        waits in line is cancelled: its stream would not be looked at before its turn.
        """
        if self._answers.in_line and self._thread.is_alive():
            self._answers.cancel()
        self._half_close()
        self._thread.join(0 if self._committed else _ABANDON_SECONDS)
        if not self._thread.is_alive():
            with contextlib.suppress(*_WIRE):
                self._writer.close()

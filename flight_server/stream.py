"""Incoming streams and the commit rule: a stream that merely ends is never a whole export.

Flight shows a client that was killed, raised or dropped its writer as a normal end of stream.
Only a commit makes the rows received all the rows there are.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import pyarrow as pa

from exporters import ExportWarning
from flight_server.errors import ErrorCode, ServiceError

UNVERIFIED_END: Final = ExportWarning(
    "UNVERIFIED_END", "the stream ended without a commit; rows may be missing", 1
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream: a batch, metadata, or both."""

    batch: pa.RecordBatch | None
    metadata: bytes | None


class MessageStream(Protocol):
    """What a transport gives: messages of one schema, pulled one at a time."""

    @property
    def schema(self) -> pa.Schema:
        """Of every batch."""
        ...

    def read(self) -> Message | None:
        """The next message, or None at the end. Raises `ServiceError` when the stream breaks."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A stream that whoever ends its export can free from waiting for the client."""

    def interrupt(self) -> None:
        """Let a `read` that waits for the client raise `ServiceError`; from any thread."""
        ...


class CommittedBatches:
    """The batches of a stream; iterating ends well only if the client committed them.

    A commit message ends the iteration at once: from then on the export needs its client no
    more. With `declared` rows the stream is read to its end, because only that shows that there
    were not more; a stream that breaks after that many rows is committed all the same.

    Raises `ServiceError`: INCOMPLETE_STREAM when the stream ends or breaks without a commit,
    ROW_COUNT_MISMATCH when the counts differ, INVALID_DATA for a batch that is not valid Arrow or
    metadata that is not a commit.
    """

    def __init__(
        self, stream: MessageStream, *, declared: int | None, require_commit: bool
    ) -> None:
        self._stream = stream
        self._declared = declared
        self._require_commit = require_commit
        self.schema: pa.Schema = stream.schema
        self.rows = 0
        """Rows received so far."""
        self.warnings: tuple[ExportWarning, ...] = ()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while (message := self._read()) is not None:
            if message.batch is not None:
                self._count(message.batch.num_rows)
                _check(message.batch)
                yield message.batch
            if message.metadata is not None and self._commits(message.metadata):
                return
        self._check_end()

    def _read(self) -> Message | None:
        try:
            return self._stream.read()
        except ServiceError as error:
            broke_off = error.code is ErrorCode.INCOMPLETE_STREAM
            if broke_off and self.rows == self._declared:
                return None
            raise

    def _count(self, rows: int) -> None:
        self.rows += rows
        if self._declared is not None and self.rows > self._declared:
            raise _mismatch(self.rows, "more than", self._declared, "declared in the descriptor")

    def _commits(self, metadata: bytes) -> bool:
        """Whether `metadata` commits the stream; other metadata is refused."""
        commit = _parse_commit(metadata)
        for expected, where in (
            (commit.get("rows"), "in the commit"),
            (self._declared, "declared in the descriptor"),
        ):
            if expected is not None and expected != self.rows:
                raise _mismatch(self.rows, "not the", expected, where)
        return True

    def _check_end(self) -> None:
        if self.rows == self._declared:
            return
        if self._declared is None and not self._require_commit:
            self.warnings = (UNVERIFIED_END,)
            return
        expected = "" if self._declared is None else f" of {self._declared}"
        raise ServiceError(
            ErrorCode.INCOMPLETE_STREAM,
            f"the stream ended after {self.rows}{expected} rows without a commit; send it again "
            'and commit with the metadata {"commit": true}',
        )


def _check(batch: pa.RecordBatch) -> None:
    """Refuse offsets that lead outside and text that is not UTF-8.

    Arrow takes the sender's word for both, and the libraries after it read memory by them: wrong
    offsets ended the process. The check takes 30 ms for a million rows of ten columns.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        reason = str(error).split("\n")[0]
        message = f"the stream is not valid Arrow data: {reason}"
        raise ServiceError(ErrorCode.INVALID_DATA, message) from error


def _parse_commit(metadata: bytes) -> dict[str, Any]:
    try:
        commit = json.loads(metadata)
    except (ValueError, RecursionError):
        commit = None
    if not isinstance(commit, dict) or commit.get("commit") is not True:
        raise _not_a_commit()
    rows = commit.get("rows")
    if rows is not None and (type(rows) is not int or rows < 0):
        raise _not_a_commit()
    return commit


def _not_a_commit() -> ServiceError:
    return ServiceError(
        ErrorCode.INVALID_DATA,
        'the only metadata that a stream may carry is {"commit": true, "rows": N}',
    )


def _mismatch(received: int, relation: str, expected: int, where: str) -> ServiceError:
    message = f"{received} rows were received, {relation} {expected} {where}; send the export again"
    return ServiceError(ErrorCode.ROW_COUNT_MISMATCH, message)

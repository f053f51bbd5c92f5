"""The commit rule, over scripted messages."""

import json

import pyarrow as pa
import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.stream import CommittedBatches, Message

SCHEMA = pa.schema([("a", pa.int64())])
COMMIT = Message(None, b'{"commit": true}')
BROKEN = ServiceError(ErrorCode.INCOMPLETE_STREAM, "the stream broke off")
GARBAGE = ServiceError(ErrorCode.INVALID_DATA, "the stream is not valid")


class Scripted:
    """A stream of the messages given; an error among them is raised. Counts what was read."""

    schema = SCHEMA

    def __init__(self, *messages: Message | ServiceError) -> None:
        self._messages = iter(messages)
        self.read_count = 0

    def read(self) -> Message | None:
        self.read_count += 1
        message = next(self._messages, None)
        if isinstance(message, ServiceError):
            raise message
        return message


def rows(count: int, metadata: bytes | None = None) -> Message:
    return Message(pa.record_batch([list(range(count))], schema=SCHEMA), metadata)


def committing(**values: object) -> Message:
    return Message(None, json.dumps({"commit": True} | values).encode())


def batches(
    *messages: Message | ServiceError, declared: int | None = None, require_commit: bool = True
) -> CommittedBatches:
    return CommittedBatches(Scripted(*messages), declared=declared, require_commit=require_commit)


@pytest.mark.parametrize(
    ("messages", "declared", "expected"),
    [
        ([rows(2), COMMIT], None, 2),
        ([rows(2), committing(rows=2)], None, 2),
        ([rows(2), committing(rows=None)], None, 2),
        ([COMMIT], None, 0),
        ([rows(2), rows(1), committing(rows=3)], 3, 3),
        ([rows(2), rows(1, b'{"commit": true, "rows": 3}')], None, 3),
        ([rows(2), rows(1)], 3, 3),
        ([], 0, 0),
        ([rows(3), BROKEN], 3, 3),
        ([rows(2), Message(None, None), COMMIT], None, 2),
    ],
)
def test_a_committed_stream_ends_well(
    messages: list[Message | ServiceError], declared: int | None, expected: int
) -> None:
    stream = batches(*messages, declared=declared)
    assert sum(batch.num_rows for batch in stream) == expected
    assert stream.rows == expected
    assert stream.warnings == ()


def test_nothing_is_read_after_the_commit() -> None:
    stream = Scripted(rows(1), COMMIT, GARBAGE)
    assert len(list(CommittedBatches(stream, declared=None, require_commit=True))) == 1
    assert stream.read_count == 2


def test_declared_rows_are_read_to_the_end_to_see_that_there_are_no_more() -> None:
    with pytest.raises(ServiceError) as raised:
        list(batches(rows(3), rows(1), declared=3))
    assert raised.value.code is ErrorCode.ROW_COUNT_MISMATCH


@pytest.mark.parametrize(
    ("messages", "declared", "code"),
    [
        ([], None, "INCOMPLETE_STREAM"),
        ([rows(2)], None, "INCOMPLETE_STREAM"),
        ([rows(2)], 3, "INCOMPLETE_STREAM"),
        ([rows(2), BROKEN], None, "INCOMPLETE_STREAM"),
        ([rows(2), BROKEN], 3, "INCOMPLETE_STREAM"),
        ([rows(3), GARBAGE], 3, "INVALID_DATA"),
        ([GARBAGE], 0, "INVALID_DATA"),
        ([rows(2), committing(rows=3)], None, "ROW_COUNT_MISMATCH"),
        ([rows(2), committing(rows=1)], None, "ROW_COUNT_MISMATCH"),
        ([rows(2), COMMIT], 3, "ROW_COUNT_MISMATCH"),
        ([rows(4)], 3, "ROW_COUNT_MISMATCH"),
        ([rows(3), committing(rows=4)], 3, "ROW_COUNT_MISMATCH"),
    ],
)
def test_any_other_stream_is_refused(
    messages: list[Message | ServiceError], declared: int | None, code: str
) -> None:
    with pytest.raises(ServiceError) as raised:
        list(batches(*messages, declared=declared))
    assert raised.value.code == code


@pytest.mark.parametrize(
    "metadata",
    [
        b"",
        b"{",
        b"[]",
        b"true",
        b'{"commit": false}',
        b'{"commit": 1}',
        b'{"commit": true, "rows": "3"}',
        b'{"commit": true, "rows": true}',
        b'{"commit": true, "rows": -1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_other_metadata_is_no_commit(metadata: bytes) -> None:
    with pytest.raises(ServiceError) as raised:
        list(batches(rows(3), Message(None, metadata)))
    assert raised.value.code is ErrorCode.INVALID_DATA


class TestWithoutRequiredCommit:
    def test_an_end_without_commit_is_a_warning(self) -> None:
        stream = batches(rows(2), require_commit=False)
        assert len(list(stream)) == 1
        assert [(each.code, each.count) for each in stream.warnings] == [("UNVERIFIED_END", 1)]

    def test_a_commit_is_none(self) -> None:
        stream = batches(rows(2), COMMIT, require_commit=False)
        list(stream)
        assert stream.warnings == ()

    @pytest.mark.parametrize("messages", [[rows(2)], [rows(2), BROKEN]])
    def test_declared_rows_still_count(self, messages: list[Message | ServiceError]) -> None:
        with pytest.raises(ServiceError) as raised:
            list(batches(*messages, declared=3, require_commit=False))
        assert raised.value.code is ErrorCode.INCOMPLETE_STREAM

    def test_a_stream_that_broke_is_still_incomplete(self) -> None:
        with pytest.raises(ServiceError):
            list(batches(rows(2), BROKEN, require_commit=False))

"""Domain errors: their messages' bound, and the seam for foreign ones."""

import errno

import pytest

from exporters import errors as exporter_errors
from flight_server.errors import MAX_MESSAGE_BYTES, ErrorCode, ServiceError, translate

RETRYABLE = {
    *("INCOMPLETE_STREAM", "ROW_COUNT_MISMATCH", "QUEUE_FULL", "RATE_LIMITED", "SHUTTING_DOWN"),
    *("QUEUE_TIMEOUT", "STREAM_STALLED", "STORAGE_FULL", "STORAGE_ERROR", "UPLOAD_ERROR"),
    "INTERRUPTED",
}


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_is_retryable_as_the_protocol_says(code: ErrorCode) -> None:
    assert code.retryable is (code in RETRYABLE)
    assert ServiceError(code, "no").failure.retryable is code.retryable


@pytest.mark.parametrize("text", ["x", "中", "😀", "é"])
def test_a_long_message_keeps_its_beginning_within_the_bound(text: str) -> None:
    message = ServiceError(ErrorCode.INTERNAL, "start " + text * 5000).message
    assert message.startswith(f"start {text}{text}")
    assert message.endswith(f"{text}…")
    assert MAX_MESSAGE_BYTES - 4 <= len(message.encode()) <= MAX_MESSAGE_BYTES


def test_a_message_at_the_bound_is_kept_whole() -> None:
    message = "x" * MAX_MESSAGE_BYTES
    assert ServiceError(ErrorCode.INTERNAL, message).message == message
    assert ServiceError(ErrorCode.INTERNAL, message + "x").message == "x" * 457 + "…"


def test_what_has_no_utf8_is_spelt_out() -> None:
    assert ServiceError(ErrorCode.INTERNAL, "key \ud800").message == "key \\ud800"


def test_an_error_of_ours_is_itself() -> None:
    error = ServiceError(ErrorCode.QUEUE_FULL, "full", task_id="t")
    assert translate(error) is error
    assert str(error) == "QUEUE_FULL: full"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (exporter_errors.InvalidOptions("x"), "INVALID_DESCRIPTOR"),
        (exporter_errors.InvalidSchema("x"), "INVALID_SCHEMA"),
        (exporter_errors.UnsupportedType("x"), "UNSUPPORTED_TYPE"),
        (exporter_errors.InvalidData("x"), "INVALID_DATA"),
        (exporter_errors.LimitExceeded("x"), "LIMIT_EXCEEDED"),
    ],
)
def test_an_exporters_error_keeps_its_sentence(error: Exception, code: str) -> None:
    assert (translate(error).code, translate(error).message) == (code, "x")


def test_every_error_of_exporters_has_a_code() -> None:
    for kind in exporter_errors.ExporterError.__subclasses__():
        assert translate(kind("x")).code is not ErrorCode.INTERNAL


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_storage_full(number: int) -> None:
    error = translate(OSError(number, "no", "/secret"))
    assert error.code is ErrorCode.STORAGE_FULL
    assert "secret" not in error.message


def test_another_failure_of_the_disk_keeps_its_kind_and_not_its_path() -> None:
    error = translate(OSError(errno.EIO, "Input/output error", "/secret"))
    assert error.code is ErrorCode.STORAGE_ERROR
    assert error.message == "the server's disk failed: Input/output error"


@pytest.mark.parametrize("error", [ValueError("/secret"), RuntimeError("x"), MemoryError()])
def test_anything_else_is_internal_and_says_nothing_of_its_inside(error: Exception) -> None:
    assert translate(error).code is ErrorCode.INTERNAL
    assert "secret" not in translate(error).message

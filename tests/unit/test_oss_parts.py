"""Plans of parts, checksums, bodies, names, tags and records of the storage `oss`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oss2.utils import Crc64

from flight_server.config.objects import DEFAULT_TAGS
from flight_server.storage.base import Target
from flight_server.storage.names import KeyTemplate, date_of, tags_of
from flight_server.storage.oss.body import FileBody, crc_of
from flight_server.storage.oss.crc64 import combined, crc64
from flight_server.storage.oss.plan import MAX_PART_SIZE, MAX_PARTS, Part, PartPlan, size_of
from flight_server.storage.oss.record import RecordFile, UploadRecord, records_in
from flight_server.tasks.model import new_task_id

MIB = 1024**2
TERABYTES_5 = 5 * 10**12


@pytest.mark.parametrize("first", [100 * 1024, MIB, 10 * MIB, 5 * 1024 * MIB])
def test_10_000_parts_are_enough_for_5_terabytes(first: int) -> None:
    parts = list(PartPlan(first).rest(TERABYTES_5))
    assert len(parts) <= MAX_PARTS
    assert max(part.size for part in parts) <= MAX_PART_SIZE
    assert sum(part.size for part in parts) == TERABYTES_5


@given(first=st.integers(1, 50), sizes=st.lists(st.integers(0, 3000)))
def test_the_parts_of_a_growing_file_follow_one_another(first: int, sizes: list[int]) -> None:
    """However it grows, the parts are those of the whole file, each given out once it is full."""
    plan = PartPlan(first)
    parts: list[Part] = []
    for size in sorted(sizes):
        given_out = list(plan.full(size))
        assert all(part.offset + part.size <= size for part in given_out)
        parts += given_out
    total = max(sizes, default=0)
    parts += plan.rest(total)
    assert parts == list(PartPlan(first).rest(total))
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert [part.offset for part in parts] == [
        sum(part.size for part in parts[:index]) for index in range(len(parts))
    ]
    assert sum(part.size for part in parts) == total


def test_parts_double_every_500() -> None:
    assert [size_of(number, MIB) // MIB for number in (1, 500, 501, 1000, 1001)] == [1, 1, 2, 2, 4]


def test_an_empty_file_has_one_empty_part() -> None:
    assert list(PartPlan(10).rest(0)) == [Part(1, 0, 0)]


def test_the_checksum_is_that_of_oss() -> None:
    assert crc64(b"123456789") == 0x995DC9BBDF1939FA
    assert crc64(b"6789", crc64(b"12345")) == crc64(b"123456789")


@given(st.binary(max_size=100_000), st.integers(0, 2**64 - 1))
def test_the_checksum_is_that_of_oss2_whatever_came_before(data: bytes, before: int) -> None:
    theirs = Crc64(before)
    theirs.update(data)
    assert crc64(data, before) == theirs.crc


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_the_checksum_of_a_whole_comes_from_those_of_its_parts(parts: list[bytes]) -> None:
    whole = Crc64(0)
    whole.update(b"".join(parts))
    assert combined((crc64(part), len(part)) for part in parts) == whole.crc


def test_a_body_is_one_stretch_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "spool"
    file.write_bytes(b"0123456789")
    with FileBody(file, 2, 5) as body:
        assert (body.len, body.read(3), body.read(), body.read(9)) == (5, b"234", b"56", b"")
        assert body.crc == crc64(b"23456") == crc_of(file, 2, 5)


def test_a_body_that_ends_too_early_is_an_error_and_not_a_shorter_body(tmp_path: Path) -> None:
    file = tmp_path / "spool"
    file.write_bytes(b"01")
    with FileBody(file, 0, 3) as body, pytest.raises(OSError, match="ends before"):
        body.read(2), body.read(2)


TARGET = Target("t-1", "crm", "a b.csv", "text/csv", "r/1")


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("{client}/{date}/{task_id}/{filename}", "crm/undated/t-1/a b.csv"),
        ("", "t-1/a b.csv"),
        ("exports", "exports/t-1/a b.csv"),
        ("exports/", "exports/t-1/a b.csv"),
        ("exports/{date}", "exports/undated/t-1/a b.csv"),
        ("x/{task_id}", "x/t-1/a b.csv"),
        ("x-{task_id}-{filename}", "x-t-1-a b.csv"),
    ],
)
def test_a_key_is_made_of_the_template_and_leads_back_to_the_task(template: str, key: str) -> None:
    keys = KeyTemplate(template)
    assert keys.key(TARGET) == key
    assert keys.task_id(key) == "t-1"
    assert key.startswith(keys.prefix)


@pytest.mark.parametrize(
    ("client", "segment"),
    [("../x", "_x"), ("a/b\\c", "a_b_c"), ("", "_"), ("..", "_"), ("?", "_"), ("財務", "財務")],
)
def test_a_client_is_one_safe_segment(client: str, segment: str) -> None:
    target = Target("t-1", client, "a.csv", "text/csv")
    assert KeyTemplate("{client}/{task_id}/{filename}").key(target) == f"{segment}/t-1/a.csv"


@pytest.mark.parametrize("key", ["other/t-1/a.csv", "exports/t-1", "exports/a/b/c", "exports/-/a"])
def test_what_others_have_stored_is_no_tasks(key: str) -> None:
    assert KeyTemplate("exports").task_id(key) is None


def test_the_date_is_that_of_the_task_whenever_it_is_asked_for() -> None:
    assert date_of(new_task_id(datetime(2026, 2, 3, 23, 59, tzinfo=UTC))) == "2026-02-03"


def test_tags_hold_only_what_tags_may_hold() -> None:
    target = Target("t-1", "財務/x", "a.csv", "text/csv", "r-1")
    assert tags_of(DEFAULT_TAGS, target, None) == {
        "task_id": "t-1",
        "client": "__/x",
        "request_id": "r-1",
    }
    assert tags_of({"sum": "sha256:{sha256}"}, target, "ab") == {"sum": "sha256:ab"}


RECORD = UploadRecord("exports/a.csv", "1F", 1000)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = RecordFile(tmp_path, "t-1")
    assert file.read() is None
    file.write(RECORD)
    assert RecordFile(tmp_path, "t-1").read() == RECORD
    assert [task_id for task_id, _, _ in records_in(tmp_path)] == ["t-1"]
    file.remove()
    file.remove()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"key": 1, "upload_id": "x", "part_size": "y"}']
)
def test_a_record_that_is_none_is_no_record(tmp_path: Path, text: str) -> None:
    """The upload is found by its key then."""
    file = RecordFile(tmp_path, "t-1")
    file.path.write_text(text)
    assert file.read() is None

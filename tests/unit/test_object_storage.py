"""What goes wrong with S3, what is said of it, and what is cleaned away; against a real server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from obstore.exceptions import GenericError

from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Target
from flight_server.storage.object_store.faults import fault_of
from flight_server.storage.object_store.storage import ObjectStorage
from flight_server.storage.object_store.unfinished import OpenUpload
from tests.support.line import Fault, Line, Trouble, line_to
from tests.support.object_storage import object_storage, s3_overrides
from tests.support.seaweed import READER_KEY, READER_SECRET, Seaweed
from tests.support.waiting import wait_for

TARGET = Target("t-1", "crm", '报表 "Q1".csv', "text/csv; charset=utf-8", "r-1")


@pytest.fixture
def storage(seaweed_server: Seaweed, tmp_path: Path) -> ObjectStorage:
    return opened(seaweed_server.endpoint, tmp_path)


def opened(endpoint: str, directory: Path, **changes: str) -> ObjectStorage:
    keys = {"prefix": f"{uuid4()}/{{task_id}}"} | changes
    return object_storage(s3_overrides(endpoint, **keys), directory)


def why_not(storage: ObjectStorage) -> str:
    with pytest.raises(ServiceError) as refused:
        storage.start()
    assert refused.value.code is ErrorCode.STORAGE_ERROR
    return refused.value.message.removeprefix("the store cannot be used: ")


def publish(storage: ObjectStorage, content: bytes = b"id\n1\n") -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(content)
        upload.seal()
        upload.publish()


def objects(storage: ObjectStorage) -> list[str]:
    return [key for key, _stored_at in storage._bucket.objects(storage._keys.directory)]


def test_a_store_that_can_be_used_is_left_as_it_was(storage: ObjectStorage) -> None:
    storage.start()
    assert not objects(storage)
    assert " " in storage.check()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bucket": "nobodys"}, "S3 has no bucket of that name (s3.bucket)"),
        ({"access_key_id": "who"}, "S3 does not know the access key (s3.access_key_id)"),
        (
            {"secret_access_key": "wrong"},
            "S3 refused the signature: s3.secret_access_key is not the right one",
        ),
        (
            {"access_key_id": READER_KEY, "secret_access_key": READER_SECRET},
            "the key for S3 may not write to the bucket",
        ),
    ],
)
def test_each_failure_has_one_clear_sentence(
    seaweed_server: Seaweed, tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    assert why_not(opened(seaweed_server.endpoint, tmp_path, **changes)) == sentence


def test_an_endpoint_that_nobody_answers_is_told(tmp_path: Path) -> None:
    assert why_not(opened("http://127.0.0.1:1", tmp_path)) == (
        "S3 could not be reached (s3.endpoint)"
    )


def test_readiness_tells_of_a_store_that_is_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="could not be reached"):
        opened("http://127.0.0.1:1", tmp_path).check()


def test_a_link_gives_the_file_its_name_and_type_and_is_refused_when_it_is_changed(
    storage: ObjectStorage,
) -> None:
    publish(storage)
    link = storage.link(TARGET, datetime.now(UTC) + timedelta(hours=1))
    answer = httpx.get(link)
    assert answer.content == b"id\n1\n"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert (
        "filename*=UTF-8''%E6%8A%A5%E8%A1%A8%20%22Q1%22.csv"
        in (answer.headers["content-disposition"])
    )
    assert httpx.get(f"{link[:-4]}0000").status_code == 403
    assert httpx.get(link.partition("?")[0]).status_code == 403


def test_a_link_ends_with_its_time(storage: ObjectStorage) -> None:
    publish(storage)
    link = storage.link(TARGET, datetime.now(UTC) + timedelta(hours=1))
    assert "X-Amz-Expires=3" in link
    ancient = storage.link(TARGET, datetime.now(UTC) - timedelta(hours=1))
    assert "X-Amz-Expires=1&" in f"{ancient}&"


def test_links_of_a_public_bucket_are_plain(seaweed_server: Seaweed, tmp_path: Path) -> None:
    public = opened(seaweed_server.endpoint, tmp_path, public="true")
    assert "?" not in public.link(TARGET, datetime.now(UTC))


def test_a_link_of_more_than_seven_days_is_no_configuration() -> None:
    with pytest.raises(Exception, match=r"s3.signed_url_expiry.*1s to 7d"):
        object_storage(s3_overrides("http://127.0.0.1:1", signed_url_expiry="8d"), Path("unused"))


def test_objects_past_their_retention_are_swept_and_no_others(
    seaweed_server: Seaweed, tmp_path: Path
) -> None:
    storage = opened(seaweed_server.endpoint, tmp_path, retention="1h")
    publish(storage)
    storage._bucket.write(f"{storage._keys.directory}notes.txt", b"somebody else's")
    assert storage.sweep(datetime.now(UTC) + timedelta(minutes=1), ()) == 0
    assert storage.sweep(datetime.now(UTC) + timedelta(hours=3), ()) == 1
    assert [key.rpartition("/")[2] for key in objects(storage)] == ["notes.txt"]


# What obstore says, as operators are told it -------------------------------------------------


REFUSED = "Error performing GET http://h/b/k in 1ms - Server returned non-2xx status code: {}"


@pytest.mark.parametrize(
    ("text", "sentence", "transient"),
    [
        (
            REFUSED.format("400 Bad Request: <Code>AuthorizationHeaderMalformed</Code>"),
            "the bucket is in another region than s3.region says",
            False,
        ),
        (
            (
                "Received redirect without LOCATION, this normally indicates an incorrectly "
                "configured region"
            ),
            "the bucket is in another region than s3.region says",
            False,
        ),
        (
            REFUSED.format("403 Forbidden: <Code>RequestTimeTooSkewed</Code>"),
            "this machine's clock is wrong: by more than 15 minutes",
            False,
        ),
        (
            "Error performing PUT http://169.254.169.254/latest/api/token in 1ms - HTTP error",
            "there are no usable credentials for S3 (see the keys of s3)",
            True,
        ),
        (
            REFUSED.format("400 Bad Request: <Code>ExpiredToken</Code>"),
            "the temporary key for S3 has expired (s3.session_token)",
            False,
        ),
        (REFUSED.format("503 Slow Down: <Code>SlowDown</Code>"), "S3 answered 503 SlowDown", True),
        (REFUSED.format("400 Bad Request: <Code>Odd</Code>"), "S3 answered 400 Odd", False),
        ("HTTP error: error sending request", "S3 could not be reached (s3.endpoint)", True),
    ],
)
def test_an_error_becomes_one_sentence_and_is_tried_again_if_it_may_pass(
    storage: ObjectStorage, text: str, sentence: str, transient: bool
) -> None:
    fault = fault_of(GenericError(f"Generic S3 error: {text}"), storage._bucket.cloud)
    assert (fault.sentence, fault.transient) == (sentence, transient)


# Parts --------------------------------------------------------------------------------------


PART = 5 * 1024**2


def in_parts(line: Line, directory: Path) -> ObjectStorage:
    overrides = s3_overrides(line.endpoint, prefix=f"{uuid4()}/{{task_id}}")
    return object_storage(overrides, directory, part_size=PART)


@pytest.fixture
def line(seaweed_server: Seaweed) -> Iterator[Line]:
    with line_to(seaweed_server.endpoint) as started:
        yield started


def unfinished(storage: ObjectStorage) -> list[OpenUpload]:
    known = storage._uplink.unfinished
    assert known is not None
    return known.under(storage._keys.prefix)


def test_parts_go_up_while_rows_arrive_and_what_is_broken_off_leaves_none(
    line: Line, tmp_path: Path
) -> None:
    storage = in_parts(line, tmp_path)
    with storage.open_upload(TARGET) as upload:
        upload.write(bytes(2 * PART + 1))
        wait_for(lambda: line.asked.count("UploadPart") == 2)
        assert not objects(storage)
        assert len(unfinished(storage)) == 1
    assert not unfinished(storage)
    assert not objects(storage)
    assert not list(tmp_path.iterdir())


def test_parts_are_counted_once_the_file_is_there(line: Line, tmp_path: Path) -> None:
    storage = in_parts(line, tmp_path)
    for size in (2 * PART + 1, 5):
        target = replace(TARGET, task_id=f"t{size}")
        with storage.open_upload(target) as upload:
            upload.write(bytes(size))
            upload.seal()
            assert storage.parts_sent() in {0, 3}
            upload.publish()
        assert storage.parts_sent() == 3, "a small file has none"
    storage.delete(replace(TARGET, task_id=f"t{2 * PART + 1}"))
    storage.delete(replace(TARGET, task_id="t5"))


def test_an_upload_that_a_killed_server_left_is_aborted_when_its_file_is_published(
    line: Line, tmp_path: Path
) -> None:
    storage = in_parts(line, tmp_path)
    dead = storage._bucket.open_writer(storage._keys.key(TARGET), {}, PART, 2)
    dead.write(bytes(2 * PART))
    assert len(unfinished(storage)) == 1
    with storage.open_upload(TARGET) as upload:
        upload.write(b"whole")
        size = upload.seal().size
    assert storage.resume(TARGET, size)
    assert not unfinished(storage)


def test_uploads_that_nobody_ended_are_swept_after_a_day_unless_they_are_of_a_task(
    line: Line, tmp_path: Path
) -> None:
    storage = in_parts(line, tmp_path)
    dead = storage._bucket.open_writer(storage._keys.key(TARGET), {}, PART, 2)
    dead.write(bytes(2 * PART))
    now = datetime.now(UTC)
    storage.sweep(now + timedelta(hours=2), ())
    storage.sweep(now + timedelta(days=2), {TARGET.task_id})
    assert len(unfinished(storage)) == 1
    storage.sweep(now + timedelta(days=3), ())
    assert not unfinished(storage)


def test_what_cannot_be_taken_back_now_is_taken_back_by_the_next_sweep(
    line: Line, tmp_path: Path
) -> None:
    """The file arrives, but every answer about it gets lost, and then the server is gone."""
    storage = in_parts(line, tmp_path)
    line.script(
        Fault(Trouble.RESET_AFTER, "PutObject", None),
        Fault(Trouble.RESET_BEFORE, "DeleteObjects", None),
        Fault(Trouble.RESET_BEFORE, "HeadObject", None),
        Fault(Trouble.RESET_BEFORE, "ListMultipartUploads", None),
    )
    with pytest.raises(ServiceError, match="could not be reached"):
        publish(storage)
    line.script()
    assert len(objects(storage)) == 1
    storage.sweep(datetime.now(UTC), ())
    assert not objects(storage)
    assert storage.resume(TARGET, len(b"id\n1\n"))

"""What goes wrong with S3, what is said of it, and what is cleaned away; against a real server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Target
from flight_server.storage.object_store.storage import ObjectStorage
from tests.support.object_storage import object_storage, s3_overrides
from tests.support.seaweed import READER_KEY, READER_SECRET, Seaweed

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

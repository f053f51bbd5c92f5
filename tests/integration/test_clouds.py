"""Files in Google Cloud Storage and Azure, at servers that verify what is signed; links of all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Target
from flight_server.storage.object_store.storage import ObjectStorage
from tests.support.clouds.azure import AzureServer
from tests.support.clouds.azure_signatures import container_sas
from tests.support.clouds.gcs import MIN_PART_SIZE, GcsServer
from tests.support.clouds.gcs_signatures import account
from tests.support.clouds.server import BUCKET
from tests.support.object_storage import (
    azure_overrides,
    gcs_overrides,
    object_storage,
    s3_overrides,
)
from tests.support.seaweed import Seaweed

CONTENT = b"id,name\r\n1,Ada\r\n" * 1000
LARGE = bytes(number * 31 % 251 for number in range(251)) * (2 * MIN_PART_SIZE // 251 + 99)

NAMES = (
    *("orders.csv", '报表 "Q1".csv', "r #1?.csv", "100%.csv", "100%25.csv", "a+b & c='d'!.csv"),
    *("~(x)*,;:@$[1]{2}.csv", "^`|<>.csv", "…é\u0301.csv"),
)


class StreamEnded(Exception):
    """A stream that ended."""


@pytest.fixture
def gcs_server() -> Iterator[GcsServer]:
    with GcsServer() as server:
        yield server


@pytest.fixture
def azure_server() -> Iterator[AzureServer]:
    with AzureServer() as server:
        yield server


@pytest.fixture
def gcs(gcs_server: GcsServer, tmp_path: Path) -> ObjectStorage:
    overrides = gcs_overrides(gcs_server, tmp_path / "key")
    return object_storage(overrides, tmp_path / "spool", part_size=MIN_PART_SIZE)


@pytest.fixture
def azure(azure_server: AzureServer, tmp_path: Path) -> ObjectStorage:
    overrides = azure_overrides(azure_server)
    return object_storage(overrides, tmp_path / "spool", part_size=MIN_PART_SIZE)


def target(filename: str = "orders.csv") -> Target:
    return Target(f"task-{uuid4().hex}", "crm", filename, "text/csv; charset=utf-8")


def publish(storage: ObjectStorage, of: Target, content: bytes = CONTENT) -> None:
    with storage.open_upload(of) as upload:
        for start in range(0, len(content), MIN_PART_SIZE):
            upload.write(content[start : start + MIN_PART_SIZE])
        upload.seal()
        upload.publish()


def break_off(storage: ObjectStorage) -> None:
    with storage.open_upload(target()) as upload:
        upload.write(LARGE)
        raise StreamEnded


def link(storage: ObjectStorage, of: Target) -> str:
    return storage.link(of, datetime.now(UTC) + timedelta(hours=1))


def get(url: str, stands_for: str | None = None) -> httpx.Response:
    """What a link gives, or what a server gives that stands for its host."""
    if stands_for is None:
        return httpx.get(url)
    link, server = urlsplit(url), urlsplit(stands_for)
    moved = link._replace(scheme=server.scheme, netloc=server.netloc)
    return httpx.get(moved.geturl(), headers={"host": link.netloc})


def assert_downloads(storage: ObjectStorage, host: str | None = None) -> None:
    """Each of `NAMES` can be had by its link, and by no other."""
    for name in NAMES:
        of = target(name)
        content = name.encode() * 10
        publish(storage, of, content)
        url = link(storage, of)
        answer = get(url, host)
        assert (name, answer.status_code, answer.content) == (name, 200, content)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert get(url.replace(of.task_id, "task-1"), host).status_code in {400, 403}


def test_links_of_s3_download_files_of_any_name(seaweed_server: Seaweed, tmp_path: Path) -> None:
    overrides = s3_overrides(seaweed_server.endpoint, prefix=f"{uuid4()}/{{task_id}}")
    assert_downloads(object_storage(overrides, tmp_path / "spool"))


def test_links_of_google_download_files_of_any_name(gcs: ObjectStorage) -> None:
    """They are at Google's own host, for which they are signed, wherever files are sent to."""
    assert link(gcs, target()).startswith("https://storage.googleapis.com/exports/")
    assert_downloads(gcs, gcs._bucket.cloud.url)


def test_links_of_azure_download_files_of_any_name(azure: ObjectStorage) -> None:
    assert_downloads(azure)


def test_what_google_stores_in_parts_is_the_file_and_leaves_none(
    gcs: ObjectStorage, gcs_server: GcsServer
) -> None:
    of = target()
    publish(gcs, of, LARGE)
    (stored,) = gcs_server.objects.values()
    assert stored.data == LARGE
    assert not gcs_server.parts
    assert sum("partNumber" in each.query for each in gcs_server.requests) == 3


def test_what_azure_stores_in_blocks_is_the_file_and_leaves_none(
    azure: ObjectStorage, azure_server: AzureServer
) -> None:
    publish(azure, target(), LARGE)
    (stored,) = azure_server.objects.values()
    assert stored.data == LARGE
    assert not azure_server.parts
    assert sum(each.query.get("comp") == "block" for each in azure_server.requests) == 3


def test_an_upload_in_parts_that_ends_by_an_exception_leaves_nothing_at_google(
    gcs: ObjectStorage, gcs_server: GcsServer
) -> None:
    with pytest.raises(StreamEnded):
        break_off(gcs)
    assert not gcs_server.objects
    assert not gcs_server.parts


def test_google_refuses_the_key_of_another_account(tmp_path: Path) -> None:
    with GcsServer(account("another").public_key()) as server:
        storage = object_storage(gcs_overrides(server, tmp_path / "key"), tmp_path / "spool")
        with pytest.raises(ServiceError, match=r"refused the credentials \(gcs.service_account\)"):
            storage.start()
        publish_fails(storage)
        assert not server.objects


def test_azure_refuses_a_wrong_key(azure_server: AzureServer, tmp_path: Path) -> None:
    overrides = azure_overrides(azure_server, account_key="d3Jvbmc=")
    storage = object_storage(overrides, tmp_path / "spool")
    with pytest.raises(ServiceError, match=r"Azure refused the signature: azure\.account_key"):
        storage.start()
    publish_fails(storage)
    assert not azure_server.objects


@pytest.mark.parametrize("cloud", ["gcs", "azure"])
def test_a_bucket_that_is_not_there_is_named(
    cloud: str, gcs_server: GcsServer, azure_server: AzureServer, tmp_path: Path
) -> None:
    overrides = {
        "gcs": gcs_overrides(gcs_server, tmp_path / "key", bucket="nobodys"),
        "azure": azure_overrides(azure_server, container="nobodys"),
    }[cloud]
    storage = object_storage(overrides, tmp_path / "spool")
    with pytest.raises(ServiceError, match=rf"of that name \({cloud}.(bucket|container)\)"):
        storage.start()


@pytest.mark.parametrize("key", ["no JSON", "{}", None])
def test_a_file_that_holds_no_key_of_an_account_is_named(
    key: str | None, gcs_server: GcsServer, tmp_path: Path
) -> None:
    file = tmp_path / "service-account.json"
    if key is not None:
        file.write_text(key)
    overrides = gcs_overrides(gcs_server, tmp_path / "key", service_account=str(file))
    with pytest.raises(ServiceError, match=r"gcs\.service_account cannot be read, or holds no"):
        object_storage(overrides, tmp_path / "spool")


def test_azure_takes_a_shared_access_signature_instead_of_the_key(
    azure_server: AzureServer, tmp_path: Path
) -> None:
    token = container_sas(BUCKET, "rwdlc", timedelta(hours=1))
    overrides = azure_overrides(azure_server, account_key="", sas_token=token, public="true")
    storage = object_storage(overrides, tmp_path / "spool", part_size=MIN_PART_SIZE)
    storage.start()
    of = target('报表 "Q1".csv')
    publish(storage, of, LARGE)
    (stored,) = azure_server.objects.values()
    assert stored.data == LARGE
    storage.delete(of)
    assert not azure_server.objects


def test_a_shared_access_signature_that_may_not_write_is_refused_in_a_sentence(
    azure_server: AzureServer, tmp_path: Path
) -> None:
    token = container_sas(BUCKET, "rl", timedelta(hours=1))
    overrides = azure_overrides(azure_server, account_key="", sas_token=token, public="true")
    storage = object_storage(overrides, tmp_path / "spool")
    with pytest.raises(ServiceError, match="the key for Azure may not write to the container"):
        storage.start()


def publish_fails(storage: ObjectStorage) -> None:
    with pytest.raises(ServiceError) as caught:
        publish(storage, target())
    assert caught.value.code is ErrorCode.UPLOAD_ERROR

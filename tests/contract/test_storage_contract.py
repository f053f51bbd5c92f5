"""What every storage backend does; `storages` is the one place to add another."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.links import LinkSigner
from flight_server.storage.base import Digest, Readable, Storage, Target, Upload
from flight_server.storage.local import LocalStorage
from flight_server.storage.memory import MemoryStorage
from tests.example_storage.archive_storage import ArchiveStorage
from tests.support.clouds.azure import AzureServer
from tests.support.clouds.gcs import GcsServer
from tests.support.object_storage import (
    azure_overrides,
    gcs_overrides,
    object_storage,
    s3_overrides,
)
from tests.support.oss import OssServer
from tests.support.oss_storage import oss_storage
from tests.support.seaweed import Seaweed

RETENTION = timedelta(days=7)
TEMP_RETENTION = timedelta(hours=1)
TARGET = Target("task-1", "crm", '报表 "Q1".csv', "text/csv; charset=utf-8")
CONTENT = b"id,name\r\n1,Ada\r\n" * 1000


class SomethingBroke(Exception):
    pass


def local(tmp_path: Path) -> Storage:
    return LocalStorage(
        tmp_path / "files",
        tmp_path / "spool",
        retention=RETENTION,
        temp_retention=TEMP_RETENTION,
        min_free_bytes=0,
        base_url="http://127.0.0.1:9091",
        signer=LinkSigner(bytes(32)),
    )


def memory(tmp_path: Path) -> Storage:
    return MemoryStorage(retention=RETENTION, temp_retention=TEMP_RETENTION)


def oss(tmp_path: Path) -> Iterator[Storage]:
    """Small files by one request."""
    with OssServer() as server:
        yield oss_storage(server, tmp_path / "spool", retention=RETENTION)


def oss_in_parts(tmp_path: Path) -> Iterator[Storage]:
    with OssServer() as server:
        server.bucket.min_part_size = 1
        yield oss_storage(server, tmp_path / "spool", retention=RETENTION, part_size=1000)


def s3(tmp_path: Path, seaweed: Seaweed, **changes: Any) -> Storage:
    """Small files by one request, under a prefix of the test's own."""
    overrides = s3_overrides(seaweed.endpoint, prefix=f"{uuid4()}/{{task_id}}")
    return object_storage(overrides, tmp_path / "spool", retention=RETENTION, **changes)


def s3_in_parts(tmp_path: Path, seaweed: Seaweed) -> Storage:
    """The last part may be small, and here there is no other."""
    return s3(tmp_path, seaweed, part_size=len(CONTENT))


def archive(tmp_path: Path) -> Storage:
    """The example of a third party."""
    return ArchiveStorage(
        tmp_path / "files" / "archive.db",
        tmp_path / "spool",
        retention=RETENTION,
        temp_retention=TEMP_RETENTION,
    )


def gcs(tmp_path: Path, **changes: Any) -> Iterator[Storage]:
    """Small files by one request."""
    with GcsServer() as server:
        overrides = gcs_overrides(server, tmp_path / "key")
        yield object_storage(overrides, tmp_path / "spool", retention=RETENTION, **changes)
        assert not server.parts  # nothing is left of any upload, however it ended


def gcs_in_parts(tmp_path: Path) -> Iterator[Storage]:
    return gcs(tmp_path, part_size=len(CONTENT))


def azure(tmp_path: Path, **changes: Any) -> Iterator[Storage]:
    """Small files by one request."""
    with AzureServer() as server:
        overrides = azure_overrides(server)
        yield object_storage(overrides, tmp_path / "spool", retention=RETENTION, **changes)


def azure_in_parts(tmp_path: Path) -> Iterator[Storage]:
    """Blocks may be as small as one likes."""
    return azure(tmp_path, part_size=1000)


S3 = [s3, s3_in_parts]
CLOUDS = [gcs, gcs_in_parts, azure, azure_in_parts]


@pytest.fixture(params=[local, memory, archive, oss, oss_in_parts, *S3, *CLOUDS])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    make: Callable[..., Storage | Iterator[Storage]] = request.param
    servers = [request.getfixturevalue("seaweed_server")] if make in S3 else []
    made = make(tmp_path, *servers)
    if isinstance(made, Iterator):
        yield from made
    else:
        yield made


def publish(storage: Storage, target: Target = TARGET, content: bytes = CONTENT) -> Digest:
    with storage.open_upload(target) as upload:
        upload.write(content)
        digest = upload.seal()
        upload.publish()
    return digest


def seal(storage: Storage, target: Target = TARGET, content: bytes = CONTENT) -> Digest:
    with storage.open_upload(target) as upload:
        upload.write(content)
        return upload.seal()


def read(storage: Storage, target: Target = TARGET) -> bytes:
    assert isinstance(storage, Readable)
    with storage.open_reader(target) as reader:
        return reader.read()


def break_off(storage: Storage, *steps: str) -> None:
    """Write, take the steps, and leave by an exception."""
    with storage.open_upload(TARGET) as upload:
        upload.write(CONTENT)
        for step in steps:
            getattr(upload, step)()
        raise SomethingBroke


def is_published(storage: Storage, target: Target = TARGET) -> bool:
    try:
        read(storage, target)
    except FileNotFoundError:
        return False
    return True


def later(by: timedelta) -> datetime:
    return datetime.now(UTC) + by + timedelta(seconds=5)


def test_a_published_file_holds_exactly_what_was_written(storage: Storage) -> None:
    publish(storage)
    assert read(storage) == CONTENT


def test_the_digest_is_the_size_and_sha256_of_the_file(storage: Storage) -> None:
    assert publish(storage) == Digest(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_every_kind_of_buffer_can_be_written(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(b"bytes,")
        upload.write(memoryview(b"-view,-")[1:-1])
        upload.write(pa.py_buffer(b"arrow"))
        assert upload.bytes_written == 16
        upload.seal()
        upload.publish()
    assert read(storage) == b"bytes,view,arrow"


def test_a_file_without_bytes_is_a_file(storage: Storage) -> None:
    assert publish(storage, content=b"") == Digest(0, hashlib.sha256(b"").hexdigest())
    assert read(storage) == b""


def test_nothing_is_visible_before_publish(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(CONTENT)
        assert not is_published(storage)
        upload.seal()
        assert not is_published(storage)
        upload.publish()
        assert is_published(storage)


def test_leaving_before_seal_leaves_nothing(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(CONTENT)
    assert not storage.resume(TARGET, len(CONTENT))
    assert storage.sweep(later(RETENTION), ()) == 0


@pytest.mark.parametrize("steps", [[], ["seal"]])
def test_leaving_by_an_exception_leaves_nothing(storage: Storage, steps: list[str]) -> None:
    with pytest.raises(SomethingBroke):
        break_off(storage, *steps)
    assert not storage.resume(TARGET, len(CONTENT))
    assert storage.sweep(later(RETENTION), ()) == 0


def test_an_exception_after_publish_takes_nothing_back(storage: Storage) -> None:
    with pytest.raises(SomethingBroke):
        break_off(storage, "seal", "publish")
    assert read(storage) == CONTENT


def test_an_aborted_upload_makes_room_for_another(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(b"first")
    publish(storage, content=b"second")
    assert read(storage) == b"second"


def test_an_aborted_upload_cannot_be_written_or_sealed(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        pass
    with pytest.raises(ValueError, match="closed file"):
        upload.write(b"late")
    with pytest.raises(ValueError, match="closed file"):
        upload.seal()


def test_seal_and_publish_can_be_repeated(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(CONTENT)
        assert upload.seal() == upload.seal()
        upload.publish()
        upload.publish()
    assert read(storage) == CONTENT


def test_a_sealed_upload_takes_no_more_bytes(storage: Storage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.seal()
        with pytest.raises(ValueError, match="sealed"):
            upload.write(b"late")


def test_only_a_sealed_upload_can_be_published(storage: Storage) -> None:
    with (
        storage.open_upload(TARGET) as upload,
        pytest.raises(ValueError, match="not sealed"),
    ):
        upload.publish()
    assert not is_published(storage)


def test_a_task_has_one_upload(storage: Storage) -> None:
    with storage.open_upload(TARGET), pytest.raises(ServiceError) as caught:
        storage.open_upload(TARGET)
    assert caught.value.code is ErrorCode.STORAGE_ERROR


def test_a_published_file_is_never_overwritten(storage: Storage) -> None:
    publish(storage)
    with pytest.raises(ServiceError) as caught:
        storage.open_upload(TARGET)
    assert caught.value.code is ErrorCode.STORAGE_ERROR
    assert read(storage) == CONTENT


def test_two_tasks_may_use_the_same_filename(storage: Storage) -> None:
    other = Target("task-2", TARGET.client, TARGET.filename, TARGET.content_type)
    publish(storage, content=b"one")
    publish(storage, other, content=b"two")
    assert (read(storage), read(storage, other)) == (b"one", b"two")


def test_resume_publishes_what_was_sealed(storage: Storage) -> None:
    size = seal(storage).size
    assert storage.resume(TARGET, size)
    assert read(storage) == CONTENT


def test_resume_of_a_published_file_says_yes(storage: Storage) -> None:
    size = publish(storage).size
    assert storage.resume(TARGET, size)
    assert storage.resume(TARGET, size)
    assert read(storage) == CONTENT


def test_resume_says_no_when_nothing_is_left(storage: Storage) -> None:
    assert not storage.resume(TARGET, 0)


def test_resume_refuses_bytes_of_another_size(storage: Storage) -> None:
    """An unsealed rest after a crash is shorter than what the task recorded."""
    size = seal(storage).size
    assert not storage.resume(TARGET, size + 1)
    assert not is_published(storage)


def test_what_cannot_be_published_is_not_to_be_seen_and_can_be_resumed(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Upload, digest: Digest) -> None:
        raise ServiceError(ErrorCode.UPLOAD_ERROR, "not now")

    with storage.open_upload(TARGET) as upload:
        monkeypatch.setattr(type(upload), "_expose", refused)
    with pytest.raises(ServiceError, match="not now"):
        publish(storage)
    assert not is_published(storage)
    assert storage.resume(TARGET, len(CONTENT))
    assert read(storage) == CONTENT


def test_what_was_resumed_can_be_withdrawn_and_withdrawing_may_be_repeated(
    storage: Storage,
) -> None:
    size = seal(storage).size
    storage.withdraw(TARGET)
    storage.withdraw(TARGET)
    assert storage.resume(TARGET, size)


def test_delete_removes_the_file_and_may_be_repeated(storage: Storage) -> None:
    size = publish(storage).size
    storage.delete(TARGET)
    storage.delete(TARGET)
    assert not is_published(storage)
    assert not storage.resume(TARGET, size)


def test_delete_removes_sealed_bytes_too(storage: Storage) -> None:
    size = seal(storage).size
    storage.delete(TARGET)
    assert not storage.resume(TARGET, size)


def test_sweep_removes_finished_files_after_their_retention(storage: Storage) -> None:
    publish(storage)
    assert storage.sweep(later(RETENTION), ()) == 1
    assert not is_published(storage)


def test_sweep_keeps_finished_files_within_their_retention(storage: Storage) -> None:
    publish(storage)
    assert storage.sweep(later(TEMP_RETENTION), ()) == 0
    assert is_published(storage)


def test_sweep_removes_old_sealed_bytes_of_tasks_that_are_not_kept(storage: Storage) -> None:
    size = seal(storage).size
    assert storage.sweep(later(TEMP_RETENTION), {"task-2"}) == 1
    assert not storage.resume(TARGET, size)


def test_sweep_keeps_sealed_bytes_of_kept_tasks_however_old(storage: Storage) -> None:
    size = seal(storage).size
    assert storage.sweep(later(RETENTION), {TARGET.task_id}) == 0
    assert storage.resume(TARGET, size)


def test_sweep_keeps_young_sealed_bytes(storage: Storage) -> None:
    size = seal(storage).size
    assert storage.sweep(datetime.now(UTC), ()) == 0
    assert storage.resume(TARGET, size)


def test_a_link_names_the_task_and_the_file(storage: Storage) -> None:
    link = storage.link(TARGET, datetime.now(UTC))
    assert "://" in link
    assert f"{TARGET.task_id}/%E6%8A%A5%E8%A1%A8%20%22Q1%22.csv" in link


def test_a_working_storage_says_so_in_a_sentence(storage: Storage) -> None:
    assert " " in storage.check()


def test_close_can_be_repeated(storage: Storage) -> None:
    storage.close()
    storage.close()


@pytest.mark.parametrize("filename", ["", ".", "..", "../a.csv", "a\\b.csv", "a\0.csv", "é" * 128])
def test_a_target_refuses_unacceptable_filenames(filename: str) -> None:
    with pytest.raises(ServiceError) as caught:
        Target("task-1", "crm", filename, "text/csv")
    assert caught.value.code is ErrorCode.INVALID_DESCRIPTOR


@pytest.mark.parametrize("task_id", ["", "..", "a/b", "a.spool", "-rf", "ä", "x" * 129])
def test_a_target_refuses_task_ids_that_are_no_plain_path_segment(task_id: str) -> None:
    with pytest.raises(ValueError, match="task id"):
        Target(task_id, "crm", "a.csv", "text/csv")

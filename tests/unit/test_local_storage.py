import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.links import LinkSigner
from flight_server.storage import local as local_module
from flight_server.storage.base import LocalPath, Target
from flight_server.storage.local import LocalStorage

TARGET = Target("t1", "crm", "report.csv", "text/csv")
CONTENT = b"some bytes"
Make = Callable[..., LocalStorage]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make_storage(min_free_bytes: int = 0) -> LocalStorage:
        return LocalStorage(
            tmp_path / "data" / "files",
            tmp_path / "spool",
            retention=timedelta(days=7),
            temp_retention=timedelta(hours=1),
            min_free_bytes=min_free_bytes,
            base_url="https://files.example.com",
            signer=LinkSigner(bytes(32)),
        )

    return make_storage


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "data" / "files"


@pytest.fixture
def spools(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def two_file_systems(monkeypatch: pytest.MonkeyPatch, spools: Path) -> None:
    """Renaming out of the spool directory fails as it does between file systems."""
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.parent == spools:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)


def seal(storage: LocalStorage) -> int:
    with storage.open_upload(TARGET) as upload:
        upload.write(CONTENT)
        return upload.seal().size


def publish(storage: LocalStorage) -> None:
    assert storage.resume(TARGET, seal(storage))


def publish_in_context(storage: LocalStorage) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.seal()
        upload.publish()


def age(path: Path, by: timedelta) -> None:
    then = (datetime.now(UTC) - by).timestamp()
    os.utime(path, (then, then))


def test_files_lie_under_their_task_and_name(make: Make, files: Path, spools: Path) -> None:
    storage = make()
    publish(storage)
    assert isinstance(storage, LocalPath)
    assert storage.path(TARGET) == files / "t1" / "report.csv"
    assert (files / "t1" / "report.csv").read_bytes() == CONTENT
    assert list(spools.iterdir()) == []


def test_directories_and_files_are_for_this_user_only(
    make: Make, files: Path, spools: Path
) -> None:
    publish(make())
    modes = [path.stat().st_mode & 0o777 for path in (spools, files, files / "t1")]
    assert modes == [0o700] * 3
    assert (files / "t1" / "report.csv").stat().st_mode & 0o777 == 0o600


def test_relative_directories_stay_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = LocalStorage(
        Path("files"),
        Path("spool"),
        retention=timedelta(days=7),
        temp_retention=timedelta(hours=1),
        min_free_bytes=0,
        base_url="http://127.0.0.1",
        signer=LinkSigner(bytes(32)),
    )
    monkeypatch.chdir("/")
    publish(storage)
    assert (tmp_path / "files" / "t1" / "report.csv").exists()


def test_a_sealed_spool_is_published_by_the_next_process(make: Make) -> None:
    size = seal(make())
    restarted = make()
    assert restarted.resume(TARGET, size)
    assert restarted.path(TARGET).read_bytes() == CONTENT


def test_publish_syncs_the_names_of_file_and_directory(
    make: Make, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    size = seal(storage)
    synced: list[Path] = []
    monkeypatch.setattr(local_module, "sync_directory", synced.append)
    storage.resume(TARGET, size)
    assert synced == [files / "t1", files]


def test_a_publish_that_failed_after_the_rename_can_be_repeated(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()

    def fail(directory: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with storage.open_upload(TARGET) as upload:
        upload.write(CONTENT)
        upload.seal()
        with monkeypatch.context() as broken:
            broken.setattr(local_module, "sync_directory", fail)
            with pytest.raises(ServiceError) as caught:
                upload.publish()
        assert caught.value.code is ErrorCode.STORAGE_ERROR
        upload.publish()
    assert storage.path(TARGET).read_bytes() == CONTENT


def test_an_upload_that_failed_half_way_through_publishing_leaves_nothing(
    make: Make, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()

    def fail(directory: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(local_module, "sync_directory", fail)
    with pytest.raises(ServiceError):
        publish_in_context(storage)
    assert list(files.iterdir()) == []


def test_a_spool_that_vanished_cannot_be_published(make: Make, spools: Path) -> None:
    storage = make()
    with storage.open_upload(TARGET) as upload:
        upload.seal()
        (spools / "t1.spool").unlink()
        with pytest.raises(ServiceError, match="removed or changed"):
            upload.publish()


def test_publishing_between_file_systems_copies(
    make: Make, files: Path, spools: Path, two_file_systems: None
) -> None:
    publish(make())
    assert (files / "t1" / "report.csv").read_bytes() == CONTENT
    assert (files / "t1" / "report.csv").stat().st_mode & 0o777 == 0o600
    assert list(spools.iterdir()) == []
    assert [path.name for path in files.iterdir()] == ["t1"]


def test_a_copy_is_on_the_disk_before_it_gets_its_name(
    make: Make, files: Path, two_file_systems: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    size = seal(storage)
    synced: list[tuple[int, bool]] = []

    def record(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, (files / "t1" / "report.csv").exists()))

    monkeypatch.setattr(os, "fsync", record)
    storage.resume(TARGET, size)
    assert synced[0] == ((files / "t1" / "report.csv").stat().st_ino, False)


def test_a_name_of_full_length_is_copied_too(make: Make, two_file_systems: None) -> None:
    storage = make()
    target = Target("t1", "crm", "é" * 127 + "x", "text/csv")
    with storage.open_upload(target) as upload:
        upload.seal()
        upload.publish()
    assert storage.path(target).exists()


def test_a_copy_that_fails_keeps_the_spool_and_leaves_no_partial_file(
    make: Make, files: Path, two_file_systems: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    size = seal(storage)

    def run_full(reader: object, writer: object, length: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfileobj", run_full)
        with pytest.raises(ServiceError) as caught:
            storage.resume(TARGET, size)
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert [path for path in files.rglob("*") if path.is_file()] == []
    assert storage.resume(TARGET, size)


def test_two_replicas_that_copy_one_spool_do_not_write_into_one_file(
    make: Make, two_file_systems: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One was taken for dead while it copied, and goes on; the other one stops half way through."""
    one, other = make(), make()
    size = seal(one)
    begun, over = threading.Event(), threading.Event()
    half_way = threading.Thread(target=other.resume, args=(TARGET, size))

    def never_done(reader: BinaryIO, writer: BinaryIO, length: int) -> None:
        begun.set()
        assert over.wait(20)
        shutil_copy(reader, writer, length)

    def overtaken(reader: BinaryIO, writer: BinaryIO, length: int) -> None:
        writer.write(reader.read(size // 2))
        writer.flush()
        monkeypatch.setattr(shutil, "copyfileobj", never_done)
        half_way.start()
        assert begun.wait(20)
        shutil_copy(reader, writer, length)

    shutil_copy = shutil.copyfileobj
    monkeypatch.setattr(shutil, "copyfileobj", overtaken)
    try:
        assert one.resume(TARGET, size)
        assert one.path(TARGET).read_bytes() == CONTENT
    finally:
        over.set()
        half_way.join()
    assert one.path(TARGET).read_bytes() == CONTENT


def test_a_copy_must_leave_the_minimum_free(make: Make, two_file_systems: None) -> None:
    size = seal(make())
    with pytest.raises(ServiceError) as caught:
        make(min_free_bytes=2**62).resume(TARGET, size)
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert make().resume(TARGET, size)


def test_a_copy_interrupted_before_the_spool_was_removed_is_tidied_by_resume(
    make: Make, files: Path, spools: Path
) -> None:
    storage = make()
    size = seal(storage)
    (files / "t1").mkdir()
    shutil.copy(spools / "t1.spool", files / "t1" / "report.csv")
    assert storage.resume(TARGET, size)
    assert list(spools.iterdir()) == []


def test_a_failure_of_the_disk_names_no_path(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    size = seal(storage)

    def fail(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))

    for name in ("exists", "replace", "unlink"):
        monkeypatch.setattr(Path, name, fail)
    for step in (
        lambda: storage.open_upload(TARGET),
        lambda: storage.resume(TARGET, size),
        lambda: storage.delete(TARGET),
    ):
        with pytest.raises(ServiceError) as caught:
            step()
        assert caught.value.code is ErrorCode.STORAGE_ERROR
        assert str(tmp_path) not in caught.value.message


def test_delete_leaves_no_directory(make: Make, files: Path) -> None:
    storage = make()
    publish(storage)
    storage.delete(TARGET)
    assert list(files.iterdir()) == []


def test_a_directory_that_somebody_else_deletes_meanwhile_is_no_failure(
    make: Make, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that cancels a task and the task's own both delete."""
    storage, rmdir = make(), Path.rmdir
    publish(storage)

    def twice(directory: Path) -> None:
        rmdir(directory)
        rmdir(directory)

    monkeypatch.setattr(Path, "rmdir", twice)
    storage.delete(TARGET)
    assert list(files.iterdir()) == []


def test_sweep_goes_on_when_another_replica_was_faster(
    make: Make, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, iterdir = make(), Path.iterdir
    for name in ("t1", "t2"):
        (files / name).mkdir()
        age(files / name, timedelta(days=8))

    def losing(directory: Path) -> Iterator[Path]:
        if directory != files:
            directory.rmdir()
        return iterdir(directory)

    monkeypatch.setattr(Path, "iterdir", losing)
    storage.sweep(datetime.now(UTC), ())
    assert list(files.iterdir()) == []


def test_sweep_counts_retention_from_publishing(make: Make, files: Path, spools: Path) -> None:
    """A file resumed after a long outage has old bytes and a new link."""
    storage = make()
    size = seal(storage)
    age(spools / "t1.spool", timedelta(days=30))
    storage.resume(TARGET, size)
    assert storage.sweep(datetime.now(UTC), ()) == 0
    age(files / "t1", timedelta(days=8))
    assert storage.sweep(datetime.now(UTC), ()) == 1
    assert list(files.iterdir()) == []


def test_sweep_removes_interrupted_copies_and_empty_directories_when_they_are_old(
    make: Make, files: Path
) -> None:
    storage = make()
    (files / "t1").mkdir()
    (files / "t2.partial").touch()
    assert storage.sweep(datetime.now(UTC), ()) == 0
    age(files / "t1", timedelta(days=8))
    age(files / "t2.partial", timedelta(hours=2))
    assert storage.sweep(datetime.now(UTC), ()) == 1
    assert list(files.iterdir()) == []


def test_sweep_leaves_alone_what_the_service_did_not_make(
    make: Make, files: Path, spools: Path, tmp_path: Path
) -> None:
    storage = make()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (files / "link").symlink_to(elsewhere)
    (files / "lost+found").mkdir()
    (files / "README").touch()
    (spools / "notes.txt").touch()
    assert storage.sweep(datetime.now(UTC) + timedelta(days=365), ()) == 0
    assert sorted(path.name for path in files.iterdir()) == ["README", "link", "lost+found"]
    assert (elsewhere / "precious").exists()
    assert (spools / "notes.txt").exists()


def test_sweep_does_not_mind_another_replica_sweeping_too(
    make: Make, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    publish(storage)
    unlink = Path.unlink

    def unlink_twice(self: Path) -> None:
        unlink(self)
        unlink(self)

    monkeypatch.setattr(Path, "unlink", unlink_twice)
    assert storage.sweep(datetime.now(UTC) + timedelta(days=8), ()) == 0
    assert list(files.iterdir()) == []


def test_sweep_goes_on_after_a_failure_and_then_raises_it(
    make: Make, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    for name in ("t1", "t2", "t3"):
        (files / name).mkdir()
        (files / name / "a.csv").touch()
    unlink = Path.unlink

    def refuse_one(self: Path, missing_ok: bool = False) -> None:
        if self.parent.name == "t2":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse_one)
    with pytest.raises(ServiceError, match="not permitted") as caught:
        storage.sweep(datetime.now(UTC) + timedelta(days=8), ())
    assert caught.value.code is ErrorCode.STORAGE_ERROR
    assert [path.name for path in files.iterdir()] == ["t2"]


def test_check_names_the_key_of_a_directory_that_is_gone(make: Make, spools: Path) -> None:
    storage = make()
    spools.rmdir()
    with pytest.raises(ServiceError, match=r"^STORAGE_ERROR: storage\.temp_directory ") as caught:
        storage.check()
    assert str(spools) not in caught.value.message


def test_check_wants_the_minimum_of_free_space(make: Make) -> None:
    with pytest.raises(ServiceError) as caught:
        make(min_free_bytes=2**62).check()
    assert caught.value.code is ErrorCode.STORAGE_FULL


def test_check_leaves_no_trace(make: Make, files: Path, spools: Path) -> None:
    make().check()
    assert [*files.iterdir(), *spools.iterdir()] == []


def test_a_directory_that_cannot_be_made_is_refused_by_its_key(make: Make, spools: Path) -> None:
    spools.touch()
    with pytest.raises(ServiceError, match=r"storage\.temp_directory cannot be written"):
        make()


def test_a_directory_of_another_user_is_refused(
    make: Make, spools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shared /tmp its owner could swap the spools."""

    def owned_by_another(self: Path) -> os.stat_result:
        status = os.stat(self)  # noqa: PTH116 - Path.stat is what is replaced
        return os.stat_result([*status[:4], 4711, *status[5:10]])

    monkeypatch.setattr(Path, "stat", owned_by_another)
    with pytest.raises(ServiceError, match="belongs to another user"):
        make()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_file_whose_name_is_not_durable_is_a_spool_again(
    make: Make,
    files: Path,
    spools: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    elsewhere: bool,
) -> None:
    """As far as it can go wrong: it has its name, and the disk refuses to keep that."""
    if elsewhere:
        request.getfixturevalue("two_file_systems")
    storage = make()
    size = seal(storage)

    def refuse(directory: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(local_module, "sync_directory", refuse)
        with pytest.raises(ServiceError, match="STORAGE_ERROR"):
            storage.resume(TARGET, size)
        assert (files / "t1" / "report.csv").exists()
        storage.withdraw(TARGET)
    assert not (files / "t1").exists()
    assert [path.read_bytes() for path in spools.iterdir()] == [CONTENT]
    assert storage.resume(TARGET, size)
    assert (files / "t1" / "report.csv").read_bytes() == CONTENT


def test_a_file_on_another_file_system_becomes_a_spool_again(
    make: Make, files: Path, spools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make()
    publish(storage)

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "replace", refuse)
    storage.withdraw(TARGET)
    assert list(files.iterdir()) == []
    assert [path.read_bytes() for path in spools.iterdir()] == [CONTENT]

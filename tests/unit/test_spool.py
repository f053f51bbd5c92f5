import errno
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage import spool
from flight_server.storage.spool import CHECK_INTERVAL, SpoolFile

MIB = 1024 * 1024


class BrokenFile(io.FileIO):
    """A file that takes `room` bytes and then fails as a full disk does."""

    def __init__(self, path: Path, room: int, code: int) -> None:
        super().__init__(path, "wb")
        self._room = room
        self._code = code

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        taken = min(self._room, len(data))
        if not taken:
            raise OSError(self._code, os.strerror(self._code))
        self._room -= taken
        return super().write(data[:taken])


class FreeSpace:
    """A disk whose free space the test decides."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0

    def __call__(self, directory: Path) -> int:
        self.asked += 1
        return self.free


def test_what_is_written_is_counted_and_hashed_on_the_way(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "t1", 0)
    spool.write(b"one,")
    spool.write(memoryview(b"two"))
    digest = spool.seal()
    assert spool.path.read_bytes() == b"one,two"
    assert (digest.size, digest.sha256) == (7, hashlib.sha256(b"one,two").hexdigest())


def test_a_view_of_wider_items_is_written_whole(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "t1", 0)
    spool.write(memoryview(bytes(range(16))).cast("I"))
    assert spool.seal().size == 16


def test_the_spool_is_for_this_user_only_and_named_by_its_task(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "t1", 0)
    assert spool.path == tmp_path / "t1.spool"
    assert spool.path.stat().st_mode & 0o777 == 0o600
    spool.discard()


def test_a_second_spool_of_a_task_is_refused_and_the_first_untouched(tmp_path: Path) -> None:
    first = SpoolFile(tmp_path, "t1", 0)
    first.write(b"kept")
    with pytest.raises(ServiceError) as caught:
        SpoolFile(tmp_path, "t1", 0)
    assert caught.value.code is ErrorCode.STORAGE_ERROR
    first.seal()
    assert first.path.read_bytes() == b"kept"


def test_a_link_planted_under_the_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / "t1.spool").symlink_to(victim)
    with pytest.raises(ServiceError):
        SpoolFile(tmp_path, "t1", 0)
    assert not victim.exists()


def test_discard_removes_the_spool_and_may_be_repeated(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "t1", 0)
    spool.discard()
    spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_seal_syncs_the_file_and_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    spool = SpoolFile(tmp_path, "t1", 0)
    spool.write(b"data")
    spool.seal()
    assert synced == [spool.path.stat().st_ino, tmp_path.stat().st_ino]


def test_too_little_space_refuses_the_spool(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="99 bytes free, 100 are needed") as caught:
        SpoolFile(tmp_path, "t1", 100, FreeSpace(99))
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert list(tmp_path.iterdir()) == []


def test_the_real_free_space_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as caught:
        SpoolFile(tmp_path, "t1", 2**62)
    assert caught.value.code is ErrorCode.STORAGE_FULL


def test_space_that_runs_out_while_writing_ends_the_spool(tmp_path: Path) -> None:
    disk = FreeSpace(100)
    spool = SpoolFile(tmp_path, "t1", 100, disk)
    disk.free = 99
    spool.write(bytes(CHECK_INTERVAL - 1))
    with pytest.raises(ServiceError) as caught:
        spool.write(b"12")
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert list(tmp_path.iterdir()) == []


def test_space_is_looked_at_every_64_mib_and_not_at_each_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "CHECK_INTERVAL", MIB)
    disk = FreeSpace(100)
    file = SpoolFile(tmp_path, "t1", 100, disk)
    for _ in range(40):
        file.write(bytes(MIB // 10))
    assert disk.asked == 1 + 3
    file.discard()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_storage_full_and_leaves_nothing(tmp_path: Path, code: int) -> None:
    spool = SpoolFile(tmp_path, "t1", 0)
    spool._file.close()
    spool._file = BrokenFile(spool.path, room=10, code=code)
    spool.write(b"12345")
    with pytest.raises(ServiceError) as caught:
        spool.write(b"67890-more")
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert caught.value.code.retryable
    assert str(tmp_path) not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_broken_disk_is_storage_error(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "t1", 0)
    spool._file.close()
    spool._file = BrokenFile(spool.path, room=0, code=errno.EIO)
    with pytest.raises(ServiceError) as caught:
        spool.write(b"x")
    assert caught.value.code is ErrorCode.STORAGE_ERROR


def test_a_disk_that_cannot_sync_seals_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool = SpoolFile(tmp_path, "t1", 0)
    spool.write(b"x")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ServiceError) as caught:
        spool.seal()
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert list(tmp_path.iterdir()) == []


def test_after_a_failure_nothing_can_be_sealed(tmp_path: Path) -> None:
    """A caller that swallowed the error must not get the digest of half a file."""
    spool = SpoolFile(tmp_path, "t1", 0)
    spool._file.close()
    spool._file = BrokenFile(spool.path, room=0, code=errno.ENOSPC)
    with pytest.raises(ServiceError):
        spool.write(b"x")
    with pytest.raises(ValueError, match="closed file"):
        spool.seal()


def test_writes_that_the_system_takes_in_parts_are_completed(tmp_path: Path) -> None:
    class Reluctant(io.FileIO):
        def write(self, data: memoryview) -> int:  # type: ignore[override]
            return super().write(data[:3])

    spool = SpoolFile(tmp_path, "t1", 0)
    spool._file.close()
    spool._file = Reluctant(spool.path, "wb")
    spool.write(b"0123456789")
    assert spool.seal().size == 10
    assert spool.path.read_bytes() == b"0123456789"


LIMITED = """
import resource, sys
from pathlib import Path
from flight_server.errors import ServiceError
from flight_server.storage.spool import SpoolFile

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
spool = SpoolFile(Path(sys.argv[1]), "t1", 0)
try:
    for _ in range(100):
        spool.write(bytes(100_000))
except ServiceError as error:
    print(error.code)
"""


def test_a_limit_of_the_system_on_file_size_is_storage_full(tmp_path: Path) -> None:
    """The real thing: RLIMIT_FSIZE makes the kernel answer EFBIG after a partial write."""
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert result.stdout.strip() == ErrorCode.STORAGE_FULL
    assert list(tmp_path.iterdir()) == []

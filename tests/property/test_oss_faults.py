"""Whatever goes wrong on the way to OSS: the right file is there, or a clear error and nothing."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Target
from flight_server.storage.oss.storage import OssStorage
from tests.support.oss import Fault, FaultKind, OssServer, When
from tests.support.oss.strategies import CORRUPTING, LASTING, PASSING, fault_schedules
from tests.support.oss_storage import oss_storage
from tests.support.waiting import wait_for

PART_SIZE = 1000
SMALL, LARGE = 700, 4_321
OPERATIONS = (
    "PutObject",
    "InitiateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListMultipartUploads",
    "HeadObject",
    "DeleteObject",
    "PutObjectTagging",
)


@pytest.fixture(scope="module")
def server() -> Iterator[OssServer]:
    with OssServer() as started:
        started.bucket.min_part_size = 1
        yield started


@pytest.fixture(scope="module")
def storage(server: OssServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssStorage]:
    made = oss_storage(server, tmp_path_factory.mktemp("spool"), part_size=PART_SIZE)
    yield made
    made.close()


_numbers = iter(range(1_000_000))


def content_of(size: int) -> bytes:
    return bytes(number * 31 % 251 for number in range(size))


def run(server: OssServer, storage: OssStorage, schedule: Sequence[Fault], size: int) -> str:
    """One export under `schedule`: COMPLETED, or the code that it failed with.

    A file that was whole when it failed is published by a retry once the faults have passed.
    """
    target = Target(f"task-{next(_numbers)}", "crm", "orders.csv", "text/csv", "r-1")
    content = content_of(size)
    server.faults.clear()
    server.faults.add(*schedule)
    sealed, code = False, "COMPLETED"
    try:
        with storage.open_upload(target) as upload:
            for start in range(0, size, 300):
                upload.write(content[start : start + 300])
            upload.seal()
            sealed = True
            upload.publish()
    except ServiceError as error:
        server.faults.clear()
        assert_nothing_is_left(server, target)
        if not sealed:
            assert_no_local_rest(storage, target)
            return error.code
        assert storage.resume(target, size)
        code = error.code
    server.faults.clear()
    [(key, stored)] = [
        (key, stored) for key, stored in server.objects.items() if target.task_id in key
    ]
    assert key == f"crm/undated/{target.task_id}/orders.csv"
    assert stored.data == content
    assert_no_local_rest(storage, target)
    return code


def assert_nothing_is_left(server: OssServer, target: Target) -> None:
    assert not [key for key in server.objects if target.task_id in key]
    assert not [each for each in server.uploads.values() if target.task_id in each.key]


def assert_no_local_rest(storage: OssStorage, target: Target) -> None:
    directory: Path = storage._directory
    assert not [path.name for path in directory.iterdir() if target.task_id in path.name]


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(schedule=[Fault(FaultKind.BIT_FLIP), Fault(FaultKind.NO_CRC)], size=SMALL)
@example(
    schedule=[Fault(FaultKind.BIT_FLIP, "UploadPart"), Fault(FaultKind.NO_CRC, times=2)], size=LARGE
)
@given(
    schedule=fault_schedules(PASSING + CORRUPTING + LASTING, OPERATIONS),
    size=st.sampled_from([0, SMALL, PART_SIZE, LARGE]),
)
def test_generated_schedules(
    server: OssServer, storage: OssStorage, schedule: list[Fault], size: int
) -> None:
    assert run(server, storage, schedule, size) in {"COMPLETED", ErrorCode.UPLOAD_ERROR}
    assert not server.uploads


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    schedule=fault_schedules(PASSING + CORRUPTING + LASTING, (*OPERATIONS, "ListParts")),
    size=st.sampled_from([0, SMALL, PART_SIZE, LARGE]),
)
def test_an_upload_that_is_gone_on_with_is_done_or_can_be_tried_once_more(
    server: OssServer, storage: OssStorage, schedule: list[Fault], size: int
) -> None:
    """As after a restart: a failure then costs nothing but another attempt."""
    target = Target(f"task-{next(_numbers)}", "crm", "orders.csv", "text/csv", "r-1")
    server.faults.clear()
    with storage.open_upload(target) as upload:
        upload.write(content_of(size))
        upload.seal()
    server.faults.add(*schedule)
    with suppress(ServiceError):
        storage.resume(target, size)
    server.faults.clear()
    assert storage.resume(target, size)
    [stored] = [stored for key, stored in server.objects.items() if target.task_id in key]
    assert stored.data == content_of(size)
    assert not server.uploads
    assert_no_local_rest(storage, target)


def each_alone_and_twice() -> Iterator[Fault]:
    for kind in PASSING + CORRUPTING + LASTING:
        timed = kind in {FaultKind.STATUS, FaultKind.RESET, FaultKind.SLOW}
        for operation in OPERATIONS:
            for times in (1, 2):
                for when in When if timed else (When.BEFORE_STORING,):
                    yield Fault(kind, operation, times=times, when=when, seconds=0.0)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_every_fault_at_every_step_alone_and_twice_in_a_row(
    server: OssServer, storage: OssStorage, size: int
) -> None:
    """What may succeed when it is tried again does; what may not is a clear error."""
    for fault in each_alone_and_twice():
        result = run(server, storage, [fault], size)
        assert not server.uploads, fault
        if fault.kind in PASSING + CORRUPTING:
            assert result == "COMPLETED", fault
        else:
            assert result in {"COMPLETED", ErrorCode.UPLOAD_ERROR}, fault


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if "Abort" not in each])
def test_a_server_that_hangs(server: OssServer, tmp_path: Path, operation: str) -> None:
    """Silence is taken for a fault after the read timeout, whatever is done then or much later."""
    storage = oss_storage(server, tmp_path, part_size=PART_SIZE, read_timeout=0.1)
    try:
        for when in When:
            for size in SMALL, LARGE:
                fault = Fault(FaultKind.HANG, operation, when=when)
                assert run(server, storage, [fault], size) == "COMPLETED"
                server.faults.release()
        days = itertools.count(2)

        def swept() -> bool:
            storage.sweep(datetime.now(UTC) + timedelta(days=next(days)), ())
            return not server.uploads

        wait_for(swept)
    finally:
        storage.close()

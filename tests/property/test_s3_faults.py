"""Whatever goes wrong on the way to S3: the right file is there, or a clear error and nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Target
from flight_server.storage.object_store.settings import Times
from flight_server.storage.object_store.storage import ObjectStorage
from tests.support.line import Fault, Line, Trouble, line_to
from tests.support.object_storage import object_storage, s3_overrides
from tests.support.seaweed import Seaweed

PART_SIZE = 5 * 1024**2
SMALL, LARGE = 700, PART_SIZE + 4321
CONTENT = bytes(number * 31 % 251 for number in range(251)) * (LARGE // 251 + 1)

LASTING = (Trouble.DENIED,)
HANGING = (Trouble.HANG_BEFORE, Trouble.HANG_AFTER)
PASSING = tuple(each for each in Trouble if each not in LASTING + HANGING)
OPERATIONS = (
    *("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"),
    *("AbortMultipartUpload", "ListMultipartUploads", "HeadObject", "DeleteObjects"),
)
IMPATIENT = Times(
    timedelta(milliseconds=500),
    timedelta(seconds=2),
    max_retries=2,
    retrying=timedelta(seconds=10),
    first_wait=timedelta(milliseconds=1),
    longest_wait=timedelta(milliseconds=5),
)

_numbers = iter(range(1_000_000))


@pytest.fixture(scope="module")
def line(seaweed_server: Seaweed) -> Iterator[Line]:
    with line_to(seaweed_server.endpoint) as started:
        yield started


@pytest.fixture(scope="module")
def storage(line: Line, tmp_path_factory: pytest.TempPathFactory) -> ObjectStorage:
    overrides = s3_overrides(line.endpoint, prefix="faults/{task_id}")
    return object_storage(overrides, tmp_path_factory.mktemp("spool"), part_size=PART_SIZE)


def run(line: Line, storage: ObjectStorage, schedule: list[Fault], size: int) -> str:
    """One export under `schedule`: COMPLETED, or the code that it failed with.

    A file that was whole when it failed is published by a retry once the faults have passed.
    """
    target = Target(f"task-{next(_numbers)}", "crm", "orders.csv", "text/csv", "r-1")
    line.script(*schedule)
    sealed, code = False, "COMPLETED"
    try:
        with storage.open_upload(target) as upload:
            for start in range(0, size, PART_SIZE):
                upload.write(memoryview(CONTENT)[start : min(size, start + PART_SIZE)])
            upload.seal()
            sealed = True
            upload.publish()
    except ServiceError as error:
        line.script()
        code = error.code
        settle(storage, target)
        assert_nothing_is_left(storage, target)
        assert sealed
        assert storage.resume(target, size)
    line.script()
    with storage.open_reader(target) as reader:
        assert reader.read() == CONTENT[:size]
    assert not unfinished(storage, target)
    assert not [path for path in storage._directory.iterdir() if target.task_id in path.name]
    storage.delete(target)
    return code


def settle(storage: ObjectStorage, target: Target) -> None:
    """What the next sweep does, if something could not be taken back at once."""
    if storage._uplink.marks.key(target.task_id) is not None:
        storage._uplink.erase_marked(target.task_id)


def unfinished(storage: ObjectStorage, target: Target) -> list[str]:
    found = storage._uplink.unfinished
    assert found is not None
    return [each.key for each in found.under(f"faults/{target.task_id}/")]


def assert_nothing_is_left(storage: ObjectStorage, target: Target) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open_reader(target)
    assert not unfinished(storage, target)


def schedules(troubles: tuple[Trouble, ...]) -> st.SearchStrategy[list[Fault]]:
    return st.lists(
        st.builds(
            Fault,
            st.sampled_from(troubles),
            st.sampled_from(OPERATIONS),
            st.sampled_from([1, 2, 3, 8, None]),
            st.integers(0, 1),
        ),
        max_size=4,
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(schedule=[Fault(Trouble.FLIP, "UploadPart")], size=LARGE)
@example(schedule=[Fault(Trouble.RESET_AFTER, "CreateMultipartUpload")], size=LARGE)
@example(schedule=[Fault(Trouble.RESET_AFTER, "CompleteMultipartUpload", 8)], size=LARGE)
@given(schedule=schedules(PASSING + LASTING), size=st.sampled_from([0, SMALL, LARGE]))
def test_generated_schedules(
    line: Line, storage: ObjectStorage, schedule: list[Fault], size: int
) -> None:
    assert run(line, storage, schedule, size) in {"COMPLETED", ErrorCode.UPLOAD_ERROR}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_what_passes_costs_nothing_at_any_step_alone_and_twice_in_a_row(
    line: Line, storage: ObjectStorage, operation: str, size: int
) -> None:
    for trouble in PASSING:
        for times in (1, 2):
            fault = Fault(trouble, operation, times)
            assert run(line, storage, [fault], size) == "COMPLETED", fault


@pytest.mark.parametrize("operation", [*OPERATIONS[:4], "HeadObject"])
@pytest.mark.parametrize("trouble", HANGING)
def test_silence_is_taken_for_a_fault_after_a_while(
    line: Line,
    seaweed_server: Seaweed,
    tmp_path_factory: pytest.TempPathFactory,
    operation: str,
    trouble: Trouble,
) -> None:
    overrides = s3_overrides(line.endpoint, prefix="faults/{task_id}")
    directory = tmp_path_factory.mktemp("spool")
    storage = object_storage(overrides, directory, part_size=PART_SIZE, times=IMPATIENT)
    size = SMALL if operation == "PutObject" else LARGE
    assert run(line, storage, [Fault(trouble, operation)], size) == "COMPLETED"

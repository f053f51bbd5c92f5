"""The use cases, without a door."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.request import ExportRequest, parse_command
from flight_server.service import Export, ExportService, target_of
from flight_server.storage.base import Target
from flight_server.storage.memory import MemoryStorage
from flight_server.stream import Message
from flight_server.tasks.model import Task, TaskState
from flight_server.together import together
from tests.support.exports import batch, csv_of
from tests.support.scripted import COMMIT, Bench, Script, bench

REQUEST = parse_command(b'{"filename": "a.csv"}')
ROWS = Message(batch(3), None)


@pytest.fixture
def parts() -> Iterator[Bench]:
    with bench(slots=1) as made:
        yield made


@pytest.fixture
def service(parts: Bench) -> ExportService:
    return parts.service


def opened(service: ExportService, request: ExportRequest = REQUEST, client: str = "us") -> Export:
    export = service.open(request, client)
    assert isinstance(export, Export)
    return export


def done(service: ExportService, client: str = "us", request: ExportRequest = REQUEST) -> Task:
    export = opened(service, request, client)
    return export.run(Script(ROWS, COMMIT), lambda _task: None)


class Refusing(MemoryStorage):
    """Publishes nothing."""

    def resume(self, target: Target, size: int) -> bool:
        raise ServiceError(ErrorCode.UPLOAD_ERROR, f"{target.filename}: {size} bytes are too many")


def code_of(raised: pytest.ExceptionInfo[ServiceError]) -> str:
    return raised.value.code


def test_an_export_is_run_to_its_end(service: ExportService) -> None:
    task = done(service)
    assert task.state is TaskState.COMPLETED
    _, file = service.read("us", task.task_id)
    assert file.read() == csv_of(3)


@pytest.mark.parametrize("asked", ["a\0b", "\ud800"])
def test_what_can_be_no_id_is_not_found(service: ExportService, asked: str) -> None:
    for ids in ({"task_id": asked}, {"request_id": asked}):
        with pytest.raises(ServiceError) as raised:
            service.status("us", **ids)
        assert raised.value.code is ErrorCode.TASK_NOT_FOUND


class TestEndings:
    def test_a_completion_whose_answer_got_lost_is_a_completion(
        self, service: ExportService, parts: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        update = parts.store.update

        def lose_the_answer(task: Task, *, expected: TaskState, owner: str | None) -> bool:
            done = update(task, expected=expected, owner=owner)
            if task.state is TaskState.COMPLETED:
                raise ServiceError(ErrorCode.STORAGE_ERROR, "the connection broke")
            return done

        monkeypatch.setattr(parts.store, "update", lose_the_answer)
        task = done(service)
        assert task.state is TaskState.COMPLETED
        _, file = service.read("us", task.task_id)
        assert file.read() == csv_of(3)

    def test_what_stops_an_export_is_raised_and_kept(self, service: ExportService) -> None:
        export = opened(service)
        with pytest.raises(ServiceError) as raised:
            export.run(Script(ROWS), lambda _task: None)
        assert raised.value.task_id == export.task.task_id
        assert export.task.error == raised.value.failure
        assert service.status("us", task_id=export.task.task_id).state is TaskState.FAILED

    @pytest.mark.parametrize("rest", [[], [ROWS], [ROWS, COMMIT]])
    def test_one_ended_from_outside_answers_with_that_end(
        self, parts: Bench, rest: list[Message]
    ) -> None:
        """Whatever the stream did afterwards: what the task says and what is raised agree."""
        export = opened(parts.service)

        def stall() -> None:
            parts.manager.end(export.task.task_id, Failure(ErrorCode.STREAM_STALLED, "stalled"))

        with pytest.raises(ServiceError) as raised:
            export.run(Script(ROWS, stall, *rest), lambda _task: None)
        assert code_of(raised) == "STREAM_STALLED"
        assert export.task.error == raised.value.failure

    def test_one_whose_client_is_stuck_is_counted_when_it_ends(self, parts: Bench) -> None:
        """Its thread may never return; it must not be counted again when it does."""
        export = opened(parts.service)
        counts: list[float | None] = []

        def count() -> None:
            counts.append(
                parts.metrics.registry.get_sample_value(
                    "export_errors_total", {"code": "STREAM_STALLED"}
                )
            )

        def stall() -> None:
            parts.manager.end(export.task.task_id, Failure(ErrorCode.STREAM_STALLED, "stalled"))
            count()

        with pytest.raises(ServiceError):
            export.run(Script(ROWS, stall), lambda _task: None)
        count()
        assert counts == [1, 1]

    def test_a_publication_that_is_refused_is_answered(self) -> None:
        """Its error is raised from itself, which is no reason to look for its causes for ever."""
        told: list[str] = []

        def refused(service: ExportService) -> None:
            with pytest.raises(ServiceError) as raised:
                done(service)
            told.append(code_of(raised))

        with bench(Refusing()) as made:
            assert together([lambda: refused(made.service)], 20)
        assert told == ["UPLOAD_ERROR"]

    def test_an_observer_that_raises_fails_the_export(self, service: ExportService) -> None:
        def explode(_task: Task) -> None:
            raise RuntimeError("inside")

        export = opened(service)
        with pytest.raises(ServiceError) as raised:
            export.run(Script(ROWS, COMMIT), explode)
        assert code_of(raised) == "INTERNAL"
        assert export.task.state is TaskState.FAILED

    @pytest.mark.parametrize("steps", [[], [ROWS], [ROWS, COMMIT]])
    def test_the_slot_is_free_after_each(self, parts: Bench, steps: list[Message]) -> None:
        export = opened(parts.service)
        with contextlib.suppress(ServiceError):
            export.run(Script(*steps), lambda _task: None)
        assert export.task.state.finished
        assert (parts.manager.active, parts.manager.queued) == (0, 0)


class TestOtherClients:
    def test_they_see_nothing_of_an_export(self, service: ExportService) -> None:
        task = done(service)
        for ask in (
            lambda: service.status("them", task_id=task.task_id),
            lambda: service.status("them", request_id=task.request_id),
            lambda: service.cancel("them", task.task_id),
            lambda: service.sign("them", task.task_id),
            lambda: service.read("them", task.task_id),
        ):
            with pytest.raises(ServiceError) as raised:
                ask()
            assert code_of(raised) == "TASK_NOT_FOUND"
        assert service.list("them") == []

    def test_they_have_request_ids_of_their_own(self, service: ExportService) -> None:
        request = parse_command(b'{"filename": "a.csv", "request_id": "same"}')
        assert done(service, "us", request).task_id != done(service, "them", request).task_id

    def test_nobody_in_particular_sees_all(self, service: ExportService) -> None:
        tasks = [done(service, client) for client in ("us", "them")]
        assert service.list(None) == tasks[::-1]
        assert service.status(None, task_id=tasks[0].task_id) == tasks[0]


def test_a_link_is_given_to_completed_exports_only(service: ExportService) -> None:
    export = opened(service)
    assert service.view(export.task)["url"] is None
    task = export.run(Script(ROWS, COMMIT), lambda _task: None)
    assert service.view(task)["url"] == f"memory://{task.task_id}/a.csv"


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=1, seconds=1)])
def test_a_link_lives_no_longer_than_configured(
    service: ExportService, lifetime: timedelta
) -> None:
    task = done(service)
    with pytest.raises(ServiceError, match="from 1 to 86400"):
        service.sign("us", task.task_id, lifetime)


def test_a_file_that_is_gone_is_not_found(parts: Bench) -> None:
    task = done(parts.service)
    parts.storage.delete(target_of(task))
    with pytest.raises(ServiceError, match="no longer available") as raised:
        parts.service.read("us", task.task_id)
    assert code_of(raised) == "TASK_NOT_FOUND"


@pytest.mark.parametrize(
    ("state", "limit"), [("DONE", 1), ("completed", 1), (None, 0), (None, 1001)]
)
def test_a_bad_page_is_refused(service: ExportService, state: str | None, limit: int) -> None:
    with pytest.raises(ServiceError) as raised:
        service.list("us", state=state, limit=limit)
    assert code_of(raised) == "INVALID_DESCRIPTOR"

"""What a server finds that an earlier one left behind."""

import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flight_server import logs
from flight_server.tasks.model import Task, TaskState, new_task_id
from flight_server.tasks.store import TaskStore
from tests.conftest import StartServer
from tests.support.exports import csv_of, export
from tests.support.site import Site, running


@pytest.fixture
def log(site: Site) -> Iterator[None]:
    logs.configure("info", "json", str(site.log))
    yield
    logs.reset()


def left(site: Site, state: TaskState, spool: bytes | None, size: int | None = None) -> str:
    """A task that a killed server left in `state`, and its spool; the task id."""
    now = datetime.now(UTC)
    task = Task(
        task_id=new_task_id(now),
        request_id="left",
        client="anonymous",
        fingerprint="0" * 64,
        state=state,
        format="csv",
        filename="orders.csv",
        content_type="text/csv; charset=utf-8",
        size_bytes=size,
        created_at=now,
    )
    store = TaskStore(f"sqlite:///{site.root / 'state.db'}")
    store.create(task)
    store.close()
    if spool is not None:
        (site.root / "spool").mkdir(exist_ok=True)
        (site.root / "spool" / f"{task.task_id}.spool").write_bytes(spool)
    return task.task_id


def test_a_sealed_file_is_published(site: Site, start_server: StartServer) -> None:
    task_id = left(site, TaskState.UPLOADING, csv_of(3), len(csv_of(3)))
    server = start_server()
    task = server.actions.one("status", task_id=task_id)
    assert task["state"] == "COMPLETED"
    assert server.web.get(task["url"]).content == csv_of(3)
    assert site.spools() == []


def test_a_file_that_cannot_be_published_now_waits_for_the_next_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: Path, _target: Path) -> None:
        raise OSError(errno.EIO, "the disk is sulking")

    task_id = left(site, TaskState.UPLOADING, csv_of(3), len(csv_of(3)))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with running(site) as server:
            assert server.actions.state(task_id) == "UPLOADING"
    with running(site) as server:
        task = server.actions.one("status", task_id=task_id)
        assert task["state"] == "COMPLETED"
        assert server.web.get(task["url"]).content == csv_of(3)


@pytest.mark.parametrize(
    ("state", "spool", "size"),
    [
        (TaskState.QUEUED, None, None),
        (TaskState.PROCESSING, b"id,na", None),
        (TaskState.UPLOADING, None, 45),
        (TaskState.UPLOADING, b"id,na", 45),
    ],
)
def test_what_cannot_go_on_is_interrupted_and_its_spool_removed(
    site: Site,
    start_server: StartServer,
    log: None,
    state: TaskState,
    spool: bytes | None,
    size: int | None,
) -> None:
    task_id = left(site, state, spool, size)
    server = start_server()
    server.assert_failed(task_id, "INTERRUPTED")
    assert server.actions.one("status", task_id=task_id)["error"]["retryable"]
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    [failed] = [line for line in lines if line.get("event") == "TaskFailed"]
    assert (failed["task_id"], failed["error"]["code"]) == (task_id, "INTERRUPTED")
    assert export(server.client, 3, request_id="left")["state"] == "COMPLETED"


def test_status_list_and_links_outlive_a_restart(site: Site) -> None:
    with running(site, "storage.local.public_url=http://files.test") as first:
        task = export(first.client, 3)
        ids = first.actions.ids()
    with running(site) as second:
        assert second.actions.ids() == ids
        assert second.actions.one("status", task_id=task["task_id"])["sha256"] == task["sha256"]
        path = task["url"].removeprefix("http://files.test")
        assert second.web.get(f"{second.http}{path}").content == csv_of(3)
        again = export(second.client, 3, request_id=task["request_id"])
        assert again["task_id"] == task["task_id"]

"""What operators see of exports: log lines, health, metrics."""

import json
import re
import shutil
from collections.abc import Iterator

import pytest

from flight_server import logs
from tests.conftest import StartServer
from tests.support.exports import Json, Put, export, refused
from tests.support.site import Running, Site
from tests.support.waiting import wait_for


@pytest.fixture
def log(site: Site) -> Iterator[None]:
    """Every event goes to `site.log`."""
    logs.configure("debug", "json", str(site.log))
    yield
    logs.reset()


def lines(site: Site) -> list[Json]:
    return [json.loads(line) for line in site.log.read_text().splitlines()]


def events(site: Site, task_id: str, until: str) -> list[str | None]:
    """The events of a task in order, once `until` is among them; questions left out."""

    def look() -> list[str | None]:
        found = [line.get("event") for line in lines(site) if line.get("task_id") == task_id]
        return found if until in found else []

    return [event for event in wait_for(look) if event != "StatusQueried"]


def test_a_completed_export_leaves_its_events_in_order(
    log: None, site: Site, start_server: StartServer
) -> None:
    server = start_server()
    task = export(server.client, 3)
    assert events(site, task["task_id"], "MemorySnapshot") == [
        *("TaskCreated", "TaskStarted", "TempFileCreated", "FileCreated"),
        *("BatchReceived", "BatchProcessed", "RecordsWritten", "FileWritten", "FileFinalized"),
        *("OSSUploadStarted", "OSSUploadCompleted", "FileClosed", "TempFileDeleted"),
        *("TaskCompleted", "MemorySnapshot"),
    ]


def test_a_failed_export_ends_with_its_code(
    log: None, site: Site, start_server: StartServer
) -> None:
    server = start_server()
    put = Put(server.client, {"filename": "a.csv"})
    task_id = put.accepted()
    with refused("INCOMPLETE_STREAM"):
        put.answers()
    assert events(site, task_id, "MemorySnapshot")[-5:] == [
        *("FileClosed", "TempFileDeleted", "StreamError", "TaskFailed", "MemorySnapshot"),
    ]
    [failed] = [line for line in lines(site) if line.get("event") == "TaskFailed"]
    assert failed["level"] == "warning"
    assert failed["error"]["code"] == "INCOMPLETE_STREAM"


def test_a_queued_export_tells_of_its_wait(
    log: None, site: Site, start_server: StartServer
) -> None:
    server = start_server("concurrency.max_concurrent_tasks=1", "concurrency.task_queue_size=1")
    first, second = Put.opened(server.client), Put.opened(server.client)
    with refused("QUEUE_FULL"):
        Put(server.client, {"filename": "a.csv"}).answers()
    for put in (first, second):
        put.commit()
        put.answers()
    assert events(site, second.task_id, "TaskCompleted")[:4] == [
        *("TaskCreated", "TaskQueued", "TaskDequeued", "TaskStarted"),
    ]
    assert "ConcurrencyLimitReached" in [line.get("event") for line in lines(site)]


def test_a_cancelled_export_says_so(log: None, site: Site, start_server: StartServer) -> None:
    server = start_server()
    put = Put(server.client, {"filename": "a.csv"})
    task_id = put.accepted()
    server.actions.one("cancel", task_id=task_id)
    with refused("CANCELLED"):
        put.answers()
    assert "TaskCancelled" in events(site, task_id, "MemorySnapshot")


def test_every_line_of_a_task_has_its_id_and_every_line_its_parts(
    log: None, site: Site, start_server: StartServer
) -> None:
    server = start_server()
    task_id = export(server.client, 3)["task_id"]
    with refused("TASK_NOT_FOUND"):
        server.actions.one("status", task_id="nobody")
    events(site, task_id, "TaskCompleted")
    seen = lines(site)
    for line in seen:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
        assert {"level", "component", "message"} <= line.keys()
    without = {line.get("event") for line in seen if "task_id" not in line}
    assert without <= {"ReadinessChanged", "ServerStarted", "StatusNotFound", None}
    [completed] = [line for line in seen if line.get("event") == "TaskCompleted"]
    assert completed["duration"] >= 0
    assert completed["fields"]["rows"] == 3


def metric(server: Running, name: str, **labels: str) -> float:
    """The value of a sample; 0 while there is none."""
    told = ",".join(f'{key}="{value}"' for key, value in labels.items())
    sample = f"{name}{{{told}}} " if told else f"{name} "
    for line in server.web.get(f"{server.ops}/metrics").text.splitlines():
        if line.startswith(sample):
            return float(line.removeprefix(sample))
    return 0.0


def test_metrics_count_what_exports_did(start_server: StartServer) -> None:
    server = start_server()
    export(server.client, 3)
    export(server.client, 4, filename="a.xlsx")
    failed = Put(server.client, {"filename": "a.csv"})
    with refused("INCOMPLETE_STREAM"):
        failed.answers()
    finished = "export_duration_seconds_count"
    wait_for(lambda: metric(server, finished, format="csv", state="FAILED") == 1)
    assert metric(server, finished, format="csv", state="COMPLETED") == 1
    assert metric(server, finished, format="xlsx", state="COMPLETED") == 1
    assert metric(server, "export_records_processed_total") == 7
    assert metric(server, "export_tasks_started_total") == 3
    assert metric(server, "export_errors_total", code="INCOMPLETE_STREAM") == 1
    assert metric(server, "export_upload_duration_seconds_count") == 2
    assert metric(server, "export_memory_usage_bytes") > 1e7


def test_gauges_show_who_runs_and_who_waits(start_server: StartServer) -> None:
    server = start_server("concurrency.max_concurrent_tasks=1")
    puts = [Put.opened(server.client) for _ in range(3)]
    assert metric(server, "export_active_tasks") == 1
    assert metric(server, "export_queued_tasks") == 2
    for put in puts:
        put.commit()
        put.answers()
    wait_for(lambda: metric(server, "export_active_tasks") == 0)
    assert metric(server, "export_queued_tasks") == 0


def test_questions_for_a_status_are_counted(start_server: StartServer) -> None:
    server = start_server()
    task_id = export(server.client, 1)["task_id"]
    before = metric(server, "export_status_queries_total")
    server.actions.one("status", task_id=task_id)
    server.web.get(f"{server.http}/api/tasks/{task_id}")
    assert metric(server, "export_status_queries_total") == before + 2


def test_a_server_is_ready_after_exports_good_and_bad(start_server: StartServer) -> None:
    server = start_server()
    export(server.client, 3)
    with refused("INVALID_DESCRIPTOR"):
        Put(server.client, b"no").answers()
    answer = server.web.get(f"{server.ops}/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_a_server_whose_storage_is_lost_is_not_ready(start_server: StartServer) -> None:
    server = start_server()
    shutil.rmtree(server.site.root / "spool")
    answer = server.web.get(f"{server.ops}/health/ready")
    assert answer.status_code == 503
    assert answer.json()["components"]["storage"]["ok"] is False
    assert str(server.site.root) not in answer.text


def test_a_refused_descriptor_leaves_a_line_although_it_makes_no_task(
    log: None, site: Site, start_server: StartServer
) -> None:
    server = start_server()
    with refused("INVALID_DESCRIPTOR"):
        export(server.client, 1, filename="a/b.csv")
    [line] = wait_for(
        lambda: [each for each in lines(site) if each.get("event") == "ValidationError"]
    )
    assert "path separator" in line["fields"]["reason"]
    assert "task_id" not in line

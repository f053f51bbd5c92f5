import math
from pathlib import Path

import pytest

from flight_server.errors import ErrorCode
from flight_server.metrics import Metrics, resident_bytes

ORIGINAL = {
    "export_active_tasks": "gauge",
    "export_queued_tasks": "gauge",
    "export_duration_seconds": "histogram",
    "export_upload_duration_seconds": "histogram",
    "export_errors_total": "counter",
    "export_upload_errors_total": "counter",
    "export_records_processed_total": "counter",
    "export_status_queries_total": "counter",
}
"""The names that dashboards of the original know."""


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(["csv", "xlsx"])


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(("name", "kind"), ORIGINAL.items())
def test_every_metric_of_the_original_is_there_from_the_start(
    metrics: Metrics, name: str, kind: str
) -> None:
    body, _ = metrics.exposition("")
    assert f"# TYPE {name} {kind}\n" in body.decode()


def test_a_finished_export_is_timed_by_format_and_state(metrics: Metrics) -> None:
    metrics.task_started()
    metrics.task_finished("COMPLETED", None, "csv", 1.5)
    assert value(metrics, "export_tasks_started_total") == 1
    labels = {"format": "csv", "state": "COMPLETED"}
    assert value(metrics, "export_duration_seconds_sum", **labels) == 1.5
    assert value(metrics, "export_duration_seconds_count", **labels) == 1
    assert value(metrics, "export_errors_total", code="INTERNAL") is None


def test_a_failed_export_is_counted_by_its_code(metrics: Metrics) -> None:
    metrics.task_finished("FAILED", ErrorCode.STORAGE_FULL, "csv", 1)
    assert value(metrics, "export_errors_total", code="STORAGE_FULL") == 1


def test_formats_that_are_not_known_share_one_label(metrics: Metrics) -> None:
    """Otherwise what clients send would decide how many series there are."""
    for number in range(50):
        metrics.task_finished("FAILED", None, f"made-up-{number}", 1)
    labels = {"format": "other", "state": "FAILED"}
    assert value(metrics, "export_duration_seconds_count", **labels) == 50


def test_uploads_rows_and_queries_are_counted(metrics: Metrics) -> None:
    metrics.upload_seconds(0.2)
    metrics.upload_failed(ErrorCode.UPLOAD_ERROR)
    metrics.rows(16_000)
    metrics.rows(4_000)
    metrics.status_query()
    assert value(metrics, "export_upload_duration_seconds_sum") == 0.2
    assert value(metrics, "export_upload_errors_total", code="UPLOAD_ERROR") == 1
    assert value(metrics, "export_records_processed_total") == 20_000
    assert value(metrics, "export_status_queries_total") == 1


def test_tasks_are_asked_for_at_every_scrape(metrics: Metrics) -> None:
    running = [1, 2, 3]
    metrics.watch_tasks(active=lambda: len(running), queued=lambda: 7)
    assert value(metrics, "export_active_tasks") == 3
    running.clear()
    assert value(metrics, "export_active_tasks") == 0
    assert value(metrics, "export_queued_tasks") == 7


def test_disks_are_measured_by_name(metrics: Metrics, tmp_path: Path) -> None:
    metrics.watch_disk("spool", tmp_path)
    used = value(metrics, "export_disk_used_bytes", directory="spool")
    free = value(metrics, "export_disk_free_bytes", directory="spool")
    assert used is not None
    assert used > 0
    assert free is not None
    assert free > 0
    assert str(tmp_path).encode() not in metrics.exposition("")[0]


def test_a_disk_that_is_gone_does_not_end_the_scrape(metrics: Metrics, tmp_path: Path) -> None:
    metrics.watch_disk("spool", tmp_path / "gone")
    gone = value(metrics, "export_disk_free_bytes", directory="spool")
    assert gone is not None
    assert math.isnan(gone)


def test_memory_is_what_the_process_holds(metrics: Metrics) -> None:
    before = value(metrics, "export_memory_usage_bytes")
    held = bytearray(64 * 1024 * 1024)
    held[::4096] = b"x" * (len(held) // 4096)
    after = value(metrics, "export_memory_usage_bytes")
    assert before is not None
    assert after is not None
    assert after - before > len(held) // 2


def test_without_proc_the_highest_memory_so_far_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Path, encoding: str) -> str:
        raise FileNotFoundError

    now = resident_bytes()
    monkeypatch.setattr(Path, "read_text", missing)
    assert resident_bytes() > now // 2


def test_two_services_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics(["csv"])
    other.rows(5)
    assert value(metrics, "export_records_processed_total") == 0

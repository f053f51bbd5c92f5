import math
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from flight_server.errors import ErrorCode, Failure
from flight_server.metrics import Metrics, host
from flight_server.metrics.clients import MOST_CLIENTS, ClientMetrics
from flight_server.metrics.memory import memory_limit, resident_bytes

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


def test_both_formats_have_the_same_samples(metrics: Metrics) -> None:
    metrics.tasks.finished("a", "COMPLETED", None, "csv", 1.5)
    metrics.service.watch(ready=lambda: True, components=lambda: {"state": True})
    plain, _ = metrics.exposition("")
    open_metrics, kind = metrics.exposition("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")

    def names(families: Iterable[Metric]) -> set[str]:
        return {sample.name for family in families for sample in family.samples}

    assert names(text_string_to_metric_families(plain.decode())) == names(
        openmetrics_families(open_metrics.decode())
    )


@pytest.mark.parametrize(("name", "kind"), ORIGINAL.items())
def test_every_metric_of_the_original_is_there_from_the_start(
    metrics: Metrics, name: str, kind: str
) -> None:
    body, _ = metrics.exposition("")
    assert f"# TYPE {name} {kind}\n" in body.decode()


def test_a_finished_export_is_timed_by_format_and_state(metrics: Metrics) -> None:
    metrics.tasks.started(0.2)
    metrics.tasks.finished("a", "COMPLETED", None, "csv", 1.5)
    assert value(metrics, "export_tasks_started_total") == 1
    assert value(metrics, "export_queue_wait_seconds_sum") == 0.2
    labels = {"format": "csv", "state": "COMPLETED"}
    assert value(metrics, "export_duration_seconds_sum", **labels) == 1.5
    assert value(metrics, "export_duration_seconds_count", **labels) == 1
    assert value(metrics, "export_errors_total", code="INTERNAL") == 0


def test_a_failed_export_is_counted_by_its_code(metrics: Metrics) -> None:
    metrics.tasks.finished("a", "FAILED", ErrorCode.STORAGE_FULL, "csv", 1)
    assert value(metrics, "export_errors_total", code="STORAGE_FULL") == 1


@pytest.mark.parametrize(
    "name",
    [
        "export_errors_total",
        "export_refused_total",
        "export_upload_errors_total",
        "export_watchdog_ended_total",
    ],
)
@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_is_there_before_it_is_met(metrics: Metrics, name: str, code: str) -> None:
    """A series that begins with 1 has no increase: nobody would be told of the first failure."""
    assert value(metrics, name, code=code) == 0


def test_formats_that_are_not_known_share_one_label(metrics: Metrics) -> None:
    """Otherwise what clients send would decide how many series there are."""
    for number in range(50):
        metrics.tasks.finished("a", "FAILED", None, f"made-up-{number}", 1)
    labels = {"format": "other", "state": "FAILED"}
    assert value(metrics, "export_duration_seconds_count", **labels) == 50


def test_the_first_clients_have_names_and_later_ones_share_one(metrics: Metrics) -> None:
    for number in range(MOST_CLIENTS + 5):
        metrics.tasks.rows(f"client-{number}", 10)
        metrics.tasks.rows(f"client-{number}", 1)
    assert value(metrics, "export_client_records_total", client="client-0") == 11
    last = f"client-{MOST_CLIENTS}"
    assert value(metrics, "export_client_records_total", client=last) is None
    assert value(metrics, "export_client_records_total", client="other") == 55


def test_a_client_keeps_its_name_over_all_of_its_counters() -> None:
    registry = CollectorRegistry()
    clients = ClientMetrics(registry, most=1)
    clients.refused("first")
    clients.finished("second", "COMPLETED")
    clients.bytes("second", 5)
    clients.bytes("first", 3)

    def of(name: str, client: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"client": client, **labels})

    assert of("export_client_refused_total", "first") == 1
    assert of("export_client_tasks_total", "other", state="COMPLETED") == 1
    assert of("export_client_bytes_total", "other") == 5
    assert of("export_client_bytes_total", "first") == 3


def test_a_refusal_is_counted_by_code_and_by_client(metrics: Metrics) -> None:
    metrics.tasks.refused("a", ErrorCode.QUEUE_FULL)
    assert value(metrics, "export_refused_total", code="QUEUE_FULL") == 1
    assert value(metrics, "export_client_refused_total", client="a") == 1
    assert value(metrics, "export_errors_total", code="QUEUE_FULL") == 0


def test_what_the_watchdog_ends_is_counted(metrics: Metrics) -> None:
    metrics.tasks.watchdog_ended(Failure(ErrorCode.STREAM_STALLED, "silence"))
    assert value(metrics, "export_watchdog_ended_total", code="STREAM_STALLED") == 1


def test_uploads_rows_bytes_and_queries_are_counted(metrics: Metrics) -> None:
    metrics.uploads.published(1000, 0.2)
    metrics.uploads.failed(ErrorCode.UPLOAD_ERROR)
    metrics.tasks.rows("a", 16_000)
    metrics.tasks.rows("b", 4_000)
    metrics.tasks.bytes("a", 900)
    metrics.tasks.status_query()
    assert value(metrics, "export_upload_duration_seconds_sum") == 0.2
    assert value(metrics, "export_upload_bytes_total") == 1000
    assert value(metrics, "export_upload_errors_total", code="UPLOAD_ERROR") == 1
    assert value(metrics, "export_records_processed_total") == 20_000
    assert value(metrics, "export_bytes_written_total") == 900
    assert value(metrics, "export_status_queries_total") == 1


def test_an_upload_is_in_flight_until_it_ends_however_it_ends(metrics: Metrics) -> None:
    seen: list[float | None] = []

    def fail() -> None:
        with metrics.uploads.in_flight():
            seen.append(value(metrics, "export_uploads_in_flight"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [*seen, value(metrics, "export_uploads_in_flight")] == [1, 0]


def test_parts_are_asked_of_the_storage(metrics: Metrics) -> None:
    assert value(metrics, "export_upload_parts_total") == 0
    metrics.uploads.watch_parts(lambda: 12)
    assert value(metrics, "export_upload_parts_total") == 12


def test_tasks_are_asked_for_at_every_scrape(metrics: Metrics) -> None:
    running = [1, 2, 3]
    metrics.tasks.watch(active=lambda: len(running), queued=lambda: 7, silence=lambda: 2.5)
    metrics.tasks.bounds(10, 100)
    assert value(metrics, "export_active_tasks") == 3
    running.clear()
    assert value(metrics, "export_active_tasks") == 0
    assert value(metrics, "export_queued_tasks") == 7
    assert value(metrics, "export_stream_silence_seconds") == 2.5
    assert value(metrics, "export_task_slots") == 10
    assert value(metrics, "export_queue_places") == 100


def test_replicas_and_what_dead_ones_left_are_shown(metrics: Metrics) -> None:
    metrics.replicas.watch(lambda: 1.5, lease=15)
    metrics.replicas.seen(alive=2, orphans=3)
    metrics.replicas.completed()
    metrics.replicas.interrupted()
    metrics.replicas.interrupted()
    assert value(metrics, "export_heartbeat_age_seconds") == 1.5
    assert value(metrics, "export_lease_timeout_seconds") == 15
    assert value(metrics, "export_replicas_alive") == 2
    assert value(metrics, "export_orphans_waiting") == 3
    assert value(metrics, "export_orphans_total", outcome="completed") == 1
    assert value(metrics, "export_orphans_total", outcome="interrupted") == 2


def test_health_is_shown_by_component(metrics: Metrics) -> None:
    metrics.service.watch(ready=lambda: False, components=lambda: {"a": True, "b": False})
    assert value(metrics, "export_ready") == 0
    assert value(metrics, "export_component_up", component="a") == 1
    assert value(metrics, "export_component_up", component="b") == 0


def test_disks_are_measured_by_name(metrics: Metrics, tmp_path: Path) -> None:
    metrics.host.watch_disk("spool", tmp_path)
    used = value(metrics, "export_disk_used_bytes", directory="spool")
    free = value(metrics, "export_disk_free_bytes", directory="spool")
    assert used is not None
    assert used > 0
    assert free is not None
    assert free > 0
    assert str(tmp_path).encode() not in metrics.exposition("")[0]


def test_a_disk_that_is_gone_does_not_end_the_scrape(metrics: Metrics, tmp_path: Path) -> None:
    metrics.host.watch_disk("spool", tmp_path / "gone")
    gone = value(metrics, "export_disk_free_bytes", directory="spool")
    assert gone is not None
    assert math.isnan(gone)


@pytest.fixture
def hanging_disks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a network file system does whose server has gone."""
    released = threading.Event()

    def hang(directory: Path) -> tuple[float, float]:
        assert released.wait(60)
        return 1.0, 1.0

    monkeypatch.setattr(host, "_usage", hang)
    monkeypatch.setattr(host, "ANSWER_WITHIN", 0.01)
    yield
    released.set()


def test_a_disk_that_hangs_does_not_hold_up_the_scrape(
    metrics: Metrics, hanging_disks: None, tmp_path: Path
) -> None:
    metrics.host.watch_disk("files", tmp_path)
    for _ in range(3):
        hung = value(metrics, "export_disk_free_bytes", directory="files")
        assert hung is not None
        assert math.isnan(hung)


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


@pytest.mark.parametrize(
    ("said", "files", "limit"),
    [
        ("0::/service\n", {"service/memory.max": "1000000\n"}, 1_000_000),
        ("0::/a/b\n", {"a/memory.max": "2000000\n", "a/b/memory.max": "max\n"}, 2_000_000),
        ("0::/\n", {"memory.max": "3000000\n"}, 3_000_000),
        (
            "9:name=systemd:/x\n4:cpu,memory:/x\n",
            {"memory/x/memory.limit_in_bytes": "4000000\n"},
            4_000_000,
        ),
        ("0::/service\n", {"service/memory.max": "max\n"}, None),
        ("0::/service\n", {}, None),
        (None, {}, None),
    ],
)
def test_the_memory_limit_is_that_of_the_groups_or_the_machines(
    tmp_path: Path, said: str | None, files: dict[str, str], limit: int | None
) -> None:
    process = tmp_path / "cgroup"
    if said is not None:
        process.write_text(said)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    machine = memory_limit(tmp_path / "none")
    assert machine > 2**27
    assert memory_limit(process, tmp_path) == (limit or machine)


def test_two_services_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics(["csv"])
    other.tasks.rows("a", 5)
    assert value(metrics, "export_records_processed_total") == 0

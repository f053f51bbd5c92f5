"""Readiness of a real server: while it starts, and when what it needs is lost or hangs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from flight_server import app, logs
from flight_server.membership import Membership
from tests.conftest import StartServer
from tests.support.exports import Json, export
from tests.support.oss import Fault, FaultKind, OssServer
from tests.support.postgres import Postgres
from tests.support.scraped import scraped
from tests.support.site import Running, Site, running
from tests.support.waiting import wait_for

SOON = "monitoring.health_check_interval=100ms"


def readiness(server: Running) -> Json:
    """The body of /health/ready, whose status says the same."""
    answer = server.web.get(f"{server.ops}/health/ready")
    told: Json = answer.json()
    assert (answer.status_code == 200) is (told["status"] == "ready")
    return told


def component(server: Running, name: str) -> Json:
    found: Json = readiness(server)["components"][name]
    return found


def gauge(server: Running, name: str) -> str:
    """The samples of a gauge, as they are served."""
    body = server.web.get(f"{server.ops}/metrics").text
    assert name in scraped(body)
    return "\n".join(line for line in body.splitlines() if line.startswith(name))


@contextmanager
def locked(url: str) -> Iterator[None]:
    """A database whose table of replicas answers nobody: every query of it hangs."""
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE export_replicas IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def test_a_database_that_hangs_makes_the_replica_unready_and_every_question_is_answered(
    start_server: StartServer, postgres_server: Postgres
) -> None:
    url = postgres_server.database()
    server = start_server(
        f"state.url={url}", "state.heartbeat_interval=50ms", "state.lease_timeout=300ms", SOON
    )
    wait_for(lambda: readiness(server)["status"] == "ready")
    with locked(url):
        wait_for(lambda: not component(server, "replica")["ok"])
        wait_for(lambda: not component(server, "state")["ok"])
        told = readiness(server)
        assert "its check hangs; no answer for" in told["components"]["state"]["message"]
        lost = told["components"]["replica"]["message"]
        assert "no heartbeat has reached the state database since 20" in lost
        wait_for(lambda: component(server, "storage")["ok"])
        assert server.actions.one("health")["status"] == "unhealthy"
        assert gauge(server, "export_ready") == "export_ready 0.0"
        assert httpx.get(f"{server.ops}/health/live").status_code == 200
    wait_for(lambda: readiness(server)["status"] == "ready")
    assert export(server.client, 3)["state"] == "COMPLETED"


def test_a_database_that_is_gone_makes_the_replica_unready(
    site: Site, start_server: StartServer
) -> None:
    server = start_server("state.heartbeat_interval=50ms", "state.lease_timeout=300ms")
    state = site.root / "state.db"
    engine = create_engine(f"sqlite:///{state}")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE export_replicas RENAME TO away"))
    assert component(server, "state")["message"] == (
        "the state database cannot be used at the moment; retry later"
    )
    wait_for(lambda: not component(server, "replica")["ok"])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO export_replicas"))
    engine.dispose()
    wait_for(lambda: readiness(server)["status"] == "ready")


def test_a_store_that_hangs_makes_the_replica_unready_and_every_question_is_answered(
    site: Site,
) -> None:
    with OssServer() as oss:
        settings = [
            "storage.backend=oss",
            f"oss.endpoint={oss.endpoint}",
            "oss.region=cn-hangzhou",
            "oss.bucket=exports",
            "oss.access_key_id=test-id",
            "oss.access_key_secret=test-secret",
            SOON,
        ]
        with running(site, *settings) as server:
            wait_for(lambda: readiness(server)["status"] == "ready")
            oss.faults.add(Fault(FaultKind.HANG, times=None))
            wait_for(lambda: not component(server, "storage")["ok"])
            assert "its check hangs" in component(server, "storage")["message"]
            wait_for(lambda: component(server, "state")["ok"])
            oss.faults.clear()
            oss.faults.release()
            wait_for(lambda: readiness(server)["status"] == "ready")


def test_whoever_asks_while_the_server_starts_is_told_so(
    site: Site, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is open before what an earlier server left is settled."""
    settling, go_on = threading.Event(), threading.Event()
    settle, open_door = Membership.settle, app.HttpDoor.start
    doors: list[str] = []

    def slow(*arguments: object) -> None:
        settling.set()
        assert go_on.wait(60)
        settle(*arguments)  # type: ignore[arg-type]

    def noted(door: app.HttpDoor) -> None:
        open_door(door)
        doors.append(f"http://{door.host}:{door.port}")

    monkeypatch.setattr(Membership, "settle", slow)
    monkeypatch.setattr(app.HttpDoor, "start", noted)
    started: list[Running] = []
    thread = threading.Thread(target=lambda: started.append(start_server()))
    thread.start()
    try:
        assert settling.wait(60)
        [ops] = doors
        answer = httpx.get(f"{ops}/health/ready")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["the service is still starting"]
        assert httpx.get(f"{ops}/health/live").status_code == 200
        assert "export_ready 0.0" in httpx.get(f"{ops}/metrics").text
    finally:
        go_on.set()
        thread.join(60)
    assert readiness(started[0])["status"] == "ready"


@pytest.fixture
def log(site: Site) -> Iterator[Path]:
    logs.configure("info", "json", str(site.log))
    yield site.log
    logs.reset()


def changes(log: Path) -> list[tuple[str, list[str] | None]]:
    """Level and reasons of what the log says of readiness."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [
        (line["level"], line["fields"].get("reasons"))
        for line in lines
        if line.get("event") == "ReadinessChanged"
    ]


def test_what_is_lost_is_noticed_although_nobody_asks(
    log: Path, site: Site, start_server: StartServer
) -> None:
    """Every health_check_interval; it is logged once, and so is its end."""
    server = start_server(SOON)
    (site.root / "spool").rename(site.root / "aside")
    wait_for(lambda: len(changes(log)) == 2)
    assert gauge(server, "export_ready") == "export_ready 0.0"
    assert 'export_component_up{component="storage"} 0.0' in gauge(server, "export_component_up")
    (site.root / "aside").rename(site.root / "spool")
    wait_for(lambda: len(changes(log)) == 3)
    assert gauge(server, "export_ready") == "export_ready 1.0"
    [(first, _), (second, reasons), (third, _)] = changes(log)
    assert (first, second, third) == ("info", "warning", "info")
    assert reasons is not None
    assert [reason.partition(":")[0] for reason in reasons] == ["storage"]


def test_a_server_that_is_left_is_not_ready_and_asks_nothing(site: Site) -> None:
    with running(site) as server:
        health = server.server._health
    report = health.report()
    assert (report.ready, report.components) == (False, ())

"""The API for tasks, the door for operators, and the server under both, over real HTTP."""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flight_server.errors import ErrorCode, ServiceError
from flight_server.health import Health
from flight_server.links import LinkSigner
from flight_server.metrics import Metrics
from flight_server.transports import http_errors
from flight_server.transports.http import TaskObject, create_http_app
from flight_server.transports.http_files import ServedFile
from flight_server.transports.http_ops import create_ops_app
from flight_server.transports.http_server import DoorError, HttpDoor, address_of, bind


@contextmanager
def serving(app: ASGIApp) -> Iterator[httpx.Client]:
    door = HttpDoor(app, bind("127.0.0.1", 0, "test.port"), "test")
    door.start()
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{door.port}", trust_env=False, timeout=10
        ) as client:
            yield client
    finally:
        assert door.stop(5)


class NoFiles:
    def find_file(self, task_id: str, filename: str) -> ServedFile | None:
        return None


class Tasks:
    """Five tasks, and what was asked for."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.cancelled: list[str] = []
        self.asked: list[tuple[str | None, int, str | None]] = []
        self.failure: Exception | None = None

    def list(self, state: str | None, limit: int, after: str | None) -> Sequence[TaskObject]:
        self.asked.append((state, limit, after))
        if self.failure is not None:
            raise self.failure
        return [{"task_id": f"t{number}"} for number in range(5)][:limit]

    def get(self, task_id: str) -> TaskObject:
        if task_id != "t1":
            raise ServiceError(ErrorCode.TASK_NOT_FOUND, f"there is no task {task_id!r}")
        return {"task_id": task_id, "filename": "报表.csv"}

    def cancel(self, task_id: str) -> TaskObject:
        self.cancelled.append(task_id)
        return {**self.get(task_id), "state": "CANCELLED"}


_TASKS = Tasks()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = create_http_app(signer=LinkSigner(bytes(32)), files=NoFiles(), tasks=_TASKS)
    with serving(app) as client:
        yield client


@pytest.fixture
def tasks() -> Tasks:
    """What the server of the module shows, as new."""
    _TASKS.reset()
    return _TASKS


class TestTasks:
    def test_a_task_is_shown_as_json_and_stays_out_of_caches(self, client: httpx.Client) -> None:
        response = client.get("/api/tasks/t1")
        assert response.json() == {"task_id": "t1", "filename": "报表.csv"}
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"

    def test_an_unknown_task_is_404(self, client: httpx.Client) -> None:
        response = client.get("/api/tasks/t9")
        assert response.status_code == 404
        assert response.json() == {
            "error": {
                "code": "TASK_NOT_FOUND",
                "message": "there is no task 't9'",
                "retryable": False,
            }
        }

    def test_the_query_reaches_the_service(self, client: httpx.Client, tasks: Tasks) -> None:
        client.get("/api/tasks", params={"state": "FAILED", "limit": "7", "after": "t3"})
        client.get("/api/tasks")
        assert tasks.asked == [("FAILED", 7, "t3"), (None, 100, None)]

    def test_a_full_page_names_where_the_next_one_begins(self, client: httpx.Client) -> None:
        page = client.get("/api/tasks", params={"limit": "2"}).json()
        assert page == {"tasks": [{"task_id": "t0"}, {"task_id": "t1"}], "next": "t1"}

    def test_the_last_page_names_no_next_one(self, client: httpx.Client) -> None:
        assert client.get("/api/tasks").json()["next"] is None

    @pytest.mark.parametrize(
        "limit", ["0", "1001", "-1", "ten", "", "٣", "0000000019999", "9" * 5000]
    )
    def test_a_limit_out_of_bounds_is_refused(
        self, client: httpx.Client, tasks: Tasks, limit: str
    ) -> None:
        response = client.get("/api/tasks", params={"limit": limit})
        assert response.status_code == 400
        assert "from 1 to 1000" in response.text
        assert tasks.asked == []

    def test_a_task_is_cancelled_by_a_json_post(self, client: httpx.Client, tasks: Tasks) -> None:
        response = client.post("/api/tasks/t1/cancel", json={})
        assert response.json()["state"] == "CANCELLED"
        assert tasks.cancelled == ["t1"]

    @pytest.mark.parametrize(
        "content_type",
        [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"],
    )
    def test_what_a_form_of_another_site_can_send_cancels_nothing(
        self, client: httpx.Client, tasks: Tasks, content_type: str | None
    ) -> None:
        headers = {"Content-Type": content_type} if content_type else {}
        response = client.post("/api/tasks/t1/cancel", headers=headers)
        assert response.status_code == 415
        assert tasks.cancelled == []

    def test_no_other_site_is_allowed_to_ask(self, client: httpx.Client, tasks: Tasks) -> None:
        response = client.options(
            "/api/tasks/t1/cancel",
            headers={
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            },
        )
        assert response.status_code == 405
        assert not [name for name in response.headers if name.startswith("access-control-")]

    def test_a_get_cancels_nothing(self, client: httpx.Client, tasks: Tasks) -> None:
        assert client.get("/api/tasks/t1/cancel").status_code == 405
        assert tasks.cancelled == []

    def test_an_unforeseen_error_shows_nothing_of_its_inside(
        self, client: httpx.Client, tasks: Tasks
    ) -> None:
        tasks.failure = RuntimeError("password=hunter2 at /srv/app.py")
        response = client.get("/api/tasks")
        assert response.status_code == 500
        assert response.json()["error"]["code"] == "INTERNAL"
        assert "hunter2" not in response.text


class TestErrors:
    def test_every_code_has_a_status(self) -> None:
        assert set(http_errors.STATUS) == set(ErrorCode)

    @pytest.mark.parametrize("code", [code for code in ErrorCode if code.retryable])
    def test_a_retryable_code_is_never_a_final_status(self, code: ErrorCode) -> None:
        """Clients and proxies give up for good on these."""
        final = {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.GONE, HTTPStatus.CONFLICT}
        assert http_errors.STATUS[code] not in final

    @pytest.mark.parametrize(
        ("accept", "html"),
        [
            ("", False),
            ("*/*", False),
            ("application/json", False),
            ("text/html", True),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
            ("application/json, text/html;q=0.9", False),
            ("text/html;q=0, */*", False),
            ("text/html;q=nonsense", False),
            ("application/json;q=0.5, TEXT/HTML; q=0.6", True),
        ],
    )
    def test_html_is_for_those_who_prefer_it(self, accept: str, html: bool) -> None:
        assert http_errors.prefers_html(accept) is html

    def test_a_page_escapes_what_it_quotes(self, client: httpx.Client) -> None:
        response = client.get("/api/tasks/<script>", headers={"Accept": "text/html"})
        assert "&lt;script&gt;" in response.text
        assert "<script>" not in response.text


class TestOps:
    @pytest.fixture
    def health(self) -> Health:
        return Health()

    @pytest.fixture
    def metrics(self) -> Metrics:
        return Metrics(["csv"])

    @pytest.fixture
    def ops(self, health: Health, metrics: Metrics) -> Iterator[httpx.Client]:
        with serving(create_ops_app(health, metrics)) as client:
            yield client

    def test_whoever_answers_lives(self, ops: httpx.Client, health: Health) -> None:
        health.draining()
        response = ops.get("/health/live")
        assert (response.status_code, response.json()) == (200, {"status": "live"})

    def test_ready_only_once_started(self, ops: httpx.Client, health: Health) -> None:
        assert ops.get("/health/ready").status_code == 503
        health.started()
        assert ops.get("/health/ready").status_code == 200

    def test_an_unready_service_says_why(self, ops: httpx.Client, health: Health) -> None:
        def broken() -> str:
            raise ServiceError(ErrorCode.STORAGE_FULL, "no space is left")

        health.add("storage", broken)
        health.add("store", lambda: "the database answers")
        health.started()
        response = ops.get("/health/ready")
        assert response.status_code == 503
        told = response.json()
        since = {part.pop("since") for part in told["components"].values()}
        assert told == {
            "status": "unhealthy",
            "reasons": ["storage: no space is left"],
            "components": {
                "storage": {"ok": False, "message": "no space is left"},
                "store": {"ok": True, "message": "the database answers"},
            },
        }
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in since)

    def test_readiness_is_answered_although_a_check_never_ends(
        self, ops: httpx.Client, health: Health, metrics: Metrics
    ) -> None:
        released = threading.Event()

        def hangs() -> str:
            assert released.wait(60)
            return "at last"

        health.add("storage", hangs)
        health.started()
        try:
            for _ in range(2):
                response = ops.get("/health/ready")
                assert response.status_code == 503
            assert ops.get("/health/live").status_code == 200
            assert ops.get("/metrics").status_code == 200
        finally:
            released.set()

    def test_metrics_are_served_as_text(self, ops: httpx.Client, metrics: Metrics) -> None:
        metrics.tasks.rows("anonymous", 7)
        response = ops.get("/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "export_records_processed_total 7.0" in response.text

    def test_metrics_are_served_as_openmetrics_to_those_who_ask(self, ops: httpx.Client) -> None:
        response = ops.get("/metrics", headers={"Accept": "application/openmetrics-text"})
        assert response.headers["content-type"].startswith("application/openmetrics-text")
        assert response.text.endswith("# EOF\n")

    def test_an_unknown_path_is_404(self, ops: httpx.Client) -> None:
        response = ops.get("/debug")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "NOT_FOUND"


class TestDoor:
    def test_port_0_takes_a_free_one_that_is_known_before_serving(self) -> None:
        with bind("127.0.0.1", 0, "server.status_port") as sock:
            host, port = address_of(sock)
        assert host == "127.0.0.1"
        assert port > 0

    def test_a_taken_port_is_named_with_its_key(self) -> None:
        with bind("127.0.0.1", 0, "server.status_port") as first:
            _, port = address_of(first)
            with pytest.raises(DoorError) as caught:
                bind("127.0.0.1", port, "monitoring.metrics_port")
        assert str(caught.value) == (
            f"monitoring.metrics_port: port {port} of 127.0.0.1 is taken by another program"
        )

    @pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
    def test_an_address_of_another_machine_is_refused(self, host: str) -> None:
        with pytest.raises(DoorError, match=f"server.host: port 0 of {host} cannot be opened: "):
            bind(host, 0, "server.host")

    def test_ipv6_is_served(self) -> None:
        door = HttpDoor(answering("six"), bind("::1", 0, "server.status_port"), "http")
        door.start()
        try:
            response = httpx.get(f"http://[::1]:{door.port}/", trust_env=False)
        finally:
            assert door.stop(5)
        assert response.text == "six"

    def test_every_address_is_reached_by_both_families(self) -> None:
        with bind("::", 0, "server.status_port") as sock:
            _, port = address_of(sock)
            for host in ("127.0.0.1", "::1"):
                socket.create_connection((host, port), timeout=5).close()

    def test_a_stopped_door_gives_its_port_back(self) -> None:
        door = HttpDoor(answering("x"), bind("127.0.0.1", 0, "k"), "http")
        door.start()
        assert door.stop(5)
        bind("127.0.0.1", door.port, "k").close()

    def test_stop_may_be_repeated_and_needs_no_start(self) -> None:
        door = HttpDoor(answering("x"), bind("127.0.0.1", 0, "k"), "http")
        assert door.stop(0)
        assert door.stop(0)
        bind("127.0.0.1", door.port, "k").close()

    def test_stop_lets_an_open_request_finish(self) -> None:
        asked, go_on = threading.Event(), threading.Event()

        def slow(_: Request) -> Response:
            asked.set()
            assert go_on.wait(10)
            return PlainTextResponse("finished")

        door = HttpDoor(routed(slow), bind("127.0.0.1", 0, "k"), "http")
        door.start()
        answers: list[str] = []
        address = f"http://127.0.0.1:{door.port}/"
        asking = in_thread(lambda: answers.append(httpx.get(address, trust_env=False).text))
        assert asked.wait(10)
        stopping = in_thread(lambda: answers.append(f"stopped {door.stop(10)}"))
        go_on.set()
        asking.join(10)
        stopping.join(20)
        assert sorted(answers) == ["finished", "stopped True"]

    def test_stop_does_not_wait_for_ever(self) -> None:
        asked = threading.Event()

        async def endless(_: Request) -> Response:
            asked.set()
            await never()
            return PlainTextResponse("unreachable")

        door = HttpDoor(routed(endless), bind("127.0.0.1", 0, "k"), "http")
        door.start()
        with socket.create_connection(("127.0.0.1", door.port), timeout=10) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asked.wait(10)
            assert door.stop(0)

    def test_a_server_that_cannot_start_says_so(self) -> None:
        sock = bind("127.0.0.1", 0, "k")
        door = HttpDoor(answering("x"), sock, "http")
        sock.close()
        with pytest.raises(DoorError, match="the http door could not be started") as caught:
            door.start()
        assert isinstance(caught.value.__cause__, OSError)


def answering(text: str) -> Starlette:
    return routed(lambda _: PlainTextResponse(text))


def routed(endpoint: Callable[..., object]) -> Starlette:
    return Starlette(routes=[Route("/", endpoint)])


async def never() -> None:
    await asyncio.Event().wait()


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread

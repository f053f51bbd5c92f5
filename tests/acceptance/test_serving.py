"""`export-middleware serve` from its start to a clean end."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.exports import Put, csv_of, export, refused
from tests.support.process import COMMAND, Served, run, serve_command, served
from tests.support.site import Site
from tests.support.waiting import wait_for


def test_the_ready_file_tells_every_open_door_and_goes_with_the_server(site: Site) -> None:
    ready = site.root / "ready.json"
    with served(site) as server:
        assert sorted(server.addresses) == ["flight", "grpc", "http", "ops", "pid"]
        assert server.addresses["pid"] == server.process.pid
        assert server.flight.startswith("grpc://127.0.0.1:")
        assert httpx.get(f"{server.addresses['ops']}/health/ready").status_code == 200
        task = export(server.client, 3)
        assert task["url"].startswith(server.addresses["http"])
        assert httpx.get(task["url"]).content == csv_of(3)
        server.signal(signal.SIGTERM)
        assert server.exit_code() == 0
        assert not ready.exists()
        assert sorted(path.name for path in site.root.glob(".ready*")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once_and_leaves_no_process(site: Site, number: int) -> None:
    with served(site, "server.shutdown_grace=10m") as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        assert children.read_text().split() == []
        server.signal(number)
        assert server.exit_code(timeout=10) == 0
        assert server.process.communicate() == ("", "")
        with pytest.raises(ProcessLookupError):
            os.kill(server.process.pid, 0)


def test_its_log_is_json_on_standard_output_by_default(site: Site) -> None:
    with served(site, "logging.output=stdout") as server:
        export(server.client, 1)
        server.signal(signal.SIGTERM)
        assert server.exit_code() == 0
        stdout, stderr = server.process.communicate()
    events = [json.loads(line).get("event") for line in stdout.splitlines()]
    assert {"ServerStarted", "TaskCompleted"} <= set(events)
    assert events[-1] == "ServerStopped"
    assert stderr == ""


class TestBadConfiguration:
    MISTAKES = (
        ("logging.level=loud", ["logging.level", "loud", "debug, info, warning, error"]),
        ("server.flight_port=99999", ["server.flight_port", "99999", "65535"]),
        ("server.fligt_port=1", ["server.fligt_port", "server.flight_port"]),
        ("storage.backend=tape", ["storage.backend", "tape", "local", "memory"]),
        ("state.url=mysql://x/y", ["state.url", "sqlite:///file", "postgresql"]),
    )

    @pytest.mark.parametrize("command", ["serve", "check-config"])
    def test_a_line_for_each_mistake_names_key_value_and_what_is_allowed(
        self, command: str
    ) -> None:
        sets = [word for setting, _ in self.MISTAKES for word in ("--set", setting)]
        ended = run([COMMAND, command, *sets])
        assert (ended.returncode, ended.stdout) == (2, "")
        lines = {line.partition(":")[0]: line for line in ended.stderr.splitlines()}
        assert len(lines) == len(self.MISTAKES), ended.stderr
        for setting, words in self.MISTAKES:
            line = lines[setting.partition("=")[0]]
            assert all(word in line for word in words), line

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        ended = run([COMMAND, "serve", "--config", str(tmp_path / "none.yaml")])
        assert ended.returncode == 2
        assert "none.yaml" in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_check_config_prints_the_whole_configuration_and_starts_nothing(
        self, site: Site
    ) -> None:
        ended = run([COMMAND, "check-config", "--set", "server.flight_port=1234"])
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "flight_port: 1234" in ended.stdout
        assert list(site.root.iterdir()) == []


class TestCannotStart:
    @contextmanager
    def taken(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            yield sock.getsockname()[1]

    @pytest.mark.parametrize(
        "key", ["server.flight_port", "server.status_port", "monitoring.metrics_port"]
    )
    def test_a_port_that_is_taken_is_named(self, site: Site, key: str) -> None:
        with self.taken() as port:
            ended = run(serve_command(site, f"{key}={port}"))
        self.assert_one_sentence(ended.stderr, ended.returncode, key, str(port))
        assert not (site.root / "ready.json").exists()

    def test_a_second_server_on_the_same_ports_leaves_the_first_one_alone(self, site: Site) -> None:
        with served(site) as server:
            put = Put(server.client, {"filename": "a.csv"})
            task_id = put.accepted()
            port = server.addresses["http"].rpartition(":")[2]
            assert run(serve_command(site, f"server.status_port={port}")).returncode == 1
            assert server.actions.state(task_id) == "PROCESSING"
            put.commit()
            assert put.result()["state"] == "COMPLETED"
            assert json.loads((site.root / "ready.json").read_text()) == server.addresses

    def test_directories_that_cannot_be_made(self, site: Site) -> None:
        (site.root / "file").write_text("in the way")
        key = "storage.temp_directory"
        ended = run(serve_command(site, f"{key}={site.root / 'file' / 'spool'}"))
        self.assert_one_sentence(ended.stderr, ended.returncode, key)

    def test_a_state_database_that_is_none(self, site: Site) -> None:
        (site.root / "state.db").write_text("this is no database, however long it may be" * 99)
        ended = run(serve_command(site))
        self.assert_one_sentence(ended.stderr, ended.returncode, "state.url")

    def test_a_ready_file_that_cannot_be_written(self, site: Site) -> None:
        command = serve_command(site)
        command[command.index("--ready-file") + 1] = str(site.root / "none" / "ready.json")
        ended = run(command)
        self.assert_one_sentence(ended.stderr, ended.returncode, "--ready-file")

    def test_a_log_file_that_cannot_be_written(self, site: Site) -> None:
        ended = run(serve_command(site, f"logging.output={site.root}"))
        self.assert_one_sentence(ended.stderr, ended.returncode, "logging.output")

    def assert_one_sentence(self, stderr: str, code: int, *words: str) -> None:
        assert code == 1, stderr
        [line] = stderr.splitlines()
        for word in words:
            assert word in line


def finish(put: Put) -> None:
    put.send(3)
    put.commit(3)
    assert put.result()["state"] == "COMPLETED"


def draining(server: Served) -> None:
    wait_for(lambda: server.actions.one("health")["status"] == "draining")


class TestShutdown:
    def test_a_queued_export_is_finished_too(self, site: Site) -> None:
        with served(site, "concurrency.max_concurrent_tasks=1") as server:
            first, second = Put.opened(server.client), Put.opened(server.client)
            server.signal(signal.SIGTERM)
            draining(server)
            finish(first)
            finish(second)
            assert server.exit_code() == 0

    def test_after_the_grace_what_runs_is_failed(self, site: Site) -> None:
        with served(site, "server.shutdown_grace=300ms") as server:
            put = Put(server.client, {"filename": "a.csv"})
            task_id = put.accepted()
            wait_for(site.spools)
            server.signal(signal.SIGTERM)
            with refused("SHUTTING_DOWN") as refusal:
                wait_for(lambda: not site.spools())
                put.send(3)
                put.answers()
            assert refusal.retryable
            assert server.exit_code(timeout=10) == 0
        assert site.spools() == []
        assert site.recorded_error(task_id) == "SHUTTING_DOWN"

    def test_a_second_signal_hurries(self, site: Site) -> None:
        with served(site, "server.shutdown_grace=10m") as server:
            put = Put.opened(server.client)
            wait_for(site.spools)
            server.signal(signal.SIGTERM)
            draining(server)
            server.signal(signal.SIGTERM)
            with refused("SHUTTING_DOWN"):
                wait_for(lambda: not site.spools())
                put.answers()
            assert server.exit_code(timeout=10) == 0


class TestRestart:
    def test_status_list_and_links_are_as_before(self, site: Site) -> None:
        with served(site, "storage.local.public_url=http://files.test") as first:
            task = export(first.client, 3)
            first.signal(signal.SIGTERM)
            assert first.exit_code() == 0
        with served(site) as second:
            assert second.actions.ids() == [task["task_id"]]
            assert second.actions.one("status", task_id=task["task_id"])["rows"] == 3
            link = task["url"].replace("http://files.test", second.addresses["http"])
            assert httpx.get(link).content == csv_of(3)

    def test_an_export_whose_server_was_killed_is_interrupted(self, site: Site) -> None:
        with served(site) as first:
            put = Put(first.client, {"filename": "a.csv", "request_id": "killed"})
            task_id = put.accepted()
            put.send(100_000)
            wait_for(lambda: first.actions.one("status", task_id=task_id)["bytes"] > 0)
            first.signal(signal.SIGKILL)
            assert first.exit_code() == -signal.SIGKILL
        assert site.spools() == [f"{task_id}.spool"]
        with served(site) as second:
            task = second.actions.one("status", task_id=task_id)
            assert (task["state"], task["error"]["code"]) == ("FAILED", "INTERRUPTED")
            assert (site.spools(), site.files()) == ([], [])
            again = export(second.client, 3, filename="a.csv", request_id="killed")
            assert again["state"] == "COMPLETED"


def test_the_ready_file_of_a_killed_server_is_gone_before_a_new_one_is_written(site: Site) -> None:
    """Here the new server cannot start: the old addresses must not be left standing."""
    ready = site.root / "ready.json"
    ready.write_text('{"flight": "grpc://127.0.0.1:1"}')
    with socket.create_server(("127.0.0.1", 0)) as sock:
        ended = run(serve_command(site, f"server.status_port={sock.getsockname()[1]}"))
    assert ended.returncode == 1
    assert not ready.exists()

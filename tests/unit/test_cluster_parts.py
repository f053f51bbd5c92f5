"""The parts of the launcher that need no cluster."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.cluster.addresses import HOST, FreePorts, is_free, is_open
from deploy.cluster.lock import living, locked
from deploy.cluster.proxy import filled, program
from deploy.cluster.settings import ClusterFailed


def ready_file(directory: Path, launcher: int, replica: int | None) -> Path:
    file = directory / "cluster.json"
    told = {
        "pid": launcher,
        "proxy": {"pids": {"nginx": os.getpid()}},
        "replicas": [{"pid": replica}, {"pid": None}],
    }
    file.write_text(json.dumps(told))
    return file


def no_process() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        return child.pid


def test_a_port_is_given_out_once() -> None:
    ports = FreePorts()
    given = [ports.take() for _ in range(20)]
    assert len(set(given)) == len(given)
    assert all(map(is_free, given))


def test_a_port_that_is_taken_is_refused_with_the_option_that_named_it() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        assert is_open(port)
        with pytest.raises(ClusterFailed, match=f"--grpc-port {port}: .* 0 picks a free port"):
            FreePorts().take_or(port, "--grpc-port")
    assert not is_open(port)


def test_a_configuration_is_filled_in() -> None:
    assert filled("listen ${A} $host ${B};", {"A": "1", "B": "2"}) == "listen 1 $host 2;"


def test_a_name_without_a_value_is_refused() -> None:
    with pytest.raises(KeyError, match="B"):
        filled("${A} ${B}", {"A": "1"})


def test_a_missing_program_is_named_with_its_installation() -> None:
    with pytest.raises(ClusterFailed, match=r"^no-such-proxy is missing; as root: apt-get install"):
        program("no-such-proxy")


def test_a_directory_has_one_cluster(tmp_path: Path) -> None:
    file = ready_file(tmp_path, no_process(), os.getpid())
    with (
        locked(tmp_path, file),
        pytest.raises(ClusterFailed, match=f"kill {os.getpid()} {os.getpid()}$"),
        locked(tmp_path, file),
    ):
        pass
    with locked(tmp_path, file):
        pass


def test_the_launcher_alone_is_named_while_it_runs(tmp_path: Path) -> None:
    assert living(ready_file(tmp_path, os.getpid(), os.getpid())) == [os.getpid()]


def test_nothing_is_named_that_is_not_known(tmp_path: Path) -> None:
    assert living(tmp_path / "none.json") == []

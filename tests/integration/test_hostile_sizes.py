"""Few bytes that stand for gigabytes end at a limit, in bounded memory, and leave nothing."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import StartServer
from tests.support.exports import Put, export, refused
from tests.support.hostile import CASES, MOST, no_columns, nulls, runs

ROOT = Path(__file__).parents[2]

MEMORY = 300 * 2**20
"""Bytes that an export may take, blocks in flight included; what it stands for is a hundred times
as much at least."""


@cache
def results(format_name: str) -> dict[str, Any]:
    """How all cases end, in a process of their own."""
    command = [sys.executable, "-m", "tests.support.hostile", format_name]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("format_name", ["csv", "ndjson"])
def test_it_ends_at_a_limit(name: str, format_name: str) -> None:
    result = results(format_name)[name]
    assert result["message"].startswith(f"LIMIT_EXCEEDED: limits.{CASES[name][1]}: ")
    assert result["left"] == ["0 files are kept in memory", 0]
    assert result["memory"] < MEMORY


@pytest.mark.parametrize("array", [nulls(MOST), runs(MOST, "x")], ids=["nulls", "runs"])
def test_two_thousand_million_rows_in_one_batch_are_refused_by_the_defaults(
    start_server: StartServer, array: pa.Array
) -> None:
    server = start_server()
    data = pa.record_batch([array], names=["a"])
    put = Put(server.client, {"filename": "a.csv"}, data.schema)
    task_id = put.accepted()
    with refused("LIMIT_EXCEEDED") as refusal:
        put.send_batch(data)
        put.answers()
    assert refusal.message == (
        "limits.max_rows: 2,147,483,647 rows were sent; at most 1,000,000,000"
    )
    server.assert_failed(task_id, "LIMIT_EXCEEDED")
    assert export(server.client)["state"] == "COMPLETED"


def test_rows_without_columns_are_no_table(start_server: StartServer) -> None:
    server = start_server()
    data = no_columns()
    put = Put(server.client, {"filename": "a.csv"}, data.schema)
    task_id = put.accepted()
    with refused("INVALID_SCHEMA"):
        put.send_batch(data)
        put.answers()
    server.assert_failed(task_id, "INVALID_SCHEMA")

"""The fresh process in which one thing is measured; prints one JSON object.

python -m benchmarks.worker write CASE TABLE ROWS FILE     a case of `peers.py`
python -m benchmarks.worker export URL FORMAT TABLE ROWS   one export of a table in memory
python -m benchmarks.worker stream URL FORMAT ROWS         one export of rows made on the way
python -m benchmarks.worker crowd URL FORMAT TABLE ROWS N  N exports at once
"""

import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.data import batches, read_table
from benchmarks.peers import WORK
from export_client import ExportClient, Task

WARM_ROWS = 1_000
"""Written before the clock runs, by ours and peers alike: what a first call sets up."""

TOUCHED_BYTES = 512 * 1024 * 1024
"""More than a case writes, file and buffers together."""


def _write(name: str, table: str, rows: str, file: str) -> dict[str, Any]:
    path, data = Path(file), read_table(Path(table), int(rows))
    WORK[name](data.slice(0, WARM_ROWS), path)()
    seconds = _timed(WORK[name](data, path))[0]
    return {"seconds": seconds, "size": path.stat().st_size}


def _export(url: str, format_name: str, table: str, rows: str) -> dict[str, Any]:
    data = read_table(Path(table), int(rows))
    with ExportClient(url) as client:
        client.export(data.slice(0, WARM_ROWS), f"warm.{format_name}")
        seconds, task = _timed(lambda: client.export(data, f"bench.{format_name}"))
    return _of_task(task, seconds)


def _stream(url: str, format_name: str, rows: str) -> dict[str, Any]:
    with ExportClient(url) as client:
        seconds, task = _timed(lambda: client.export(batches(int(rows)), f"long.{format_name}"))
    return _of_task(task, seconds)


def _crowd(url: str, format_name: str, table: str, rows: str, exports: str) -> dict[str, Any]:
    data = read_table(Path(table), int(rows))
    names = [f"crowd-{number}.{format_name}" for number in range(int(exports))]
    with ExportClient(url) as client, ThreadPoolExecutor(len(names)) as pool:
        seconds, tasks = _timed(
            lambda: list(pool.map(lambda name: client.export(data, name), names))
        )
    return {"seconds": seconds, "rows": sum(task.rows for task in tasks)}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    _touch_pages()
    os.sync()  # what earlier runs wrote goes to the disk before the clock runs, not meanwhile
    gc.freeze()  # the prepared data of a peer is not searched for garbage again and again
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _touch_pages() -> None:
    """Let the machine have pages at hand for what is written while the clock runs, peers' too.

    A virtual machine gets its memory from the host page by page, and gives it back when it is
    free: a first write into such pages took ten times as long (0.5 instead of 5 GB/s, measured),
    and fell upon whichever case came first.
    """
    chunk = bytes(1024 * 1024)
    with tempfile.TemporaryFile() as file:
        for _ in range(TOUCHED_BYTES // len(chunk)):
            file.write(chunk)


def _of_task(task: Task, seconds: float) -> dict[str, Any]:
    if not task.url or not task.sha256:
        raise RuntimeError(f"the task {task.task_id} came back without its link or its checksum")
    return {"seconds": seconds, "size": task.size_bytes, "rows": task.rows}


COMMANDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "write": _write,
    "export": _export,
    "stream": _stream,
    "crowd": _crowd,
}

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    print(json.dumps(COMMANDS[command](*arguments)))

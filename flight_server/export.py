"""One accepted export, from its slot to its end, whatever stops it."""

import threading
from collections.abc import Callable
from typing import Final

from flight_server.errors import ErrorCode, Failure, ServiceError, translate
from flight_server.limits import LimitedStream
from flight_server.logs import Event, get_logger
from flight_server.memory import let_go, memory_held, release_memory
from flight_server.pipeline import Observer, Pipeline
from flight_server.request import ExportRequest
from flight_server.stream import CommittedBatches, Interruptible, MessageStream
from flight_server.tasks.model import Task, TaskState
from flight_server.tasks.running import Running

OnWait = Callable[[Task, int], None]
"""Told a task that waits and its place in line (1 = next); may raise what ends the waiting."""

LOOK_INTERVAL: Final = 0.5
"""Seconds after which `OnWait` is called again although nothing has changed."""

_log = get_logger("service")


class Export:
    """One accepted export; `run` it in the thread that receives its stream."""

    def __init__(
        self,
        running: Running,
        request: ExportRequest,
        pipeline: Pipeline,
        *,
        require_commit: bool,
    ) -> None:
        self._running = running
        self._request = request
        self._pipeline = pipeline
        self._require_commit = require_commit
        self._log = _log.bind(task_id=running.task.task_id)
        self._recorded = threading.Lock()  # taken by whoever records the end, and kept

    @property
    def task(self) -> Task:
        """The task as it is now."""
        return self._running.task

    @property
    def _waited(self) -> float:
        """Seconds until it had a slot."""
        task = self.task
        return ((task.started_at or task.created_at) - task.created_at).total_seconds()

    def run(self, stream: MessageStream, observe: Observer, on_wait: OnWait | None = None) -> Task:
        """Wait for a slot and make the file; returns the completed task.

        `observe` is told every step, and `on_wait` the place in line at once, whenever it changes
        and every LOOK_INTERVAL; both in this thread. Whatever stops the export ends the task with
        its code, leaves no file, and is raised as `ServiceError`.
        """
        # This thread may be stuck in waiting for a batch when the task is ended from outside.
        self._running.on_end(self._record)
        if isinstance(stream, Interruptible):
            self._running.on_end(stream.interrupt)
        try:
            if self.task.state is TaskState.QUEUED:
                self._wait(on_wait)
                observe(self.task)
            return self._run(stream, observe)
        except Exception as error:
            failed = self._failed(error)
            if self.task.state is TaskState.COMPLETED:
                return self.task  # which the store had on record before its answer got lost
            raise failed from error
        finally:
            self._record()
            if not self.task.state.finished:  # it could not be recorded: the watchdog will
                self._running.on_end(self._record)
            release_memory()
            if self._log.debugs:
                held = memory_held()
                self._log.debug(
                    Event.MemorySnapshot,
                    "memory after the export",
                    resident=held.resident,
                    arrow=held.arrow,
                )

    def abandon(self, failure: Failure) -> None:
        """End the export if it still waits for its slot: its client has gone. From any thread."""
        if self.task.state is TaskState.QUEUED:
            self._running.end(failure)

    def _wait(self, on_wait: OnWait | None) -> None:
        self._log.info(Event.TaskQueued, "all slots are taken; the export waits")
        if on_wait is None:
            self._running.wait_for_slot()
        else:
            self._running.wait_for_slot(lambda place: on_wait(self.task, place), LOOK_INTERVAL)
        waited = self._waited * 1000
        self._log.info(Event.TaskDequeued, "a slot came free", duration_ms=waited)

    def _run(self, stream: MessageStream, observe: Observer) -> Task:
        self._pipeline.metrics.tasks.started(self._waited)
        self._log.info(Event.TaskStarted, "the export has begun")
        batches = CommittedBatches(
            LimitedStream(stream, self._pipeline.limits),
            declared=self._request.rows,
            require_commit=self._require_commit,
        )
        return self._pipeline.run(self._running, self._request, batches, observe, self._log)

    def _failed(self, error: Exception) -> ServiceError:
        """End the task with `error`, unless it has ended already: then that is the answer."""
        answer = translate(error)
        if answer.code is ErrorCode.INTERNAL:
            self._log.error(Event.SystemError, "the export failed unexpectedly", error=error)
        let_go(error)
        self._running.fail(answer.failure)
        if self.task.state is not TaskState.COMPLETED:
            try:
                self._running.checkpoint()
            except ServiceError as ended:
                answer = ended
        answer.task_id = self.task.task_id
        return answer

    def _record(self) -> None:
        """Log and count how the task ended, once."""
        task = self.task
        if not task.state.finished or not self._recorded.acquire(blocking=False):
            return
        seconds = ((task.completed_at or task.created_at) - task.created_at).total_seconds()
        code = task.error.code if task.error else None
        self._pipeline.metrics.tasks.finished(task.client, task.state, code, task.format, seconds)
        if code in _CAUSES:
            event, message = _CAUSES[code]
            self._log.info(event, message, error=task.error)
        write = self._log.info if task.state is TaskState.COMPLETED else self._log.warning
        write(
            _END_EVENTS[task.state],
            f"the export is {task.state}",
            duration_ms=seconds * 1000,
            error=task.error,
            rows=task.rows,
            size=task.size_bytes,
        )


_END_EVENTS: Final = {
    TaskState.COMPLETED: Event.TaskCompleted,
    TaskState.FAILED: Event.TaskFailed,
    TaskState.CANCELLED: Event.TaskCancelled,
}

_INVALID: Final = (Event.ValidationError, "the data was refused")
_BROKEN: Final = (Event.StreamError, "the stream was not whole")
_CAUSES: Final = {
    ErrorCode.INVALID_DESCRIPTOR: _INVALID,
    ErrorCode.INVALID_SCHEMA: _INVALID,
    ErrorCode.UNSUPPORTED_TYPE: _INVALID,
    ErrorCode.INVALID_DATA: _INVALID,
    ErrorCode.LIMIT_EXCEEDED: _INVALID,
    ErrorCode.INCOMPLETE_STREAM: _BROKEN,
    ErrorCode.ROW_COUNT_MISMATCH: _BROKEN,
    ErrorCode.STREAM_STALLED: _BROKEN,
}
"""What the client did, where that is why its export failed."""

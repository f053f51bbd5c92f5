"""One export from its batches to its published file: the data path, top to bottom."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from exporters import ExportWarning, Workers, open_exporter
from flight_server.config.limits_section import LimitsSection
from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.limits import LimitedBatches, LimitedSink
from flight_server.logs import Event, Logger
from flight_server.metrics import Metrics
from flight_server.request import ExportRequest
from flight_server.storage.base import Storage, Target, Upload
from flight_server.stream import CommittedBatches
from flight_server.tally import Tally
from flight_server.tasks.model import Task, TaskState, TaskWarning
from flight_server.tasks.running import Running

Observer = Callable[[Task], None]
"""Told the task when it has moved on; called in the export's own thread."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What all exports share."""

    storage: Storage
    workers: Workers
    metrics: Metrics
    mask_key: bytes = field(repr=False)
    """The secret of masks that hash."""
    limits: LimitsSection

    def run(
        self,
        running: Running,
        request: ExportRequest,
        batches: CommittedBatches,
        observe: Observer,
        log: Logger,
    ) -> Task:
        """Write, seal and publish the file of a task that has its slot; the completed task.

        Raises what stops the export, after which nothing of the file is left; but where it was
        whole and could not be published, its spool is kept to be sent again. From `seal()` on the
        file is durable: the client, or this process, may go.
        """
        task = running.task
        target = Target(
            task.task_id, task.client, task.filename, task.content_type, task.request_id
        )
        # A task can be ended from outside while this thread waits for a batch that never comes.
        running.on_end(partial(self.storage.delete, target))
        with self._opened(target, log) as upload:
            running.checkpoint()  # ended before there was a spool to delete: this one has to go
            self._write(running, request, batches, upload, observe, log)
            observe(running.task)
            try:
                self._publish(running, upload, log)
            except ServiceError as error:
                self._unpublished(running, upload, error)
            return self.complete(running, target)

    def complete(self, running: Running, target: Target) -> Task:
        """Record that the file is published; if the task was ended meanwhile, remove the file."""
        try:
            return running.complete()
        except ServiceError:
            # If the store did not answer, it may have the task as COMPLETED: then the file stays.
            if running.task.state.broken_off:
                self.storage.delete(target)
            raise

    @contextmanager
    def _opened(self, target: Target, log: Logger) -> Iterator[Upload]:
        """The upload of a task; its spool is not open any more when the context is left."""
        with self._writing(log):
            upload = self.storage.open_upload(target)
        try:
            with upload:
                log.info(Event.TempFileCreated, "the spool is open")
                yield upload
        finally:
            log.debug(Event.FileClosed, "the file is closed", size=upload.bytes_written)
            if not upload.kept:
                log.debug(Event.TempFileDeleted, "the spool is gone")

    def _write(
        self,
        running: Running,
        request: ExportRequest,
        batches: CommittedBatches,
        upload: Upload,
        observe: Observer,
        log: Logger,
    ) -> None:
        """Every batch into the upload, which is sealed then; the task is UPLOADING."""
        columns = [replace(column, mask_key=self.mask_key) for column in request.columns]
        sink = LimitedSink(upload, self.limits, running.checkpoint)
        tally = Tally(running, self.metrics.tasks, log)
        with self._writing(log):
            with open_exporter(
                request.format, sink, batches.schema, columns, request.options, self.workers
            ) as exporter:
                running.on_end(exporter.discard)
                log.debug(Event.FileCreated, "the file is begun", format=request.format)
                for batch in LimitedBatches(batches, columns, self.limits):
                    tally.received(batch.num_rows)
                    exporter.write_batch(batch)
                    tally.processed(batch.num_rows, exporter.rows_written, upload.bytes_written)
                    observe(running.task)
                running.received()
            tally.wrote(upload.bytes_written)
            log.debug(Event.FileWritten, "all of the file is written", size=upload.bytes_written)
            running.checkpoint()
            digest = upload.seal()
        log.info(Event.FileFinalized, "the file is durable", rows=batches.rows, size=digest.size)
        warnings = [_task_warning(each) for each in (*exporter.warnings, *batches.warnings)]
        running.uploading(digest.size, digest.sha256, exporter.sheets, warnings)

    @contextmanager
    def _writing(self, log: Logger) -> Iterator[None]:
        """Log what keeps the file from being written, unless it is the client's fault."""
        try:
            yield
        except Exception as error:
            code = translate(error).code
            if code is ErrorCode.UPLOAD_ERROR:
                self.metrics.uploads.failed(code)
                log.error(Event.UploadError, "the file cannot be sent", error=error)
            elif code in {ErrorCode.STORAGE_FULL, ErrorCode.STORAGE_ERROR}:
                log.error(Event.WriteError, "the file cannot be written", error=error)
            raise

    def _publish(self, running: Running, upload: Upload, log: Logger) -> None:
        """Publish; raises ServiceError, whatever goes wrong."""
        running.checkpoint()
        size = upload.bytes_written
        log.info(Event.OSSUploadStarted, "the file is being published", size=size)
        began = time.monotonic()
        try:
            with self.metrics.uploads.in_flight():
                upload.publish()
        except Exception as error:
            running.checkpoint()  # whoever ended the task has removed its file: no failure of ours
            failure: ServiceError = translate(error)
            self.metrics.uploads.failed(failure.code)
            log.error(Event.OSSUploadFailed, "the file could not be published", error=error)
            if failure is error:
                raise
            raise failure from error
        seconds = time.monotonic() - began
        self.metrics.uploads.published(size, seconds)
        log.info(
            Event.OSSUploadCompleted,
            "the file is published",
            duration_ms=seconds * 1000,
            size=size,
        )

    def _unpublished(self, running: Running, upload: Upload, error: ServiceError) -> None:
        """End the task before anything of its file is taken back; raise unless it is COMPLETED.

        Another replica that took this one for dead may have published the file meanwhile, or be
        about to: then it is left alone. Where the store of tasks does not answer the task is left
        to recovery, which tries to publish once more.
        """
        try:
            task = running.fail(error.failure)
        except ServiceError:
            upload.leave()
            running.leave()
            raise
        if not task.state.broken_off:
            upload.leave()
        if task.state is not TaskState.COMPLETED:
            raise error


def _task_warning(warning: ExportWarning) -> TaskWarning:
    return TaskWarning(warning.code, warning.message, warning.count)

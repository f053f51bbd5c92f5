"""The contract between the rest of the service and a file format."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import pyarrow as pa

Data: TypeAlias = bytes | memoryview | pa.Buffer


class ByteSink(Protocol):
    """Where an exporter's bytes go: a file, a spool, a buffer."""

    def write(self, data: Data, /) -> object:
        """Take all of `data` before returning."""
        ...


@dataclass(frozen=True, slots=True)
class ExportWarning:
    """Something that a reader of the file should know: `count` cells were changed."""

    code: str
    message: str
    count: int


class WarningTally:
    """Counts warnings by code. Not thread safe: an exporter adds from one thread."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._messages = messages
        self._counts: Counter[str] = Counter()

    def add(self, counts: Mapping[str, int]) -> None:
        """Add the counts of one block."""
        self._counts.update(counts)

    def listed(self) -> tuple[ExportWarning, ...]:
        """Every warning met so far, by code."""
        return tuple(
            ExportWarning(code, self._messages[code], count)
            for code, count in sorted(self._counts.items())
            if count
        )


class Exporter(ABC):
    """Turns record batches of one schema into the bytes of one file.

    Used as a context manager: leaving it normally calls `finish()`, leaving it by an exception
    calls `discard()`, after which the bytes already written are not a file. One thread at a time
    may call the methods, but for `discard()`; formatting itself runs on the shared `Workers`.
    """

    rows_written: int = 0
    """Rows taken so far; they are in the sink once `finish()` has returned."""

    @abstractmethod
    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write the rows of `batch`, whose schema is the exporter's.

        Blocks while the blocks in flight are at their bound. Raises `ExporterError` for a value
        that cannot be written, and whatever the sink raises.
        """

    @abstractmethod
    def finish(self) -> None:
        """Write what is still in flight and the end of the file."""

    @abstractmethod
    def discard(self) -> None:
        """Drop the blocks in flight, which are memory of all exports; again, do nothing.

        May be called from any thread, also while another is stuck in waiting for a batch: what
        that one writes afterwards is no file.
        """

    @property
    @abstractmethod
    def warnings(self) -> tuple[ExportWarning, ...]:
        """What was changed on the way; complete after `finish()`."""

    @property
    def sheets(self) -> int | None:
        """How many sheets the file has; None for formats without sheets."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self.discard()
            return
        try:
            self.finish()
        except BaseException:
            self.discard()
            raise

"""The file of an export within the limits."""

from collections.abc import Callable

from exporters.base import Data
from flight_server.config.limits_section import LimitsSection
from flight_server.limits.exceeded import exceeded
from flight_server.storage.base import Upload


class LimitedSink:
    """A sink of `upload` that takes no more than `limits.max_bytes_out`.

    `proceed` is called before each block is written and raises when the export has ended: of one
    batch there may be many.
    """

    def __init__(
        self, upload: Upload, limits: LimitsSection, proceed: Callable[[], object]
    ) -> None:
        self._upload = upload
        self._most = limits.max_bytes_out
        self._proceed = proceed

    def write(self, data: Data, /) -> None:
        """Write all of `data`, or nothing. Raises LIMIT_EXCEEDED, and what `Upload.write` does."""
        self._proceed()
        size = self._upload.bytes_written + memoryview(data).nbytes
        if self._most is not None and size > self._most:
            raise exceeded("max_bytes_out", f"the file would have {size:,} bytes", self._most)
        self._upload.write(data)

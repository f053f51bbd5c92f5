"""Arrow IPC files: what came is kept, in record batches of even size."""

from collections.abc import Sequence

import pyarrow as pa

from exporters.arrow.options import ArrowOptions
from exporters.base import ByteSink
from exporters.columns import ColumnOptions
from exporters.layouts import plain_layout
from exporters.selection import Selection
from exporters.stored import Pieces, StoredExporter
from exporters.workers import Workers


class ArrowExporter(StoredExporter):
    """Writes one Arrow IPC file. Raises what `Selection` raises."""

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: ArrowOptions,
        workers: Workers,
    ) -> None:
        selection = Selection(schema, columns, plain_layout)
        super().__init__(
            sink,
            selection,
            lambda file: _Writer(file, selection.schema, options),
            options.record_batch_size,
            workers,
        )


class _Writer:
    """One record batch for each group."""

    def __init__(self, file: Pieces, schema: pa.Schema, options: ArrowOptions) -> None:
        codec = None if options.compression == "none" else options.compression
        # The threads are the workers'.
        ipc = pa.ipc.IpcWriteOptions(compression=codec, use_threads=False)
        self._writer = pa.ipc.new_file(file, schema, options=ipc)

    def write(self, group: pa.Table) -> None:
        for batch in group.combine_chunks().to_batches():
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()

"""Parquet files: a row group at a time, columns in their own types where Parquet has them."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from exporters.base import ByteSink
from exporters.columns import ColumnOptions
from exporters.errors import LimitExceeded
from exporters.parquet.options import ParquetOptions
from exporters.parquet.types import parquet_type
from exporters.selection import Selection
from exporters.stored import Pieces, StoredExporter
from exporters.workers import Workers


class ParquetExporter(StoredExporter):
    """Writes one Parquet file. Raises what `Selection` raises."""

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: ParquetOptions,
        workers: Workers,
    ) -> None:
        selection = Selection(schema, columns, parquet_type)
        super().__init__(
            sink,
            selection,
            lambda file: _Writer(file, selection.schema, options),
            options.row_group_size,
            workers,
        )


MAX_CHUNKS: Final = 100_000
"""Columns of all row groups: of each the writer keeps about 2 KB until the file ends (measured)."""


class _Writer:
    """One row group for each group."""

    def __init__(self, file: Pieces, schema: pa.Schema, options: ParquetOptions) -> None:
        self._writer = pq.ParquetWriter(file, schema, compression=options.compression)
        self._chunks = 0

    def write(self, group: pa.Table) -> None:
        self._chunks += group.num_columns
        if self._chunks > MAX_CHUNKS:
            raise LimitExceeded(
                f"the file needs more than {MAX_CHUNKS:,} columns of row groups; raise "
                "options.row_group_size, or export fewer rows or columns"
            )
        self._writer.write_table(group, group.num_rows)

    def close(self) -> None:
        self._writer.close()

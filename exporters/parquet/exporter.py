"""Parquet files: a row group at a time, columns in their own types where Parquet has them."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from exporters.base import ByteSink
from exporters.columns import ColumnOptions
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


class _Writer:
    """One row group for each group."""

    def __init__(self, file: Pieces, schema: pa.Schema, options: ParquetOptions) -> None:
        self._writer = pq.ParquetWriter(file, schema, compression=options.compression)

    def write(self, group: pa.Table) -> None:
        self._writer.write_table(group, group.num_rows)

    def close(self) -> None:
        self._writer.close()

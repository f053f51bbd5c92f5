"""Our own exporters, called as the server calls them: what a case of ours does."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa


def write_file(
    format_name: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    path: Path,
    options: Mapping[str, Any] = MappingProxyType({}),
    formats: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Export `batches` to `path`; `formats` are number formats by column."""
    from exporters import ColumnOptions, Workers, find_format, open_exporter

    columns = [ColumnOptions(name, format=formats.get(name)) for name in schema.names]
    parsed = find_format(format_name).options.parse(options)
    with (
        Workers() as workers,
        path.open("wb") as sink,
        open_exporter(format_name, sink, schema, columns, parsed, workers) as exporter,
    ):
        for batch in batches:
            exporter.write_batch(batch)

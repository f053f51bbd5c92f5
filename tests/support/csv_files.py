"""CSV files as a test writes them: one export in the process, with its warnings."""

import csv
import io
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from exporters import ColumnOptions, CsvOptions, Workers, open_exporter


class Written(NamedTuple):
    data: bytes
    changed: dict[str, int]
    """How many cells were changed, by the code of the warning."""


@cache
def workers() -> Workers:
    return Workers(threads=2)


def written(
    batches: Sequence[pa.RecordBatch],
    schema: pa.Schema,
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> Written:
    """The file of batches."""
    sink = io.BytesIO()
    parsed = CsvOptions.parse(options)
    with open_exporter("csv", sink, schema, columns, parsed, workers()) as exporter:
        for batch in batches:
            exporter.write_batch(batch)
    changed = {each.code: each.count for each in exporter.warnings}
    return Written(sink.getvalue(), changed)


def file_of(columns: dict[str, Any], **options: Any) -> bytes:
    """The file of columns by their names, which nothing must be changed for."""
    table = pa.table(columns)
    data, changed = written(table.to_batches(), table.schema, **options)
    assert not changed
    return data


def changes(columns: dict[str, Any], **options: Any) -> Written:
    """The same where something may be changed."""
    table = pa.table(columns)
    return written(table.to_batches(), table.schema, **options)


def python_rows(text: str, delimiter: str = ",") -> list[list[str]]:
    """The rows that Python's reader finds."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def with_garbage(texts: Sequence[str], garbage: bytes, kind: pa.DataType | None = None) -> pa.Array:
    """`texts` with a null after each, under which the `garbage` stands."""
    octets = [each for text in texts for each in (text.encode(), garbage)]
    kind = kind or pa.string()
    width = np.int64 if pa.types.is_large_string(kind) else np.int32
    offsets = np.cumsum([0, *map(len, octets)]).astype(width)
    valid = np.packbits([1, 0] * len(texts), bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(b"".join(octets))]
    return pa.Array.from_buffers(kind, len(octets), buffers)

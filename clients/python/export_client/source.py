"""Any Arrow data as a schema and an iterator of record batches.

The batches are asked for one at a time, in the caller's thread, and an error of the data's own
source passes through unchanged.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow as pa

from export_client.errors import InvalidRequest

_ACCEPTED = (
    "pass a pyarrow Table, RecordBatch or RecordBatchReader, a polars or pandas DataFrame, "
    "a DuckDB relation, anything else with __arrow_c_stream__, or an iterable of "
    "pyarrow.RecordBatch"
)


def open_source(data: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema of `data` and its batches.

    An iterable is asked for its first batch, which brings the schema.

    Raises:
        TypeError: `data` is nothing of the kind.
        InvalidRequest: an iterable without a batch has no schema.

    """
    if isinstance(data, pa.RecordBatch):
        return data.schema, iter((data,))
    if isinstance(data, pa.RecordBatchReader):
        # Not through the C stream, which would flatten a Python exception into an OSError.
        return data.schema, iter(data)
    if hasattr(data, "__arrow_c_stream__"):
        reader = _from_stream(data)
        return reader.schema, iter(reader)
    if hasattr(data, "__arrow_c_array__"):
        batch = pa.record_batch(data)
        return batch.schema, iter((batch,))
    if isinstance(data, Iterable) and not isinstance(data, str | bytes | dict):
        return _from_iterable(data)
    raise TypeError(f"cannot export a {type(data).__name__}; {_ACCEPTED}")


def _from_stream(data: Any) -> pa.RecordBatchReader:
    try:
        return pa.RecordBatchReader.from_stream(data)
    except pa.ArrowInvalid as error:
        if "non-struct" not in str(error):
            raise
        raise TypeError(f"{type(data).__name__} is one column, not a table; {_ACCEPTED}") from None


def _from_iterable(data: Iterable[Any]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    batches = iter(data)
    try:
        first = next(batches)
    except StopIteration:
        raise InvalidRequest(
            "INVALID_SCHEMA",
            "the iterable gave no batch, so the columns are unknown; pass "
            "pyarrow.RecordBatchReader.from_batches(schema, batches) to export no rows",
        ) from None
    _check_batch(first, 1)
    return first.schema, _of_schema(first.schema, chain((first,), batches))


def _of_schema(schema: pa.Schema, batches: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    for number, batch in enumerate(batches, start=1):
        _check_batch(batch, number)
        if not batch.schema.equals(schema):
            raise InvalidRequest(
                "INVALID_SCHEMA",
                f"batch {number} has the columns [{_columns(batch.schema)}], "
                f"the first batch has [{_columns(schema)}]",
            )
        yield batch


def _check_batch(batch: Any, number: int) -> None:
    if not isinstance(batch, pa.RecordBatch):
        raise TypeError(
            f"item {number} of the iterable is a {type(batch).__name__}, not a "
            f"pyarrow.RecordBatch; {_ACCEPTED}"
        )


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in schema)

"""Tables as Arrow IPC files, from which the processes that measure read them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa


def write_table(path: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """All rows of `batches`, at least one, as a file."""
    rest = iter(batches)
    first = next(rest)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, first.schema) as writer:
        for batch in chain([first], rest):
            writer.write_batch(batch)


def read_table(path: Path, rows: int) -> pa.Table:
    """The first `rows` rows of a file, in memory."""
    return pa.Table.from_batches(stream_table(path, rows))


def stream_table(path: Path, rows: int) -> Iterator[pa.RecordBatch]:
    """The first `rows` rows of a file, read batch by batch as they are asked for."""
    with pa.OSFile(str(path), "rb") as file:
        reader = pa.ipc.open_file(file)
        for number in range(reader.num_record_batches):
            if rows <= 0:
                return
            batch = reader.get_batch(number).slice(0, rows)
            rows -= batch.num_rows
            yield batch

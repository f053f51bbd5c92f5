"""Files that the command line exports, opened as streams: none is loaded whole."""

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet


def open_input(name: str) -> tuple[pa.RecordBatchReader, int | None]:
    """The batches of a Parquet, CSV or Arrow file, and their rows when the file tells.

    `-` is an Arrow IPC stream on standard input.

    Raises:
        ValueError: the extension is none of these, or the content is not what it says.
        OSError: the file cannot be read.

    """
    try:
        return _open(name)
    except pa.ArrowInvalid as error:
        shown = "standard input" if name == "-" else name
        raise ValueError(f"{shown}: {error}") from error


def _open(name: str) -> tuple[pa.RecordBatchReader, int | None]:
    if name == "-":
        return pa.ipc.open_stream(sys.stdin.buffer), None
    path = Path(name)
    match path.suffix.lower():
        case ".parquet" | ".pq":
            return _parquet(_existing(path))
        case ".csv":
            return pyarrow.csv.open_csv(_existing(path)), None
        case ".arrow" | ".arrows" | ".ipc" | ".feather":
            return _arrow(_existing(path)), None
        case suffix:
            raise ValueError(
                f"cannot read {name!r} by its extension {suffix!r}; available: .parquet, "
                ".csv, .arrow, or - for an Arrow stream on standard input"
            )


def _existing(path: Path) -> Path:
    """The path itself; Python's error for a missing file is shorter than pyarrow's."""
    path.stat()
    return path


def _parquet(path: Path) -> tuple[pa.RecordBatchReader, int]:
    file = pyarrow.parquet.ParquetFile(path)
    reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
    return reader, file.metadata.num_rows


def _arrow(path: Path) -> pa.RecordBatchReader:
    """An IPC file or stream: both are called `.arrow`, the first bytes tell them apart."""
    source = pa.memory_map(str(path))
    if source.read(6) != b"ARROW1":
        source.seek(0)
        return pa.ipc.open_stream(source)
    file: Any = pa.ipc.open_file(source)
    batches = (file.get_batch(index) for index in range(file.num_record_batches))
    return pa.RecordBatchReader.from_batches(file.schema, batches)

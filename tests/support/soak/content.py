"""Rows that no other export has, and the check that a file is made of exactly them."""

from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from tests.support.exports import SCHEMA, sheet_rows


def batch(first: int, rows: int) -> pa.RecordBatch:
    """The rows `first` to `first + rows - 1`."""
    texts = _texts(first, rows)
    names = pc.binary_join_element_wise("name ", texts, "")
    return pa.record_batch([texts.cast(pa.int64()), names], schema=SCHEMA)


@lru_cache(maxsize=16)
def csv_bytes(first: int, rows: int) -> bytes:
    """The CSV file of these rows, put together without the server's code."""
    texts = _texts(first, rows)
    lines = pc.binary_join_element_wise(texts, ',"name ', texts, '"\n', "")
    return b'"id","name"\n' + "".join(lines.to_pylist()).encode()


def is_right(filename: str, content: bytes, first: int, rows: int) -> bool:
    """Whether the file consists of these rows, all of them, in their order."""
    if filename.endswith(".csv"):
        return content == csv_bytes(first, rows)
    header, *cells = sheet_rows(content)
    wanted = [[float(each), f"name {each}"] for each in range(first, first + rows)]
    return header == ["id", "name"] and cells == wanted


def _texts(first: int, rows: int) -> pa.Array:
    return pa.array(range(first, first + rows), pa.int64()).cast(pa.string())

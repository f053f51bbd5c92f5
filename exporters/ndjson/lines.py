"""Rows as lines, each a JSON object: what stands in cells of CSV as text is JSON here."""

import json
from collections.abc import Sequence

import pyarrow as pa

from exporters.errors import InvalidData, LimitExceeded
from exporters.json_texts import Members, members, object_texts


def lines(batch: pa.RecordBatch) -> pa.Buffer:
    """The rows of `batch`, which has columns, each with a line end behind it.

    Raises `InvalidData` for a time that no calendar has, and `LimitExceeded` for values whose text
    Arrow cannot hold.
    """
    try:
        named = [_members(*each) for each in zip(batch.schema.names, batch.columns, strict=True)]
        texts = object_texts(batch.schema.names, named, end="}\n")
    except pa.ArrowCapacityError as error:
        raise LimitExceeded(
            "the rows hold values of over 2 GiB of text; send them in more rows"
        ) from error
    return _joined(texts)


def key_bytes(names: Sequence[str]) -> int:
    """Bytes of a line besides its values."""
    keys = (len(json.dumps(name, ensure_ascii=False).encode()) + len(":,") for name in names)
    return sum(keys) + len("{}\n")


def _members(name: str, values: pa.Array) -> Members:
    try:
        return members(values)
    except InvalidData as error:
        raise InvalidData(f"column {name!r} {error}") from None


def _joined(texts: pa.Array) -> pa.Buffer:
    """All texts, none of which is null, one after another: the bytes that Arrow has of them."""
    _, offsets, data = texts.buffers()
    places = memoryview(offsets).cast("i")
    first, last = places[texts.offset], places[texts.offset + len(texts)]
    return data.slice(first, last - first)

"""Rows and batches of a stream within the limits, as soon as they are here."""

import pyarrow as pa

from exporters.encodings import is_encoded, value_type
from exporters.nesting import children
from flight_server.config.limits_section import LimitsSection
from flight_server.limits.exceeded import exceeded
from flight_server.stream import Message, MessageStream


class LimitedStream:
    """A `MessageStream` whose columns, rows and batches are within the limits.

    Nothing of a batch is trusted here that it says of its own values: it is not validated yet. Its
    bytes are those of its buffers, whole, whatever part of them it refers to, each once.
    """

    def __init__(self, stream: MessageStream, limits: LimitsSection) -> None:
        self._stream = stream
        self._limits = limits
        self._rows = 0

    @property
    def schema(self) -> pa.Schema:
        """Of every batch. Raises LIMIT_EXCEEDED for too many columns."""
        schema = self._stream.schema
        columns, most = _fields(schema.types), self._limits.max_columns
        if columns > most:
            met = f"the stream has {columns:,} columns, with the fields of structs"
            raise exceeded("max_columns", met, most)
        return schema

    def read(self) -> Message | None:
        """The next message; see `MessageStream.read`. Raises LIMIT_EXCEEDED too."""
        message = self._stream.read()
        if message is not None and message.batch is not None:
            self._check(message.batch)
        return message

    def _check(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        most = self._limits.max_rows
        if most is not None and self._rows > most:
            raise exceeded("max_rows", f"{self._rows:,} rows were sent", most)
        size, most = int(batch.get_total_buffer_size()), self._limits.max_batch_bytes
        if size > most:
            raise exceeded("max_batch_bytes", f"a batch has {size:,} bytes", most)


def _fields(kinds: list[pa.DataType]) -> int:
    """Columns, and the fields of all structs within them."""
    return len(kinds) + sum(map(_fields_within, kinds))


def _fields_within(kind: pa.DataType) -> int:
    if is_encoded(kind):
        return _fields_within(value_type(kind))
    if pa.types.is_struct(kind):
        return _fields(children(kind))
    return sum(map(_fields_within, children(kind)))

"""Encoded batches of rows to Arrow: a text column for each column of the export.

ptars decodes the bytes of many batches at once into lists of texts (measured: 4 million rows of ten
texts a second); one gather a column turns the rows' lists into columns (8 to 13 million). The
library of protobuf makes an object of each row: 0.6 million.
"""

import threading
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import ptars
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import descriptor_pb2, descriptor_pool

from flight_server.errors import ErrorCode, ServiceError
from flight_server.transports import export_pb2
from flight_server.transports.grpc_sequence import BatchOrder

MessageHandler: TypeAlias = Any
"""That of ptars, which names it in no public place."""

_TURN: Final = threading.Lock()
"""ptars decodes under Python's own lock. Streams take turns at this one instead, so that other
calls wait for one of them at most."""

_SHOWN: Final = 40
"""Characters of a column's name that a message repeats."""


class RowDecoder:
    """The batches of one stream, in order, as record batches of `schema`.

    Column names must differ. With `empty_is_null`, empty texts are nulls.
    """

    def __init__(self, names: Sequence[str], *, empty_is_null: bool) -> None:
        self.schema = pa.schema([pa.field(name, pa.string()) for name in names])
        self.rows = 0
        """Rows decoded so far."""
        self._empty_is_null = empty_is_null
        self._order = BatchOrder()

    def decode(self, batches: Sequence[bytes]) -> pa.RecordBatch:
        """The rows of encoded `DataBatch` messages that are new, as one batch.

        Raises INVALID_DATA for what is not protobuf or not UTF-8, for a row of another number of
        values than there are columns, naming it (1 is the first of the stream), and for batches
        out of order.
        """
        try:
            decoded = _decoded(_TEXTS, batches)
        except ServiceError as error:
            if isinstance(error.__cause__, ValueError):
                self._refuse_octets(batches)
            raise
        texts = self._values(decoded)
        if self._empty_is_null:
            texts = _without_empty(texts)
        columns = _columns(texts, len(self.schema))
        batch = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        self.rows += batch.num_rows
        return batch

    def _values(self, decoded: pa.RecordBatch) -> pa.Array:
        """The values of all new rows, one row behind the other; each has one for each column."""
        records, numbers = decoded.columns
        counts = self._order.counts
        counted = [place for place, number in enumerate(numbers.to_pylist()) if counts(number)]
        if len(counted) < len(records):
            records = records.take(pa.array(counted, pa.int64()))
        lists = records.flatten().flatten()[0]
        self._check_lengths(lists)
        return lists.flatten()

    def _check_lengths(self, lists: pa.ListArray) -> None:
        wanted = len(self.schema)
        lengths = np.diff(np.asarray(lists.offsets))
        wrong = lengths != wanted
        if wrong.any():
            row = int(np.argmax(wrong))
            raise _invalid(
                f"row {self.rows + row + 1:,} has {lengths[row]:,} values and the export "
                f"{wanted:,} columns; send one for each, empty where there is none"
            )

    def _refuse_octets(self, batches: Sequence[bytes]) -> None:
        """Name the first text that is not UTF-8, if it is one that stopped the decoding."""
        octets = self._values(_decoded(_OCTETS, batches))
        place = bisect_left(
            range(len(octets)), 1, key=lambda last: not _is_utf8(octets[: last + 1])
        )
        if place < len(octets):
            row, column = divmod(place, len(self.schema))
            name = self.schema.names[column][:_SHOWN]
            raise _invalid(
                f"column {name!r}, row {self.rows + row + 1:,}: the text is not UTF-8; "
                "convert it before sending"
            )


def _is_utf8(octets: pa.Array) -> bool:
    try:
        octets.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _columns(texts: pa.Array, count: int) -> list[pa.Array]:
    """Every `count`-th of `texts`, from the first, the second … on."""
    if count == 1:
        return [texts]
    first = np.arange(0, len(texts), count, dtype=np.int32)
    return [pc.take(texts, pa.array(first + place), boundscheck=False) for place in range(count)]


def _without_empty(texts: pa.Array) -> pa.Array:
    """`texts` with nulls for empty ones."""
    offsets, data = texts.buffers()[1:]
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    full = ends[1:] != ends[:-1]
    if full.all():
        return texts
    validity = pa.py_buffer(np.packbits(full, bitorder="little"))
    parts = [validity, pa.py_buffer(ends), data]
    return pa.Array.from_buffers(texts.type, len(texts), parts, int((~full).sum()))


def _decoded(handler: MessageHandler, batches: Sequence[bytes]) -> pa.RecordBatch:
    """A row for each batch: the list of its records, and its number."""
    encoded = pa.array(batches, pa.binary())
    try:
        with _TURN:
            return handler.array_to_record_batch(encoded)
    except ValueError as error:
        raise _malformed() from error
    except BaseException as error:
        # A length beyond 2^63 overflows inside ptars 0.0.25, whose panics are no Exception and
        # have a class that cannot be imported.
        if type(error).__name__ == "PanicException":
            raise _malformed() from error
        raise


def _octets_descriptor() -> descriptor_pb2.FileDescriptorProto:
    """DataBatch with `bytes` instead of texts: the same on the wire, but any octet is let in."""
    file = descriptor_pb2.FileDescriptorProto()
    export_pb2.DESCRIPTOR.CopyToProto(file)
    [record] = [message for message in file.message_type if message.name == "Record"]
    record.field[0].type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
    return file


def _octets_handler() -> MessageHandler:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_octets_descriptor())
    file = pool.FindFileByName(export_pb2.DESCRIPTOR.name)
    return ptars.HandlerPool([file]).get_for_message(file.message_types_by_name["DataBatch"])


def _malformed() -> ServiceError:
    return _invalid("a batch is no valid DataBatch in protobuf")


def _invalid(message: str) -> ServiceError:
    return ServiceError(ErrorCode.INVALID_DATA, message)


_TEXTS: Final = ptars.HandlerPool([export_pb2.DESCRIPTOR]).get_for_message(
    export_pb2.DataBatch.DESCRIPTOR
)
_OCTETS: Final = _octets_handler()

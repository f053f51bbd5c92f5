"""Markdown tables, as GitHub shows them: a whole format for Export Middleware in one module."""

import functools
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from exporters import (
    ByteSink,
    ColumnOptions,
    Exporter,
    ExportWarning,
    Format,
    FormatOptions,
    InvalidOptions,
    Workers,
)
from exporters.blocks import BlockCutter
from exporters.columns import Projection
from exporters.durations import texts_of
from exporters.workers import OrderedBlocks


class MarkdownOptions(FormatOptions):
    """Options of `markdown`, checked and described by pydantic: nothing else is to be written."""

    format_name = "markdown"
    other_extensions = frozenset({"md"})

    null: str = Field("", max_length=40, description="the text for null")


class MarkdownExporter(Exporter):
    """Writes one table; numbers stand on the right. Raises what `Projection` raises."""

    def __init__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: MarkdownOptions,
        workers: Workers,
    ) -> None:
        # Selects, orders, names and casts; what arrives is of one of a few types.
        self._projection = Projection(schema, columns)
        if any(column.format or column.width for column in columns):
            raise InvalidOptions(
                "columns: format and width mean nothing in markdown; leave them out"
            )
        self._options = options
        self._sink = sink
        # Blocks of a useful size, by what their values become; at most one is held back.
        self._cutter = BlockCutter(measure=self._projection.size)
        # In threads that all exports share, under one budget of memory, written in order.
        self._blocks = OrderedBlocks[bytes](workers, sink.write)
        self._head = _head(self._projection.output_schema)

    @property
    def warnings(self) -> tuple[ExportWarning, ...]:
        return ()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self._write_head()
        for block in self._cutter.add(batch):
            self._submit(block)
        self.rows_written += batch.num_rows

    def finish(self) -> None:
        self._write_head()
        for block in self._cutter.flush():
            self._submit(block)
        self._blocks.drain()

    def discard(self) -> None:
        self._blocks.discard()

    def _write_head(self) -> None:
        head, self._head = self._head, b""
        if head:
            self._sink.write(head)

    def _submit(self, block: pa.RecordBatch) -> None:
        # The second argument is the work of a thread, the first what it needs, in bytes, about.
        self._blocks.submit(
            self._projection.size(block) * 3, functools.partial(self._format, block)
        )

    def _format(self, block: pa.RecordBatch) -> bytes:
        """Whole columns at a time: a loop over rows would be a hundred times as slow."""
        parts: list[str | pa.Array] = ["| "]
        for array in self._projection.apply(block).columns:
            parts.extend([pc.fill_null(_cells(array), _escaped(self._options.null)), " | "])
        rows = pc.binary_join_element_wise(*parts[:-1], " |\n", "")
        together = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
        return pc.binary_join(together, "")[0].as_buffer().to_pybytes()


def _head(schema: pa.Schema) -> bytes:
    names = " | ".join(map(_escaped, schema.names))
    rules = " | ".join("---:" if _is_number(kind) else "---" for kind in schema.types)
    return f"| {names} |\n| {rules} |\n".encode()


def _cells(array: pa.Array) -> pa.Array:
    is_duration = pa.types.is_duration(array.type)
    texts = pc.cast(texts_of(array) if is_duration else array, pa.string())
    return pc.replace_substring_regex(pc.replace_substring(texts, "|", r"\|"), "\r?\n|\r", "<br>")


def _escaped(text: str) -> str:
    return str(_cells(pa.array([text]))[0])


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


MARKDOWN = Format("markdown", "text/markdown; charset=utf-8", MarkdownOptions, MarkdownExporter)

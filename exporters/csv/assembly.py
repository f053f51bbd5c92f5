"""Columns of ready texts to lines.

pyarrow's CSV writer does it at 6 ns a cell, half of what polars or a join of Arrow's takes
(measured).
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv

from exporters.csv.options import CsvOptions

LINE_ENDS: Final = {"lf": "\n", "crlf": "\r\n"}

_AS_IT_IS: Final = pa.int8()
_IN_QUOTES: Final = pa.string()
"""What a column is for pyarrow's writer, which puts quotes around texts and none around numbers.

The types that count are those of the schema with which the writer is opened, not those of a batch:
ready texts in the place of numbers are written as they are.
"""


class LineWriter:
    """Joins columns of texts, some of which get quotes; nulls get none."""

    def __init__(self, in_quotes: Sequence[bool], options: CsvOptions) -> None:
        _check_pyarrow()
        kinds = [_IN_QUOTES if each else _AS_IT_IS for each in in_quotes]
        self._schema = _schema(kinds)
        self._options = options

    def __call__(self, columns: Sequence[pa.Array]) -> pa.Buffer:
        """The lines of `columns`, which are `string` or `large_string` of any bytes."""
        options = pacsv.WriteOptions(
            include_header=False,
            # The writer has 8 bytes for each cell of as many rows, 1,024 by default: no fewer than
            # the block, which is written at once, and no more, which for thousands of columns it
            # has no memory for and counts as less than none (pyarrow 26).
            batch_size=max(1, len(columns[0])),
            delimiter=self._options.delimiter,
            eol=LINE_ENDS[self._options.line_terminator],
            null_string=self._options.null,
            quoting_style="needed",
        )
        return _written(columns, self._schema, options)


def _schema(kinds: Sequence[pa.DataType]) -> pa.Schema:
    return pa.schema([(str(place), kind) for place, kind in enumerate(kinds)])


def _written(
    columns: Sequence[pa.Array], schema: pa.Schema, options: pacsv.WriteOptions
) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pacsv.CSVWriter(sink, schema, write_options=options) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, names=schema.names))
    return sink.getvalue()


@cache
def _check_pyarrow() -> None:
    """Raise `RuntimeError` for a pyarrow whose writer quotes by other types: no file is right."""
    texts = pa.array(['"', None])
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    lines = _written([texts, texts], _schema([_AS_IT_IS, _IN_QUOTES]), options)
    if lines.to_pybytes() != b'",""""\n,\n':
        raise RuntimeError(
            f"pyarrow {pa.__version__} writes CSV by other types than those that the exporter "
            "relies on; install the version that constraints.txt names"
        )

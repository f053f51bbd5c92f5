"""What is written as NDJSON is, byte for byte, what plain Python makes of it, and is read back."""

import gzip
import io
import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.json as pajson
from hypothesis import given, settings

from exporters import NdjsonOptions, Workers, open_exporter
from tests.property.spelled import is_nested, json_text, quoted
from tests.property.strategies import OF_PYTHON, PLAIN, Kind, Sent, tables

_READ_BACK = {
    "bool", "int32", "int64", "uint32", "uint64", "float64", "string", "large_string",
    "string_view", "dictionary", "run_end_encoded", "timestamp(us,None)",
}  # fmt: skip
READ_BACK: Sequence[Kind] = [kind for kind in PLAIN if kind.name in _READ_BACK]
"""What readers of JSON have types for when they are told which."""


@cache
def workers() -> Workers:
    return Workers(threads=2)


def written(sent: Sent, **options: Any) -> tuple[bytes, int]:
    """The file, and how many numbers were counted as null in it."""
    sink = io.BytesIO()
    parsed = NdjsonOptions.parse(options)
    with open_exporter("ndjson", sink, sent.schema, (), parsed, workers()) as exporter:
        for batch in sent.batches:
            exporter.write_batch(batch)
    assert exporter.rows_written == sent.rows
    assert {warning.code for warning in exporter.warnings} <= {"NON_FINITE_NULL"}
    return sink.getvalue(), sum(warning.count for warning in exporter.warnings)


def values_of(sent: Sent, place: int) -> list[Any]:
    return [each for batch in sent.batches for each in batch.column(place).to_pylist()]


def line(schema: pa.Schema, values: Sequence[Any]) -> str:
    members = (
        f"{quoted(field.name)}:{json_text(field.type, value)}"
        for field, value in zip(schema, values, strict=True)
    )
    return "{" + ",".join(members) + "}\n"


def non_finite(value: Any) -> int:
    """How many numbers JSON has no word for, on every level."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return sum(map(non_finite, value.values()))
    return sum(map(non_finite, value)) if isinstance(value, list | tuple) else 0


@given(tables(kinds=OF_PYTHON))
@settings(max_examples=400, deadline=None)
def test_every_line_is_what_plain_python_makes_of_the_row(sent: Sent) -> None:
    columns = [values_of(sent, place) for place in range(len(sent.kinds))]
    data, counted = written(sent)
    expected = [line(sent.schema, row) for row in zip(*columns, strict=True)]
    assert data.decode() == "".join(expected)
    assert counted == sum(non_finite(each) for column in columns for each in column)


@given(tables())
@settings(max_examples=150, deadline=None)
def test_every_line_is_json_and_the_cut_of_the_stream_leaves_no_trace(sent: Sent) -> None:
    data, counted = written(sent)
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == sent.rows
    for each in lines:
        assert isinstance(json.loads(each, parse_constant=refuse), dict)
    each_row = [batch.slice(row, 1) for batch in sent.batches for row in range(batch.num_rows)]
    alone = Sent(sent.kinds, sent.columns, sent.schema, tuple(each_row))
    assert written(alone) == (data, counted)


def refuse(constant: str) -> None:
    raise AssertionError(constant)


@given(tables(kinds=READ_BACK))
@settings(max_examples=150, deadline=None)
def test_polars_and_arrow_read_every_value(sent: Sent) -> None:
    if not sent.rows:
        return
    data, _ = written(sent)
    schema = pa.schema(
        [(field.name, pa.string() if text(field.type) else field.type) for field in sent.schema]
    )
    options = pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    table = pajson.read_json(io.BytesIO(data), parse_options=options)
    frame = pl.read_ndjson(data, schema=pl.from_arrow(schema.empty_table()).schema)
    for place, name in enumerate(sent.schema.names):
        expected = [
            None if isinstance(each, float) and not math.isfinite(each) else each
            for each in values_of(sent, place)
        ]
        assert table[name].to_pylist() == expected
        assert frame[name].to_list() == expected


def text(kind: pa.DataType) -> bool:
    assert not is_nested(kind)
    return str(kind) in ("string", "large_string", "string_view") or hasattr(kind, "value_type")


@given(tables(max_columns=2, max_rows=6))
@settings(max_examples=50, deadline=None)
def test_what_is_compressed_is_the_same(sent: Sent) -> None:
    data, _ = written(sent)
    packed, _ = written(sent, compression="gzip")
    assert gzip.decompress(packed) == data

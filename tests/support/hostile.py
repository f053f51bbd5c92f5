"""Batches of few bytes that stand for more than any machine has.

As a script it exports each of them and writes how that ended and how much memory it took:

    python -m tests.support.hostile FORMAT
"""

import json
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from flight_server.config.limits_section import LimitsSection
from flight_server.errors import ServiceError
from flight_server.request import parse_command
from flight_server.service import Export
from tests.support.scripted import COMMIT, Message, Script, bench

MOST = 2**31 - 1
"""Rows that Arrow's reader of streams takes in one batch."""


def nulls(count: int) -> pa.Array:
    """Without the bitmap that `pa.nulls` has."""
    return pa.Array.from_buffers(pa.null(), count, [None])


def runs(count: int, value: object) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array([count], pa.int64()), pa.array([value]))


def lists(values: pa.Array, rows: int = 1) -> pa.Array:
    """Each row with as many of the values as any other."""
    ends = np.arange(0, len(values) + 1, len(values) // rows)
    buffers = [None, pa.py_buffer(ends.astype(np.int64))]
    return pa.Array.from_buffers(pa.large_list(values.type), rows, buffers, children=[values])


def views(depth: int, rows: int = 1000) -> pa.Array:
    """Every view sees all of the level below it."""
    values = pa.array(["x"] * rows)
    for _ in range(depth):
        starts, sizes = pa.array([0] * rows, pa.int32()), pa.array([rows] * rows, pa.int32())
        values = pa.ListViewArray.from_arrays(starts, sizes, values)
    return values


def no_columns() -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(pa.Array.from_buffers(pa.struct([]), MOST, [None]))


def structs(fields: pa.StructType, rows: int) -> pa.Array:
    children = [nulls(rows) for _ in fields]
    return pa.Array.from_buffers(fields, rows, [None], children=children)


LONG_NAME = pa.struct([("n" * 1_000_000, pa.null())])
ONE_TEXT = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int8)), ["x" * 10_000])

CASES: Mapping[str, tuple[Callable[[], pa.Array], str]] = {
    "nulls": (lambda: nulls(MOST), "max_bytes_out"),
    "runs": (lambda: runs(MOST, "x"), "max_bytes_out"),
    "runs of numbers": (lambda: runs(MOST, 1), "max_bytes_out"),
    "runs of a long text": (lambda: runs(MOST, "x" * 10**6), "max_bytes_in"),
    "a dictionary": (lambda: ONE_TEXT, "max_bytes_out"),
    "structs": (lambda: structs(pa.struct([]), MOST), "max_bytes_out"),
    "structs of nulls": (lambda: structs(pa.struct([("a", pa.null())]), MOST), "max_batch_bytes"),
    "a list of nulls": (lambda: lists(nulls(MOST)), "max_batch_bytes"),
    "lists of nulls": (lambda: lists(nulls(10**12), 1000), "max_batch_bytes"),
    "a list of runs": (lambda: lists(runs(MOST, "")), "max_batch_bytes"),
    "a list of long names": (lambda: lists(structs(LONG_NAME, 10_000)), "max_cell_bytes"),
    "a dictionary of nulls": (
        lambda: pa.DictionaryArray.from_arrays([0], nulls(MOST)),
        "max_batch_bytes",
    ),
    "views of views": (lambda: views(2), "max_bytes_out"),
    "views beyond 64 bits": (lambda: views(9), "max_cell_bytes"),
}
"""What is sent, and the limit that ends it."""

LIMITS = LimitsSection.model_validate({"max_rows": "unlimited", "max_bytes_out": "8 MiB"})


def peak() -> int:
    """Bytes of memory that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ended(array: pa.Array, format_name: str) -> dict[str, Any]:
    """How its export ends, and what is left of it."""
    batch = pa.record_batch([array], names=["a"])
    command = json.dumps({"filename": "a", "format": format_name}).encode()
    before = peak()
    with bench(limits=LIMITS) as parts:
        export = parts.service.open(parse_command(command), "us")
        assert isinstance(export, Export)
        try:
            export.run(Script(Message(batch, None), COMMIT, schema=batch.schema), lambda _: None)
            message = "COMPLETED"
        except ServiceError as error:
            message = str(error)
        left = parts.storage.check(), parts.manager.active
    return {"message": message, "left": left, "memory": peak() - before}


def main(format_name: str) -> None:
    # What would take all memory there is fails with an error instead.
    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 6 * 2**30, used + 6 * 2**30))
    results = {name: ended(make(), format_name) for name, (make, _) in CASES.items()}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

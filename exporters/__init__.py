"""Arrow record batches to files: CSV and Excel workbooks, columnarly, at constant memory.

Knows nothing of Flight, tasks or storage::

    with Workers() as workers:
        with open_exporter("xlsx", sink, schema, (), options, workers) as exporter:
            for batch in batches:
                exporter.write_batch(batch)
"""

import os

# Our workers are the threads: polars' own pool would only compete with them for the cores. Read
# by polars when it is first imported; without effect in a program that has imported it before.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# polars' allocator has four arenas a core and gives back what is freed by and by: with two, a long
# export needs hardly more memory than a short one.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:2,muzzy_decay_ms:0")

# numpy's linear algebra, which nothing here needs, would keep threads and buffers for each core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from exporters.heap import keep_freed_memory

# Before a library has threads, each of which would have a part of the heap.
keep_freed_memory()

from exporters.asked import ColumnOptions
from exporters.base import ByteSink, Exporter, ExportWarning
from exporters.csv.options import CsvOptions
from exporters.errors import (
    ExporterError,
    InvalidData,
    InvalidOptions,
    InvalidSchema,
    LimitExceeded,
    UnsupportedType,
)
from exporters.options import FormatOptions
from exporters.registry import Format, find_format, formats, open_exporter
from exporters.workers import Workers
from exporters.xlsx.options import XlsxOptions

__all__ = [
    "ByteSink",
    "ColumnOptions",
    "CsvOptions",
    "ExportWarning",
    "Exporter",
    "ExporterError",
    "Format",
    "FormatOptions",
    "InvalidData",
    "InvalidOptions",
    "InvalidSchema",
    "LimitExceeded",
    "UnsupportedType",
    "Workers",
    "XlsxOptions",
    "find_format",
    "formats",
    "open_exporter",
]

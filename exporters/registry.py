"""The formats by name, and how one is opened.

A third party adds a format by an entry point of the group `export_middleware.formats` that names a
`Format`; a name or an extension that is taken is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final, Protocol

import pyarrow as pa

from exporters.arrow.exporter import ArrowExporter
from exporters.arrow.options import ArrowOptions
from exporters.base import ByteSink, Exporter
from exporters.columns import ColumnOptions
from exporters.csv.exporter import CsvExporter
from exporters.csv.options import CsvOptions
from exporters.errors import InvalidOptions
from exporters.hints import closest
from exporters.ndjson.exporter import NdjsonExporter
from exporters.ndjson.options import NdjsonOptions
from exporters.options import FormatOptions
from exporters.parquet.exporter import ParquetExporter
from exporters.parquet.options import ParquetOptions
from exporters.workers import Workers
from exporters.xlsx.exporter import XlsxExporter
from exporters.xlsx.options import XlsxOptions

ENTRY_POINTS: Final = "export_middleware.formats"


class ExporterFactory(Protocol):
    """Makes an exporter; raises `ExporterError` for a schema that the format cannot hold."""

    def __call__(
        self,
        sink: ByteSink,
        schema: pa.Schema,
        columns: Sequence[ColumnOptions],
        options: Any,  # each format has options of its own class
        workers: Workers,
    ) -> Exporter:
        """An exporter that writes to `sink`; may write before the first batch."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its name, which is also an extension of its files, and how it is written."""

    name: str
    content_type: str
    options: type[FormatOptions]
    factory: ExporterFactory


_BUILT_IN: Final = (
    Format("csv", "text/csv; charset=utf-8", CsvOptions, CsvExporter),
    Format("ndjson", "application/x-ndjson", NdjsonOptions, NdjsonExporter),
    Format("parquet", "application/vnd.apache.parquet", ParquetOptions, ParquetExporter),
    Format("arrow", "application/vnd.apache.arrow.file", ArrowOptions, ArrowExporter),
    Format(
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        XlsxOptions,
        XlsxExporter,
    ),
)


@cache
def formats() -> Mapping[str, Format]:
    """Every format by name, those of third parties included.

    Raises `ValueError` for two that have a name or an extension in common.
    """
    return {each.name: each for each in formats_by_extension().values()}


@cache
def formats_by_extension() -> Mapping[str, Format]:
    """Every format by each extension of its files, in lower case. Raises what `formats` raises."""
    found: dict[str, Format] = {}
    for each in (*_BUILT_IN, *(entry.load() for entry in entry_points(group=ENTRY_POINTS))):
        for extension in (each.name, *each.options.other_extensions):
            if extension in found:
                raise ValueError(
                    f"the formats {found[extension].name!r} and {each.name!r} both have files that "
                    f"end in .{extension}; uninstall one of them"
                )
            found[extension] = each
    return found


def find_format(name: str) -> Format:
    """The format called `name`. Raises `InvalidOptions` naming those that exist."""
    known = formats()
    if name not in known:
        available = ", ".join(sorted(known))
        raise InvalidOptions(
            f"unknown format {name!r}{closest(name, list(known))}; available: {available}"
        )
    return known[name]


def open_exporter(
    format_name: str,
    sink: ByteSink,
    schema: pa.Schema,
    columns: Sequence[ColumnOptions],
    options: FormatOptions,
    workers: Workers,
) -> Exporter:
    """An exporter of `format_name` over `sink`; use it as a context manager."""
    return find_format(format_name).factory(sink, schema, columns, options, workers)

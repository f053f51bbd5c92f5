"""Workbooks in tests: written through `open_exporter`, and seen through the eyes of readers."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from exporters import ColumnOptions, ExporterError, InvalidOptions, Workers, XlsxOptions
from exporters import open_exporter as _open_exporter

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True)
class Styles:
    """In place of a shell: columns with these styles, none of them a formula."""

    styles: tuple[int, ...]


@dataclass(frozen=True)
class File:
    """A workbook that was written, through the eyes of several readers."""

    data: bytes
    sheets: int
    warnings: dict[str, int]

    @cached_property
    def parts(self) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}

    @cached_property
    def book(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(io.BytesIO(self.data))

    @cached_property
    def values(self) -> openpyxl.Workbook:
        """With the values that formulas have in the file."""
        return openpyxl.load_workbook(io.BytesIO(self.data), data_only=True)

    @property
    def sheet(self) -> Worksheet:
        return self.book.worksheets[0]

    @property
    def rows(self) -> list[list[tuple[Any, ...]]]:
        """The values of each sheet."""
        return [list(sheet.iter_rows(values_only=True)) for sheet in self.book.worksheets]

    @property
    def by_calamine(self) -> list[list[list[Any]]]:
        book = CalamineWorkbook.from_filelike(io.BytesIO(self.data))
        return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]

    def xml(self, number: int = 1) -> ET.Element:
        """A sheet's XML, by the number of the sheet from 1."""
        return ET.fromstring(self.parts[f"xl/worksheets/sheet{number}.xml"])

    def found(self, tag: str, number: int = 1) -> list[ET.Element]:
        """The elements of a sheet that are called so."""
        return list(self.xml(number).iter(MAIN + tag))


@cache
def _workers() -> Workers:
    return Workers(threads=2)


def written(
    data: pa.Table | pa.RecordBatch | Sequence[pa.RecordBatch],
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> File:
    """The workbook of a table, a batch or several batches."""
    if isinstance(data, pa.RecordBatch):
        data = [data]
    batches = data.to_batches() if isinstance(data, pa.Table) else data
    schema = data.schema if isinstance(data, pa.Table) else batches[0].schema
    sink = io.BytesIO()
    parsed = XlsxOptions.parse(options)
    with _open_exporter("xlsx", sink, schema, columns, parsed, _workers()) as exporter:
        for batch in batches:
            exporter.write_batch(batch)
    warnings = {each.code: each.count for each in exporter.warnings}
    return File(sink.getvalue(), exporter.sheets or 0, warnings)


def refused(
    schema: pa.Schema,
    message: str,
    columns: Sequence[ColumnOptions] = (),
    error: type[ExporterError] = InvalidOptions,
    **options: Any,
) -> None:
    """Options must be refused with `message` before a byte is written or a batch is taken."""
    sink = io.BytesIO()
    with pytest.raises(error, match=re.escape(message)):
        _open_exporter("xlsx", sink, schema, columns, XlsxOptions.parse(options), _workers())
    assert sink.getvalue() == b""

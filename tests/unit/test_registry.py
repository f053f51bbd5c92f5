import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from exporters import (
    ArrowOptions,
    CsvOptions,
    FormatOptions,
    InvalidOptions,
    NdjsonOptions,
    ParquetOptions,
    Workers,
    XlsxOptions,
    find_format,
    formats,
    formats_by_extension,
    open_exporter,
)
from exporters.arrow.exporter import ArrowExporter
from exporters.csv.exporter import CsvExporter
from exporters.ndjson.exporter import NdjsonExporter
from exporters.parquet.exporter import ParquetExporter
from exporters.xlsx.exporter import XlsxExporter

ALL = "arrow, csv, ndjson, parquet, xlsx"
SCHEMA = pa.schema([("n", pa.int8())])

THIRD_PARTY = """
from exporters import CsvOptions, Format
from exporters.csv.exporter import CsvExporter

class Options(CsvOptions):
    other_extensions = frozenset({{{extension!r}}})

FORMAT = Format({name!r}, "text/plain", Options, CsvExporter)
"""


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(threads=1) as workers:
        yield workers


@pytest.fixture
def fresh_formats() -> Iterator[None]:
    """Formats looked for anew, now and by whoever asks next."""
    for cached in (formats, formats_by_extension):
        cached.cache_clear()
    yield
    for cached in (formats, formats_by_extension):
        cached.cache_clear()


def install(site: Path, name: str, extension: str = "3rd") -> None:
    """A distribution on the path that adds a format called `name`."""
    (site / "third_party_format.py").write_text(
        THIRD_PARTY.format(name=name, extension=extension), encoding="utf-8"
    )
    info = site / "third_party-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[export_middleware.formats]\nthird = third_party_format:FORMAT\n"
    )


@pytest.mark.parametrize(
    ("name", "content_type", "options"),
    [
        ("csv", "text/csv; charset=utf-8", CsvOptions),
        ("ndjson", "application/x-ndjson", NdjsonOptions),
        ("parquet", "application/vnd.apache.parquet", ParquetOptions),
        ("arrow", "application/vnd.apache.arrow.file", ArrowOptions),
        (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            XlsxOptions,
        ),
    ],
)
def test_a_built_in_format_is_there(name: str, content_type: str, options: type) -> None:
    found = find_format(name)
    assert (found.name, found.content_type, found.options) == (name, content_type, options)
    assert found.options.format_name == name
    assert formats()[name] is found


def test_an_unknown_format_is_answered_with_the_nearest_and_all() -> None:
    message = rf"^unknown format 'xls'; did you mean 'xlsx'\?; available: {ALL}$"
    with pytest.raises(InvalidOptions, match=message):
        find_format("xls")


def test_a_format_like_none_is_answered_with_all() -> None:
    with pytest.raises(InvalidOptions, match=rf"^unknown format 'pdf'; available: {ALL}$"):
        find_format("pdf")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("csv", CsvOptions(), CsvExporter),
        ("xlsx", XlsxOptions(), XlsxExporter),
        ("ndjson", NdjsonOptions(), NdjsonExporter),
        ("parquet", ParquetOptions(), ParquetExporter),
        ("arrow", ArrowOptions(), ArrowExporter),
    ],
)
def test_an_exporter_is_opened_by_the_name_of_its_format(
    name: str, options: FormatOptions, kind: type, workers: Workers
) -> None:
    assert isinstance(open_exporter(name, io.BytesIO(), SCHEMA, (), options, workers), kind)


@pytest.mark.usefixtures("fresh_formats")
def test_a_third_party_adds_a_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: Workers
) -> None:
    install(tmp_path, "third")
    monkeypatch.syspath_prepend(tmp_path)
    sink = io.BytesIO()
    with open_exporter("third", sink, SCHEMA, (), CsvOptions(), workers) as exporter:
        exporter.write_batch(pa.record_batch([[7]], schema=SCHEMA))
    assert sink.getvalue() == b'"n"\n7\n'
    assert formats_by_extension()["3rd"] is formats_by_extension()["third"] is find_format("third")


@pytest.mark.usefixtures("fresh_formats")
def test_a_name_that_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "csv")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "third_party_format", raising=False)
    message = (
        r"^the formats 'csv' and 'csv' both have files that end in \.csv; uninstall one of them$"
    )
    with pytest.raises(ValueError, match=message):
        formats()


@pytest.mark.parametrize("extension", ["xlsx", "jsonl"])
@pytest.mark.usefixtures("fresh_formats")
def test_an_extension_that_is_taken_is_refused(
    extension: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "third", extension)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "third_party_format", raising=False)
    with pytest.raises(
        ValueError, match=rf" and 'third' both have files that end in .{extension};"
    ):
        formats()


@pytest.mark.parametrize(("extension", "name"), [("jsonl", "ndjson"), ("feather", "arrow")])
def test_a_format_has_other_extensions_too(extension: str, name: str) -> None:
    assert formats_by_extension()[extension] is find_format(name)

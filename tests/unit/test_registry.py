import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from exporters import (
    CsvOptions,
    InvalidOptions,
    Workers,
    XlsxOptions,
    find_format,
    formats,
    open_exporter,
)
from exporters.csv.exporter import CsvExporter
from exporters.xlsx.exporter import XlsxExporter

SCHEMA = pa.schema([("n", pa.int8())])

THIRD_PARTY = """
from exporters import CsvOptions, Format
from exporters.csv.exporter import CsvExporter

FORMAT = Format({name!r}, "text/plain", CsvOptions, CsvExporter)
"""


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(threads=1) as workers:
        yield workers


@pytest.fixture
def fresh_formats() -> Iterator[None]:
    """Formats looked for anew, now and by whoever asks next."""
    formats.cache_clear()
    yield
    formats.cache_clear()


def install(site: Path, name: str) -> None:
    """A distribution on the path that adds a format called `name`."""
    (site / "third_party_format.py").write_text(THIRD_PARTY.format(name=name), encoding="utf-8")
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
    message = r"^unknown format 'xls'; did you mean 'xlsx'\?; available: csv, xlsx$"
    with pytest.raises(InvalidOptions, match=message):
        find_format("xls")


def test_a_format_like_none_is_answered_with_all() -> None:
    with pytest.raises(InvalidOptions, match=r"^unknown format 'pdf'; available: csv, xlsx$"):
        find_format("pdf")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [("csv", CsvOptions(), CsvExporter), ("xlsx", XlsxOptions(), XlsxExporter)],
)
def test_an_exporter_is_opened_by_the_name_of_its_format(
    name: str, options: CsvOptions | XlsxOptions, kind: type, workers: Workers
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


@pytest.mark.usefixtures("fresh_formats")
def test_a_name_that_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "csv")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "third_party_format", raising=False)
    with pytest.raises(ValueError, match=r"two formats are called 'csv'"):
        formats()

"""Each case as code: given the table and the path, what is done while the clock runs.

Everything before that, such as turning the table into the kind of data that a peer takes, is not
timed. Peers are imported by their own case only: what one of them sets up is not another's.
"""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.features import Feature, workbooks
from benchmarks.ours import write_file

Work = Callable[[], object]
Prepare = Callable[[pa.Table, Path], Work]


def _ours(format_name: str, **options: Any) -> Prepare:
    def prepare(table: pa.Table, path: Path) -> Work:
        batches = table.to_batches()
        return lambda: write_file(format_name, table.schema, batches, path, options)

    return prepare


def _workbook(feature: Feature) -> Prepare:
    def prepare(table: pa.Table, path: Path) -> Work:
        chosen = table.select(feature.columns)
        batches = chosen.to_batches()
        options, formats = feature.options, feature.formats
        return lambda: write_file("xlsx", chosen.schema, batches, path, options, formats)

    return prepare


def _durable(format_name: str) -> Prepare:
    def prepare(table: pa.Table, path: Path) -> Work:
        from exporters import Workers, find_format, open_exporter
        from flight_server.storage.spool import SpoolFile

        options = find_format(format_name).options.parse({})
        batches = table.to_batches()

        def work() -> None:
            spool = SpoolFile(path.parent, path.name.replace(".", "-"), 0)
            with Workers() as workers:
                with open_exporter(
                    format_name, spool, table.schema, (), options, workers
                ) as exporter:
                    for batch in batches:
                        exporter.write_batch(batch)
                spool.seal()
            spool.path.replace(path)

        return work

    return prepare


def _xlsxwriter(table: pa.Table, path: Path) -> Work:
    import xlsxwriter

    rows = _python_rows(table)

    def work() -> None:
        options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        with xlsxwriter.Workbook(path, options) as book:
            sheet = book.add_worksheet()
            for column, name in enumerate(table.column_names):
                sheet.write(0, column, name)
            for row, values in enumerate(rows, start=1):
                for column, value in enumerate(values):
                    sheet.write(row, column, value)

    return work


def _polars_excel(table: pa.Table, path: Path) -> Work:
    frame = _frame(table)
    return lambda: frame.write_excel(path)


def _jetxl(table: pa.Table, path: Path) -> Work:
    import jetxl

    whole = table.combine_chunks()
    return lambda: jetxl.write_sheet_arrow(whole, str(path))


def _rustpy(table: pa.Table, path: Path) -> Work:
    import rustpy_xlsxwriter

    whole = table.combine_chunks()
    return lambda: rustpy_xlsxwriter.write_worksheet(whole, str(path))


def _polars_csv(table: pa.Table, path: Path) -> Work:
    frame = _frame(table)
    return lambda: frame.write_csv(path)


def _polars_ndjson(table: pa.Table, path: Path) -> Work:
    frame = _frame(table)
    return lambda: frame.write_ndjson(path)


def _duckdb(table: pa.Table, path: Path) -> Work:
    import duckdb

    connection = duckdb.connect()
    connection.register("source", table)
    target = str(path).replace("'", "''")
    return lambda: connection.execute(f"COPY source TO '{target}' (FORMAT csv, HEADER)")


def _python_csv(table: pa.Table, path: Path) -> Work:
    rows = _python_rows(table)

    def work() -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.column_names)
            writer.writerows(rows)

    return work


def _python_gzip(level: int) -> Prepare:
    def prepare(table: pa.Table, path: Path) -> Work:
        import gzip

        write_file("csv", table.schema, table.to_batches(), path)
        text = path.read_bytes()

        def work() -> None:
            with gzip.open(path, "wb", compresslevel=level) as file:
                file.write(text)

        return work

    return prepare


def _frame(table: pa.Table) -> Any:
    import polars as pl

    return pl.DataFrame(pl.from_arrow(table)).rechunk()


def _python_rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


WORK: Final[Mapping[str, Prepare]] = {
    "ours-xlsx": _ours("xlsx"),
    "ours-csv": _ours("csv"),
    "ours-csv-minimal": _ours("csv", quoting="minimal"),
    "ours-csv-gb18030": _ours("csv", encoding="gb18030"),
    "ours-csv-gzip": _ours("csv", compression="gzip"),
    "ours-ndjson": _ours("ndjson"),
    "durable-xlsx": _durable("xlsx"),
    "durable-csv": _durable("csv"),
    "xlsxwriter": _xlsxwriter,
    "polars-excel": _polars_excel,
    "jetxl": _jetxl,
    "rustpy": _rustpy,
    "polars-csv": _polars_csv,
    "polars-ndjson": _polars_ndjson,
    "duckdb": _duckdb,
    "python-csv": _python_csv,
    "python-gzip": _python_gzip(9),
    "python-gzip-1": _python_gzip(1),
    **{name: _workbook(feature) for name, feature in workbooks().items()},
}
"""By the names in `cases.py` and `features.py`."""

"""What is measured, and how much of it."""

from dataclasses import dataclass
from typing import Final, Literal

FormatName = Literal["csv", "ndjson", "xlsx"]


@dataclass(frozen=True)
class Case:
    """One way to write one table to one file."""

    name: str
    format: FormatName
    title: str
    package: str
    """The distribution that does it, whose version stands in the results."""
    slow: bool = False
    """Measured on fewer rows and in fewer rounds, and compared by rows a second."""


OUR_PACKAGE: Final = "export-middleware"

OURS_XLSX: Final = Case("ours-xlsx", "xlsx", "Export Middleware", OUR_PACKAGE)
OURS_CSV: Final = Case("ours-csv", "csv", "Export Middleware, `strings` (the default)", OUR_PACKAGE)
OURS_CSV_MINIMAL: Final = Case(
    "ours-csv-minimal", "csv", "Export Middleware, `minimal`", OUR_PACKAGE
)
OURS_CSV_GB18030: Final = Case(
    "ours-csv-gb18030", "csv", "Export Middleware, in GB18030", OUR_PACKAGE
)
OURS_CSV_GZIP: Final = Case("ours-csv-gzip", "csv", "Export Middleware, with gzip", OUR_PACKAGE)
OURS_NDJSON: Final = Case("ours-ndjson", "ndjson", "Export Middleware, NDJSON", OUR_PACKAGE)
XLSXWRITER: Final = Case(
    "xlsxwriter", "xlsx", "XlsxWriter, `constant_memory`, a write per cell", "xlsxwriter", slow=True
)
POLARS_EXCEL: Final = Case("polars-excel", "xlsx", "polars `write_excel`", "polars", slow=True)
JETXL: Final = Case("jetxl", "xlsx", "jetxl `write_sheet_arrow`", "jetxl")
RUSTPY: Final = Case(
    "rustpy", "xlsx", "rustpy-xlsxwriter `write_worksheet`", "rustpy-xlsxwriter", slow=True
)
POLARS_CSV: Final = Case("polars-csv", "csv", "polars `write_csv`, whole frame", "polars")
POLARS_NDJSON: Final = Case(
    "polars-ndjson", "ndjson", "polars `write_ndjson`, whole frame", "polars"
)
DUCKDB: Final = Case("duckdb", "csv", "DuckDB `COPY`", "duckdb")
PYTHON_CSV: Final = Case("python-csv", "csv", "Python `csv.writer`", "python", slow=True)

PYTHON_GZIP: Final = Case(
    "python-gzip", "csv", "Python `gzip` of the same bytes, ready", "python", slow=True
)
"""Of the file of `OURS_CSV`: its time has no formatting in it, that of `OURS_CSV_GZIP` does."""
PYTHON_GZIP_1: Final = Case("python-gzip-1", "csv", "the same with level 1", "python", slow=True)

DURABLE_XLSX: Final = Case(
    "durable-xlsx", "xlsx", "Excel into a durable file with its checksum", OUR_PACKAGE
)
DURABLE_CSV: Final = Case(
    "durable-csv", "csv", "CSV into a durable file with its checksum", OUR_PACKAGE
)
"""The exporter and the server's spool in one process: the whole way without client and Flight."""

CASES: Final = (
    OURS_XLSX,
    JETXL,
    RUSTPY,
    XLSXWRITER,
    POLARS_EXCEL,
    OURS_CSV,
    OURS_CSV_MINIMAL,
    OURS_CSV_GB18030,
    OURS_CSV_GZIP,
    POLARS_CSV,
    DUCKDB,
    PYTHON_CSV,
    PYTHON_GZIP,
    PYTHON_GZIP_1,
    OURS_NDJSON,
    POLARS_NDJSON,
)

PEERS: Final = tuple(case for case in CASES if case.package != OUR_PACKAGE)

WHOLE_WAY_XLSX: Final = Case("whole-way-xlsx", "xlsx", "Excel, the whole way", OUR_PACKAGE)
WHOLE_WAY_CSV: Final = Case("whole-way-csv", "csv", "CSV, the whole way", OUR_PACKAGE)
STAGES: Final = (
    (DURABLE_XLSX, OURS_XLSX),
    (WHOLE_WAY_XLSX, OURS_XLSX),
    (DURABLE_CSV, OURS_CSV),
    (WHOLE_WAY_CSV, OURS_CSV),
)
"""What is added to the bare exporter, step by step; each with the exporter it is compared with."""

WHOLE_WAYS: Final = ((WHOLE_WAY_XLSX, OURS_XLSX), (WHOLE_WAY_CSV, OURS_CSV))
"""Client, Flight, file, checksum and link; each with the exporter that it is compared with."""

SIZE_TINY: Final = Case("size-tiny", "xlsx", "so few that fixed costs count", OUR_PACKAGE)
SIZE_SHORT: Final = Case("size-short", "xlsx", "short", OUR_PACKAGE)
SIZE_MAIN: Final = Case("size-main", "xlsx", "the main case", OUR_PACKAGE)
SIZE_TALL: Final = Case("size-tall", "xlsx", "tall: several sheets", OUR_PACKAGE)
SIZES: Final = (SIZE_TINY, SIZE_SHORT, SIZE_MAIN, SIZE_TALL)
"""The main table in four lengths, read batch by batch: it is never in memory as a whole."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rows: int
    slow_rows: int
    rounds: int
    slow_rounds: int
    memory_formats: tuple[FormatName, ...]
    memory_rows: tuple[int, ...]
    """From a short export to a long one."""
    settle_seconds: float
    """How long a server is left alone before its idle memory is taken."""
    exports: int
    """Exports that run at once while the status is asked for."""
    export_rows: int
    detail_rounds: int
    """How often features, shapes and sizes are run, and the profile is taken."""
    size_rows: tuple[int, ...]
    """The rows of `SIZES`."""
    part_size: str = "10 MiB"
    """Of the parts in which a file goes to the store."""
    shape_share: float = 1.0
    """What part of a shape's rows is written."""
    smoke: bool = False
    """Whether it only shows that the benchmarks still work; its figures mean nothing."""

    def rows_of(self, case: Case) -> int:
        """The rows that a case writes."""
        return self.slow_rows if case.slow else self.rows

    def rounds_of(self, case: Case) -> int:
        """How often a case is run."""
        return self.slow_rounds if case.slow else self.rounds


FULL: Final = Plan(
    rows=1_000_000,
    slow_rows=100_000,
    rounds=5,
    slow_rounds=3,
    memory_formats=("csv", "xlsx"),
    memory_rows=(100_000, 1_000_000, 5_000_000),
    settle_seconds=1.0,
    exports=10,
    export_rows=300_000,
    detail_rounds=3,
    size_rows=(10_000, 100_000, 1_000_000, 5_000_000),
)

QUICK: Final = Plan(
    rows=10_000,
    slow_rows=1_000,
    rounds=1,
    slow_rounds=1,
    memory_formats=("xlsx",),
    memory_rows=(1_000, 10_000),
    settle_seconds=0.1,
    exports=4,
    export_rows=5_000,
    detail_rounds=1,
    size_rows=(500, 1_000, 5_000, 10_000),
    part_size="100 KiB",
    shape_share=0.005,
    smoke=True,
)

import os
import subprocess
import sys

import exporters


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    environ = {key: value for key, value in os.environ.items() if key != "POLARS_MAX_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_the_public_names_are_these() -> None:
    assert exporters.__all__ == [
        "ArrowOptions",
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
        "NdjsonOptions",
        "ParquetOptions",
        "UnsupportedType",
        "Workers",
        "XlsxOptions",
        "find_format",
        "formats",
        "formats_by_extension",
        "open_exporter",
    ]


def test_every_public_name_exists_and_is_documented() -> None:
    for name in exporters.__all__:
        assert getattr(exporters, name).__doc__


def test_every_error_has_the_one_root() -> None:
    errors = [getattr(exporters, name) for name in exporters.__all__ if name.startswith("Invalid")]
    errors += [exporters.LimitExceeded, exporters.UnsupportedType]
    assert all(issubclass(error, exporters.ExporterError) for error in errors)


def test_polars_leaves_the_cores_to_the_workers() -> None:
    assert run("import exporters, polars; print(polars.thread_pool_size())") == "1"


def test_exporters_know_nothing_of_the_service() -> None:
    program = (
        "import sys, exporters; "
        "print([name for name in sys.modules if name.startswith(('flight_server', 'pyarrow._fl'))])"
    )
    assert run(program) == "[]"

import io
import zipfile

import pyarrow as pa
import pytest

from exporters import CsvOptions, LimitExceeded
from exporters.packing import files
from exporters.packing.files import PackedFiles


def numbers(count: int) -> pa.RecordBatch:
    return pa.record_batch({"n": range(count)})


def opened(sink: io.BytesIO | None = None, **options: object) -> PackedFiles:
    parsed = CsvOptions.parse(options).for_file("a.csv")
    return PackedFiles(sink or io.BytesIO(), parsed, b"head\n")


def cut(of: PackedFiles, *sizes: int) -> list[tuple[int, list[int]]]:
    return [
        (file, rows.column(0).to_pylist()) for size in sizes for file, rows in of.cut(numbers(size))
    ]


def test_one_file_takes_every_block_as_it_is() -> None:
    assert cut(opened(), 2, 1) == [(0, [0, 1]), (0, [0])]


def test_blocks_are_cut_exactly_where_files_end() -> None:
    assert cut(opened(rows_per_file=3), 2, 5, 2) == [
        (0, [0, 1]),
        (0, [0]),
        (1, [1, 2, 3]),
        (2, [4]),
        (2, [0, 1]),
    ]


def test_rows_without_end_are_one_file() -> None:
    assert cut(opened(rows_per_file=10**30), 2, 1) == [(0, [0, 1]), (0, [0])]


def test_files_that_a_number_cannot_count_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    of = opened(rows_per_file=2)
    assert len(cut(of, 4)) == 2
    with pytest.raises(LimitExceeded, match=r"more than 2 files; raise options.rows_per_file"):
        cut(of, 1)


def test_the_head_stands_at_the_beginning_of_each_file_and_of_one_without_rows() -> None:
    sink = io.BytesIO()
    of = opened(sink, rows_per_file=2)
    for file in (0, 0, 1):
        of.write(of.pack(file, b"row\n"))
    of.finish()
    with zipfile.ZipFile(sink) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    assert contents == [b"head\nrow\nrow\n", b"head\nrow\n"]

    empty = io.BytesIO()
    opened(empty).finish()
    assert empty.getvalue() == b"head\n"

"""CSV that is compressed, or several files in a zip."""

import gzip
import io
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from exporters import CsvOptions, Exporter, Workers, open_exporter
from exporters.base import Data

ROWS = 100_000
TABLE = pa.table({"n": range(ROWS), "t": [f"名 {n:06}" for n in range(ROWS)]})
SCHEMA = TABLE.schema
SUFFIXES = {"none": "", "gzip": ".gz", "zstd": ".zst", "zip": ".zip"}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers
        assert workers.in_flight == 0


def opened(sink: Any, workers: Workers, filename: str, **options: Any) -> Exporter:
    parsed = CsvOptions.parse(options).for_file(filename)
    return open_exporter("csv", sink, SCHEMA, (), parsed, workers)


def written(
    workers: Workers,
    rows: int = ROWS,
    chunk: int = 7_000,
    filename: str = "orders.csv",
    **options: Any,
) -> bytes:
    sink = io.BytesIO()
    with opened(sink, workers, filename, **options) as exporter:
        for batch in TABLE.slice(0, rows).to_batches(max_chunksize=chunk):
            exporter.write_batch(batch)
    assert exporter.rows_written == rows
    assert exporter.warnings == ()
    return sink.getvalue()


def files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def plain(workers: Workers) -> bytes:
    return written(workers)


def test_gzip_is_the_plain_file_in_one_member(workers: Workers, plain: bytes) -> None:
    data = written(workers, compression="gzip")
    assert gzip.decompress(data) == plain
    assert zlib.decompress(data, 31) == plain
    assert len(data) < len(plain) / 2


def test_zstd_is_the_plain_file_in_one_frame(workers: Workers, plain: bytes) -> None:
    data = written(workers, compression="zstd")
    assert pa.Codec("zstd").decompress(data, len(plain), asbytes=True) == plain
    assert len(data) < len(plain) / 2


def test_zip_is_the_plain_file_in_one_entry(workers: Workers, plain: bytes) -> None:
    assert files(written(workers, compression="zip")) == {"orders.csv": plain}


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_readers_of_csv_decompress_it_whole(
    workers: Workers, compression: str, tmp_path: Path
) -> None:
    path = tmp_path / f"orders.csv{SUFFIXES[compression]}"
    path.write_bytes(written(workers, compression=compression))
    assert pacsv.read_csv(path).equals(TABLE)
    assert pl.read_csv(path).to_arrow()["n"].to_pylist() == TABLE["n"].to_pylist()
    [counted] = duckdb.sql(f"SELECT count(*), sum(n) FROM read_csv('{path}')").fetchall()
    assert counted == (ROWS, ROWS * (ROWS - 1) // 2)


@pytest.mark.parametrize("compression", SUFFIXES)
def test_no_rows_are_a_file_of_the_header(workers: Workers, compression: str) -> None:
    data = written(workers, rows=0, compression=compression)
    if compression == "none":
        assert data == b'"n","t"\n'
    elif compression == "gzip":
        assert gzip.decompress(data) == b'"n","t"\n'
    elif compression == "zstd":
        assert pa.CompressedInputStream(pa.BufferReader(data), "zstd").read() == b'"n","t"\n'
    else:
        assert files(data) == {"orders.csv": b'"n","t"\n'}


@pytest.mark.parametrize("compression", SUFFIXES)
def test_the_same_data_makes_the_same_bytes_in_every_run(
    workers: Workers, compression: str
) -> None:
    assert written(workers, compression=compression) == written(workers, compression=compression)


class TestFiles:
    def test_each_has_its_rows_and_the_header(self, workers: Workers) -> None:
        found = files(written(workers, rows_per_file=30_001))
        assert list(found) == [f"orders-000{number}.csv" for number in (1, 2, 3, 4)]
        ids = [pacsv.read_csv(io.BytesIO(data))["n"].to_pylist() for data in found.values()]
        assert [len(each) for each in ids] == [30_001, 30_001, 30_001, ROWS - 90_003]
        assert [n for each in ids for n in each] == list(range(ROWS))

    @pytest.mark.parametrize("rows", [8_192, 16_384])
    def test_one_that_is_just_full_is_followed_by_no_empty_one(
        self, workers: Workers, rows: int
    ) -> None:
        assert len(files(written(workers, rows=rows, chunk=8_192, rows_per_file=8_192))) == (
            rows // 8_192
        )

    def test_one_row_each_is_possible(self, workers: Workers) -> None:
        found = files(written(workers, rows=12, rows_per_file=1, header=False))
        assert list(found)[8:10] == ["orders-0009.csv", "orders-0010.csv"]
        assert b"".join(found.values()).count(b"\n") == 12

    def test_no_rows_are_one_file_with_the_header(self, workers: Workers) -> None:
        found = files(written(workers, rows=0, rows_per_file=5))
        assert found == {"orders-0001.csv": b'"n","t"\n'}

    def test_more_rows_than_there_are_make_one(self, workers: Workers, plain: bytes) -> None:
        assert files(written(workers, rows_per_file=10**20)) == {"orders-0001.csv": plain}

    def test_the_cut_of_the_stream_leaves_no_trace(self, workers: Workers) -> None:
        one, other = (written(workers, chunk=each, rows_per_file=9_999) for each in (99, 50_000))
        assert files(one) == files(other)

    def test_a_name_in_chinese_survives(self, workers: Workers) -> None:
        found = files(written(workers, rows=3, filename="订单.zip", rows_per_file=2))
        assert list(found) == ["订单-0001.csv", "订单-0002.csv"]


@pytest.mark.parametrize("compression", SUFFIXES)
class TestFailure:
    def test_of_the_stream_leaves_nothing_in_flight(
        self, workers: Workers, compression: str
    ) -> None:
        def export() -> None:
            with opened(io.BytesIO(), workers, "a.csv", compression=compression) as exporter:
                for batch in TABLE.to_batches(max_chunksize=20_000):
                    exporter.write_batch(batch)
                raise KeyError("stop")

        with pytest.raises(KeyError, match="stop"):
            export()
        assert workers.in_flight == 0

    def test_of_the_sink_fails_the_export(self, workers: Workers, compression: str) -> None:
        class FullDisk:
            def write(self, data: Data) -> None:
                raise OSError("disk full")

        with (
            pytest.raises(OSError, match="disk full"),
            opened(FullDisk(), workers, "a.csv", compression=compression) as exporter,
        ):
            exporter.write_batch(TABLE.to_batches()[0])
        assert workers.in_flight == 0

    def test_leaves_no_thread_but_the_workers(self, workers: Workers, compression: str) -> None:
        written(workers, rows=20_000, compression=compression)
        before = threading.active_count()
        exporter = opened(io.BytesIO(), workers, "a.csv", compression=compression)
        exporter.write_batch(TABLE.to_batches()[0])
        exporter.discard()
        exporter.discard()
        assert threading.active_count() == before
        assert workers.in_flight == 0


def packed_text(block: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    with Workers(threads=1) as workers, opened(sink, workers, "a.csv") as exporter:
        exporter.write_batch(block)
    return sink.getvalue()


@pytest.mark.parametrize("compression", SUFFIXES)
def test_what_is_in_flight_is_estimated_from_the_values(compression: str) -> None:
    """A block of numbers; what is packed stands beside the text that it is made of."""
    with Workers(threads=1) as workers:
        exporter = opened(io.BytesIO(), workers, "a.csv", compression=compression)
        block = TABLE.slice(0, 12_000).to_batches()[0]
        exporter.write_batch(block)
        text = len(packed_text(block))
        copies = 1 if compression == "none" else 2
        assert workers.in_flight >= block.nbytes + text * copies
        assert workers.in_flight <= 4 * text * copies
        exporter.discard()


def test_blocks_come_in_order_from_as_many_threads_as_there_are() -> None:
    with Workers(threads=4) as workers:
        data = written(workers, chunk=ROWS, compression="gzip")
    assert pacsv.read_csv(io.BytesIO(gzip.decompress(data)))["n"].to_pylist() == list(range(ROWS))

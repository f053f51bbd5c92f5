"""Compressed exports from the Flight call to the file that a browser or a client stores."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from export_client import ExportClient, InvalidRequest
from tests.support.exports import Put, batch, csv_of, export
from tests.support.site import Running

ROWS = 30_000
PLAIN = csv_of(ROWS)


def unzstd(data: bytes) -> bytes:
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()


def unzipped(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["订单.csv"]
        return archive.read("订单.csv")


READERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    ".gz": ("gzip", gzip.decompress),
    ".zst": ("zstd", unzstd),
    ".zip": ("zip", unzipped),
}


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("by", ["its name", "an option"])
def test_the_link_gives_what_was_asked_for_under_its_name(
    server: Running, suffix: str, by: str
) -> None:
    compression, read = READERS[suffix]
    if by == "its name":
        task = export(server.client, ROWS, filename=f"订单.csv{suffix}")
    else:
        task = export(
            server.client, ROWS, filename="订单.csv", options={"compression": compression}
        )
    assert task["filename"] == f"订单.csv{suffix}"
    assert task["format"] == "csv"
    answer = server.web.get(task["url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"application/{compression}"
    assert "content-encoding" not in answer.headers
    disposition = answer.headers["content-disposition"]
    assert disposition.endswith(f"filename*=UTF-8''%E8%AE%A2%E5%8D%95.csv{suffix}")
    assert len(answer.content) == task["size_bytes"] < len(PLAIN) / 2
    assert read(answer.content) == PLAIN


def test_files_come_in_one_zip(server: Running) -> None:
    task = export(server.client, 25, filename="orders.csv", options={"rows_per_file": 10})
    assert task["filename"] == "orders.csv.zip"
    with zipfile.ZipFile(io.BytesIO(server.web.get(task["url"]).content)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert list(contents) == [f"orders-000{number}.csv" for number in (1, 2, 3)]
    assert contents["orders-0001.csv"] == csv_of(10)
    assert sum(data.count(b"\n") for data in contents.values()) == 25 + 3


def test_a_path_may_tell_a_compression(server: Running) -> None:
    put = Put.of_path(server.client, "orders.csv.gz")
    put.send_and_commit(3)
    task = put.result()
    assert gzip.decompress(server.web.get(task["url"]).content) == csv_of(3)


def test_the_client_stores_it_under_the_name_that_it_has(server: Running, tmp_path: Path) -> None:
    table = pa.Table.from_batches([batch(3)])
    with ExportClient(server.flight, timeout=20) as client:
        for name, options in (("a.csv.gz", {}), ("b.csv", {"compression": "gzip"})):
            path = client.download(client.export(table, name, options=options), tmp_path)
            assert gzip.decompress(path.read_bytes()) == csv_of(3)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv.gz", "b.csv.gz"]
        with pytest.raises(InvalidRequest, match=r"'a.csv.gz' ends in .gz"):
            client.export(table, "a.csv.gz", compression="zip")


def test_the_same_file_asked_for_in_another_way_is_the_same_export(server: Running) -> None:
    first = export(server.client, 3, filename="a.csv.gz", request_id="either way")
    put = Put(
        server.client,
        {"filename": "a.csv", "options": {"compression": "gzip"}, "request_id": "either way"},
    )
    assert put.result()["task_id"] == first["task_id"]


def test_what_is_cut_off_leaves_nothing(server: Running) -> None:
    put = Put.opened(server.client, filename="a.csv.gz")
    put.send(ROWS)
    put.drop()
    server.assert_failed(put.task_id, "INCOMPLETE_STREAM")


def test_the_formats_are_described_with_their_compressions(server: Running) -> None:
    options = server.actions.one("formats")["csv"]["options"]
    assert options["compression"]["enum"] == ["none", "gzip", "zstd", "zip"]
    assert options["rows_per_file"]["default"] is None

"""What is compressed or split is the plain file, whatever is sent and however it comes."""

import gzip
import io
import zipfile
import zlib

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import CsvOptions
from tests.property.strategies import Sent, tables
from tests.property.test_csv_round_trip import written

OPTIONS = st.fixed_dictionaries(
    {"header": st.booleans(), "quoting": st.sampled_from(["strings", "minimal"])}
)


def parsed(options: dict[str, object], **more: object) -> CsvOptions:
    return CsvOptions.parse({**options, **more}).for_file("a.csv")


def files(data: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        return [archive.read(name) for name in archive.namelist()]


@given(tables(), OPTIONS)
@settings(max_examples=100, deadline=None)
def test_every_compression_holds_the_plain_file(sent: Sent, options: dict[str, object]) -> None:
    plain = written(sent, parsed(options))
    packed = written(sent, parsed(options, compression="gzip"))
    assert gzip.decompress(packed) == zlib.decompress(packed, 31) == plain
    frame = pa.BufferReader(written(sent, parsed(options, compression="zstd")))
    assert pa.CompressedInputStream(frame, "zstd").read() == plain
    assert files(written(sent, parsed(options, compression="zip"))) == [plain]


@given(tables(), OPTIONS, st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_files_are_what_exports_of_their_rows_would_be(
    sent: Sent, options: dict[str, object], rows: int
) -> None:
    table = pa.Table.from_batches(sent.batches, sent.schema)
    expected = [
        written(
            Sent(
                sent.kinds,
                tuple(values[start : start + rows] for values in sent.columns),
                sent.schema,
                tuple(table.slice(start, rows).to_batches()),
            ),
            parsed(options),
        )
        for start in range(0, max(sent.rows, 1), rows)
    ]
    assert files(written(sent, parsed(options, rows_per_file=rows))) == expected

import threading
from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree as ET

import polars as pl
import pyarrow as pa
import pytest

from exporters import XlsxOptions
from exporters.columns import Projection
from exporters.xlsx.layout import Layout
from exporters.xlsx.markup import _data_buffers
from exporters.xlsx.rows import RowWriter
from tests.support.workbooks import Styles


def writer_of(batch: pa.RecordBatch, styles: Sequence[int] | None = None) -> RowWriter:
    layout = Layout(Projection(batch.schema), XlsxOptions())
    return RowWriter(layout, Styles(tuple(styles or [0] * batch.num_columns)))


def rows_of(batch: pa.RecordBatch, first_row: int = 2, styles: Sequence[int] | None = None) -> str:
    return joined(writer_of(batch, styles), batch, first_row)


def joined(writer: RowWriter, batch: pa.RecordBatch, first_row: int = 2) -> str:
    rows = writer.write(Projection(batch.schema).apply(batch), first_row)
    assert rows.count == batch.num_rows
    return b"".join(bytes(memoryview(piece)) for piece in rows.xml).decode()


def test_a_row_holds_its_cells_by_their_places() -> None:
    batch = pa.record_batch({"n": [1, 2], "t": ["a", "b"]})
    assert rows_of(batch) == (
        '<row r="2"><c r="A2"><v>1</v></c><c t="inlineStr" r="B2"><is><t>a</t></is></c></row>'
        '<row r="3"><c r="A3"><v>2</v></c><c t="inlineStr" r="B3"><is><t>b</t></is></c></row>'
    )


def test_rows_are_numbered_from_the_first() -> None:
    batch = pa.record_batch({"n": [1, 2]})
    assert rows_of(batch, 1_048_575) == (
        '<row r="1048575"><c r="A1048575"><v>1</v></c></row>'
        '<row r="1048576"><c r="A1048576"><v>2</v></c></row>'
    )


def test_a_style_stands_in_every_cell_of_its_column() -> None:
    batch = pa.record_batch({"n": [1], "day": [date(2024, 2, 29)]})
    assert rows_of(batch, styles=[0, 7]) == (
        '<row r="2"><c r="A2"><v>1</v></c><c s="7" r="B2"><v>45351</v></c></row>'
    )


def test_a_text_has_its_columns_style_too() -> None:
    batch = pa.record_batch({"t": ["a"]})
    assert '<c s="3" t="inlineStr" r="A2">' in rows_of(batch, styles=[3])


def test_a_null_is_no_cell_and_moves_no_other() -> None:
    batch = pa.record_batch({"a": [None, 1], "b": ["x", None], "c": [None, None]})
    assert rows_of(batch) == (
        '<row r="2"><c t="inlineStr" r="B2"><is><t>x</t></is></c></row>'
        '<row r="3"><c r="A3"><v>1</v></c></row>'
    )


@pytest.mark.parametrize(("place", "letters"), [(25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_beyond_z_have_more_letters(place: int, letters: str) -> None:
    batch = pa.record_batch({str(column): [column] for column in range(place + 1)})
    assert f'<c r="{letters}2"><v>{place}</v></c></row>' in rows_of(batch)


def test_a_wide_row_keeps_every_column_in_order() -> None:
    batch = pa.record_batch({str(n): [n if n % 7 else None] * 3 for n in range(300)})
    for row in ET.fromstring(f"<rows>{rows_of(batch)}</rows>"):
        assert [int(cell.findtext("v", "")) for cell in row] == [n for n in range(300) if n % 7]


@pytest.mark.parametrize("rows", [1, 2, 8_192, 20_000])
def test_the_buffers_together_are_every_row_in_order(rows: int) -> None:
    batch = pa.record_batch({"n": range(rows), "t": ["text"] * rows})
    found = ET.fromstring(f"<rows>{rows_of(batch)}</rows>")
    assert [int(row.findtext("c/v", "")) for row in found] == list(range(rows))


def test_rows_that_fit_into_a_view_are_not_lost() -> None:
    """polars keeps texts of up to 12 bytes outside its data buffers; no row is that short."""
    batch = pa.record_batch({"n": pa.array([None, None], pa.int8())})
    assert rows_of(batch, 1) == '<row r="1"></row><row r="2"></row>'


def test_a_writer_takes_blocks_of_every_kind_in_turn() -> None:
    """What one block needs, nulls, escapes, long numbers, does not stick to the next."""
    plain = pa.record_batch({"n": [1], "t": ["a"]})
    odd = pa.record_batch({"n": [10**15], "t": ["<"]})
    none = pa.record_batch({"n": pa.nulls(1, pa.int64()), "t": pa.nulls(1, pa.string())})
    writer = writer_of(plain)
    first = [joined(writer, block) for block in (plain, odd, none)]
    assert [joined(writer, block) for block in (none, odd, plain)] == first[::-1]
    assert first == [rows_of(plain), rows_of(odd), rows_of(none)]


def test_threads_share_a_writer() -> None:
    blocks = [
        pa.record_batch({"n": pa.array([1, None, 10**15 * (n % 2)]), "t": ["<", None, f"{n}"]})
        for n in range(8)
    ]
    writer = writer_of(blocks[0])
    found: list[str] = [""] * len(blocks)
    together = threading.Barrier(len(blocks))

    def write(place: int) -> None:
        together.wait(20)
        found[place] = joined(writer, blocks[place])

    threads = [threading.Thread(target=write, args=(place,)) for place in range(len(blocks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [rows_of(block) for block in blocks]


def test_warnings_of_all_columns_are_counted() -> None:
    batch = pa.record_batch({"a": [10**15, 1], "b": [10**16, 10**17], "c": [float("nan"), 1.0]})
    rows = writer_of(batch).write(batch, 2)
    assert {code: count for code, count in rows.warnings.items() if count} == {
        "LONG_NUMBERS_AS_TEXT": 3,
        "NON_FINITE_EMPTY": 1,
    }


def test_buffers_that_hold_more_than_the_rows_are_not_taken_for_the_rows() -> None:
    """A slice shares its buffers with what it was cut from."""
    rows = [f'<row r="{number}"></row>' for number in range(1, 9)]
    buffers = _data_buffers(pl.Series(rows).slice(2, 3))
    assert b"".join(map(bytes, buffers)).decode() == "".join(rows[2:5])

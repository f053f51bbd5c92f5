"""Masked, mapped and made columns in files: numbered over blocks and sheets, and with options."""

import csv
import io
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

from exporters import ColumnOptions, CsvOptions, InvalidData, Workers, open_exporter
from exporters.blocks import BLOCK_ROWS
from tests.support.workbooks import refused, written

NUMBERED = [ColumnOptions(header="No.", row_number=True), ColumnOptions("c")]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers


def csv_rows(
    batches: Sequence[pa.RecordBatch], columns: Sequence[ColumnOptions], workers: Workers
) -> list[list[str]]:
    sink = io.BytesIO()
    schema = batches[0].schema
    with open_exporter("csv", sink, schema, columns, CsvOptions(), workers) as exporter:
        for batch in batches:
            exporter.write_batch(batch)
    return list(csv.reader(io.StringIO(sink.getvalue().decode())))


def batches(*sizes: int) -> list[pa.RecordBatch]:
    return [pa.record_batch({"c": pa.array([0] * size, pa.int8())}) for size in sizes]


@pytest.mark.parametrize(
    "sizes",
    [(BLOCK_ROWS * 3 + 5,), (1,) * 700, (5, 0, BLOCK_ROWS + 1, 1, 1, BLOCK_ROWS * 2, 3)],
    ids=["one batch", "tiny batches", "batches of all sizes"],
)
def test_rows_are_numbered_over_all_blocks(sizes: tuple[int, ...], workers: Workers) -> None:
    expected = list(range(1, sum(sizes) + 1))
    lines = csv_rows(batches(*sizes), NUMBERED, workers)[1:]
    assert [int(line[0]) for line in lines] == expected
    [sheet] = written(batches(*sizes), NUMBERED).by_calamine
    assert [row[0] for row in sheet[1:]] == expected


def test_rows_are_numbered_over_all_sheets() -> None:
    sheets = written(batches(7, 1, 1, 20), NUMBERED, rows_per_sheet=5).by_calamine
    assert len(sheets) == 6
    assert [row[0] for sheet in sheets for row in sheet[1:]] == list(range(1, 30))


def test_rows_are_numbered_over_the_sheets_of_a_split() -> None:
    data = pa.table({"country": ["DE"] * 3 + ["FR"] * 2 + ["IT"]})
    columns = [ColumnOptions("country"), ColumnOptions(header="No.", row_number=10)]
    file = written(data, columns, split_by="country", rows_per_sheet=2)
    assert [[row[1] for row in sheet[1:]] for sheet in file.by_calamine] == [
        [10, 11],
        [12],
        [13, 14],
        [15],
    ]


def test_a_split_by_a_masked_column_names_sheets_by_the_mask() -> None:
    data = pa.table({"card": ["4111111111111111", "4222222222222222"]})
    file = written(data, [ColumnOptions("card", mask="last4")], split_by="card")
    assert file.book.sheetnames == ["____1111", "____2222"]
    assert not any(b"411111" in part for part in file.parts.values())


def test_a_split_that_fails_on_a_masked_column_does_not_quote_the_value() -> None:
    data = pa.table({"card": ["4111111111111111", "4222222222222222", "4111111111111111"]})
    with pytest.raises(InvalidData, match=r"rows of '\*{4}1111' in column 'card'") as raised:
        written(data, [ColumnOptions("card", mask="last4")], split_by="card")
    assert "411111111111" not in str(raised.value)


def test_a_split_by_a_mapped_column_takes_its_words() -> None:
    data = pa.table({"status": [1, 1, 2]})
    columns = [ColumnOptions("status", map={"1": "open", "2": "paid"})]
    file = written(data, columns, split_by="status", sheet_names={"open": "To do"})
    assert file.book.sheetnames == ["To do", "paid"]


def test_options_of_a_workbook_name_made_columns_by_their_headers() -> None:
    data = pa.table({"price": [1.5, 2.5], "email": ["jane@example.com", "joe@example.org"]})
    columns = [
        ColumnOptions(header="No.", row_number=True, width=6, format="000"),
        ColumnOptions(header="Quantity", value=3, format="0.0"),
        ColumnOptions("price"),
        ColumnOptions(header="Page", value="https://example.com/"),
        ColumnOptions("email", "Contact", mask="email"),
    ]
    file = written(
        data,
        columns,
        totals={"Quantity": "sum", "No.": "max", "Contact": "count"},
        formulas=[{"header": "sum", "formula": "={Quantity}*{price}"}],
        conditional_formats=[{"type": "color_scale", "column": "No."}],
        validations=[{"column": "Quantity", "values": ["1", "3"]}],
        urls=["Page"],
        hidden_columns=["price"],
        table_style="medium 2",
    )
    rows = list(file.values.worksheets[0].iter_rows(values_only=True))
    assert rows[0] == ("No.", "Quantity", "price", "Page", "Contact", "sum")
    assert rows[1][:5] == (1, 3, 1.5, "https://example.com/", "j***@example.com")
    assert rows[3][:2] == (2, 6)
    sheet = file.sheet
    assert sheet["A2"].number_format == "000"
    assert sheet["B2"].number_format == "0.0"
    assert sheet.column_dimensions["A"].width == pytest.approx(6, abs=1)
    assert sheet["D2"].hyperlink.target == "https://example.com/"
    assert sheet["F2"].value == "=B2*C2"


def test_a_column_that_is_made_here_has_no_name_of_the_stream() -> None:
    schema = pa.schema([("c", pa.int8()), ("other", pa.int8())])
    columns = [ColumnOptions(header="No.", row_number=True)]
    refused(schema, "options.totals: column 'c' is not in the file", columns, totals={"c": "sum"})


def test_a_masked_column_has_no_sum() -> None:
    schema = pa.schema([("card", pa.int64())])
    message = "options.totals: 'card' is large_string, which has no sum; use count"
    refused(schema, message, [ColumnOptions("card", mask="last4")], totals={"card": "sum"})


def test_long_texts_that_are_made_here_arrive_whole(workers: Workers) -> None:
    """Over many blocks, which are cut by the size of what is made."""
    columns = [
        ColumnOptions(header="constant", value="x" * 9_000),
        ColumnOptions("c", "map", map={"1": "a"}, otherwise="y" * 9_000),
    ]
    rows = csv_rows(batches(1_500), columns, workers)[1:]
    assert len(rows) == 1_500
    assert all(row == ["x" * 9_000, "y" * 9_000] for row in rows)

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
import xlsxwriter
from openpyxl.styles.numbers import BUILTIN_FORMATS
from python_calamine import CalamineWorkbook

from exporters import (
    ColumnOptions,
    ExporterError,
    InvalidOptions,
    InvalidSchema,
    LimitExceeded,
    UnsupportedType,
    Workers,
    XlsxOptions,
    open_exporter,
)
from exporters.base import Data, Exporter
from exporters.columns import Projection
from exporters.xlsx import sheets as module
from exporters.xlsx.layout import MAX_COLUMNS, Layout
from exporters.xlsx.measures import Measures
from exporters.xlsx.rows import RowWriter
from exporters.xlsx.sheets import MAX_SHEETS
from tests.support.workbooks import File, Styles

PEOPLE = pa.table(
    {
        "name": ["Ada", None, "Grace"],
        "age": [36, 85, None],
        "born": [date(1915, 12, 10), None, date(1906, 12, 9)],
    }
)


Write = Callable[..., File]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=2) as workers:
        yield workers
        assert workers.in_flight == 0


@pytest.fixture
def write(workers: Workers) -> Write:
    """The workbook of a table or of batches."""

    def write(
        data: pa.Table | Sequence[pa.RecordBatch],
        columns: Sequence[ColumnOptions] = (),
        pool: Workers = workers,
        **options: Any,
    ) -> File:
        batches = data.to_batches() if isinstance(data, pa.Table) else data
        schema = data.schema if isinstance(data, pa.Table) else batches[0].schema
        sink = io.BytesIO()
        with opened(sink, schema, pool, columns, **options) as exporter:
            for batch in batches:
                exporter.write_batch(batch)
        assert exporter.rows_written == sum(batch.num_rows for batch in batches)
        assert exporter.sheets is not None
        warnings = {each.code: each.count for each in exporter.warnings}
        return File(sink.getvalue(), exporter.sheets, warnings)

    return write


def opened(
    sink: Any,
    schema: pa.Schema,
    workers: Workers,
    columns: Sequence[ColumnOptions] = (),
    **options: Any,
) -> Exporter:
    return open_exporter("xlsx", sink, schema, columns, XlsxOptions.parse(options), workers)


def numbered(rows: int) -> pa.Table:
    return pa.table({"n": pa.array(range(rows), pa.int32())})


# The file


def test_a_table_is_a_sheet_with_a_header(write: Write) -> None:
    file = write(PEOPLE)
    born = (datetime(1915, 12, 10), datetime(1906, 12, 9))
    expected = [("name", "age", "born"), ("Ada", 36, born[0]), (None, 85, None),
                ("Grace", None, born[1])]  # fmt: skip
    assert file.rows == [expected]
    assert (file.sheets, file.warnings) == (1, {})
    assert file.book.sheetnames == ["Sheet1"]


def test_calamine_reads_the_same(write: Write) -> None:
    assert write(PEOPLE).by_calamine == [
        [
            ["name", "age", "born"],
            ["Ada", 36.0, date(1915, 12, 10)],
            ["", 85.0, ""],
            ["Grace", "", date(1906, 12, 9)],
        ]
    ]


@pytest.mark.parametrize("batches", [0, 1])
def test_no_rows_make_a_good_file_of_the_header_alone(workers: Workers, batches: int) -> None:
    sink = io.BytesIO()
    with opened(sink, PEOPLE.schema, workers, autofilter=True) as exporter:
        for _ in range(batches):
            exporter.write_batch(pa.RecordBatch.from_pylist([], PEOPLE.schema))
    file = File(sink.getvalue(), exporter.sheets or 0, {})
    assert file.rows == [[("name", "age", "born")]]
    assert file.sheets == 1


def test_its_first_parts_tell_programs_that_it_is_an_excel_workbook(write: Write) -> None:
    """libmagic: one of two names first, whole entries to hop over, then the third in `xl/`."""
    file = write(PEOPLE)
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        first, second, third, *_ = archive.infolist()
    assert file.data.startswith(b"PK\x03\x04")
    assert first.filename in ("[Content_Types].xml", "_rels/.rels")
    assert third.filename.startswith("xl/")
    for entry in (first, second):
        assert not entry.flag_bits & 1 << 3
        assert entry.extra == b""


@pytest.mark.parametrize("compression", ["fast", "balanced", "small"])
def test_every_compression_holds_the_same_parts(write: Write, compression: str) -> None:
    assert write(numbered(20_000), compression=compression).parts == write(numbered(20_000)).parts


def test_small_is_smaller_than_fast(write: Write) -> None:
    table = pa.table({"n": range(30_000), "t": [f"text {n * n}" for n in range(30_000)]})
    assert len(write(table, compression="small").data) < len(write(table).data)


def test_the_same_batches_make_the_same_bytes_with_any_number_of_threads(write: Write) -> None:
    batches = numbered(60_000).to_batches(max_chunksize=5_000)
    with Workers(threads=1) as one, Workers(threads=4) as four:
        assert write(batches, pool=one).data == write(batches, pool=four).data


def test_the_cut_into_batches_changes_no_part(write: Write) -> None:
    table = pa.table({"n": range(30_000), "t": [f"<{n}>" for n in range(30_000)]})
    assert write(table).parts == write(table.to_batches(max_chunksize=777)).parts


def test_many_blocks_come_in_order(write: Write) -> None:
    [[header, *rows]] = write(numbered(100_000).to_batches(max_chunksize=9_999)).by_calamine
    assert header == ["n"]
    assert [row[0] for row in rows] == list(range(100_000))


def test_a_wide_table_keeps_every_column(write: Write) -> None:
    batch = pa.record_batch({f"c{n}": [n, None, -n] for n in range(300)})
    [[header, *rows]] = write([batch]).rows
    assert header == tuple(f"c{n}" for n in range(300))
    assert rows == [tuple(range(300)), (None,) * 300, tuple(-n for n in range(300))]


def test_slices_give_their_own_rows(write: Write) -> None:
    table = pa.table({"n": range(10), "t": [None if n % 2 else f"{n}&" for n in range(10)]})
    [batch] = table.to_batches()
    [[_, *rows]] = write([batch.slice(3, 2), batch.slice(8)]).rows
    assert rows == [(3, None), (4, "4&"), (8, "8&"), (9, None)]


# Columns


def test_columns_are_selected_ordered_and_named(write: Write) -> None:
    columns = [ColumnOptions("age", header="Age"), ColumnOptions("name")]
    assert write(PEOPLE, columns).rows[0][:2] == [("Age", "name"), (36, "Ada")]


def test_a_format_of_a_column_is_its_number_format(write: Write) -> None:
    columns = [ColumnOptions("age", format="0.00"), ColumnOptions("born", format="dd/mm/yy")]
    sheet = write(PEOPLE, columns).sheet
    assert [sheet.cell(2, place).number_format for place in (1, 2)] == ["0.00", "dd/mm/yy"]


def test_a_format_of_a_column_may_be_a_name(write: Write) -> None:
    columns = [ColumnOptions("age", format="currency"), ColumnOptions("born", format="date")]
    sheet = write(PEOPLE, columns).sheet
    formats = [sheet.cell(2, place).number_format for place in (1, 2)]
    assert formats == [BUILTIN_FORMATS[7], BUILTIN_FORMATS[14]]


@pytest.mark.parametrize(
    ("format_", "reason"),
    [
        ("0 kg", "'kg' at character 3 means nothing in a number format"),
        ("Date", "did you mean 'date'"),
        ("", "1 to 255 characters"),
    ],
)
def test_a_format_that_excel_cannot_parse_is_refused_before_any_data(
    workers: Workers, format_: str, reason: str
) -> None:
    columns = [ColumnOptions("age", header="Age", format=format_)]
    message = f"^columns: 'Age' has the format {re.escape(repr(format_))}; .*{reason}"
    with pytest.raises(InvalidOptions, match=message):
        open_exporter("xlsx", io.BytesIO(), PEOPLE.schema, columns, XlsxOptions(), workers)


def test_dates_are_shown_as_dates_behind_columns_without_a_style(write: Write) -> None:
    row = next(write(PEOPLE).sheet.iter_rows(min_row=2))
    assert [cell.number_format for cell in row] == ["General", "General", "yyyy-mm-dd"]
    assert row[2].is_date


def test_the_header_is_bold_over_a_line(write: Write) -> None:
    for cell in next(write(PEOPLE).sheet.iter_rows(max_row=1)):
        assert cell.font.bold
        assert cell.border.bottom.style == "thin"


def test_a_header_is_a_text_whatever_it_looks_like(write: Write) -> None:
    names = ["=1+1", "007", "http://example.com", " a ", "<&>", "名前", ""]
    file = write(pa.table({name: [1] for name in names}))
    assert file.by_calamine[0][0] == names
    assert "<f>" not in file.parts["xl/worksheets/sheet1.xml"].decode()
    assert "xl/worksheets/_rels/sheet1.xml.rels" not in file.parts


def width_of(file: File, letter: str) -> float:
    return float(file.sheet.column_dimensions[letter].width)


def test_widths_follow_the_values_and_the_header(write: Write) -> None:
    table = pa.table({"a": ["x" * 30], "a long header": ["x"], "b": [date(2024, 2, 29)]})
    file = write(table)
    assert 30 < width_of(file, "A") < 36
    assert 13 < width_of(file, "B") < 18
    assert 10 < width_of(file, "C") < 16


def test_wide_characters_take_two(write: Write) -> None:
    assert width_of(write(pa.table({"a": ["漢" * 10]})), "A") > 20


def test_very_long_texts_do_not_make_very_wide_columns(write: Write) -> None:
    assert width_of(write(pa.table({"a": ["x" * 5_000]})), "A") < 70


def test_a_width_asked_for_is_the_width(write: Write) -> None:
    file = write(pa.table({"a": ["x" * 30]}), [ColumnOptions("a", width=5)])
    assert width_of(file, "A") == pytest.approx(5, abs=1)


@pytest.mark.parametrize(
    ("array", "format_", "shown"),
    [
        (pa.array([1234567.891, None]), "#,##0.00", "1,234,567.89"),
        (pa.array([-1234567]), "#,##0", "-1,234,567"),
        (pa.array([Decimal("12345.67")]), "number", "12,345.67"),
        (pa.array([1 / 3]), "percent", "33.33%"),
        (pa.array([date(2024, 10, 31)]), "date", "10/31/2024"),
        (pa.array([0.5]), "time", "12:00:00"),
        (pa.array([float("nan")]), "0.00", ""),
        (pa.array([None], pa.int8()), "integer", ""),
    ],
)
def test_a_number_has_room_in_its_format(
    write: Write, array: pa.Array, format_: str, shown: str
) -> None:
    file = write(pa.table({"a": array}), [ColumnOptions("a", format=format_)])
    assert len(shown) <= width_of(file, "A") <= len(shown) + 12


def test_filter_buttons_get_room(write: Write) -> None:
    table = pa.table({"header": [1]})
    assert width_of(write(table, autofilter=True), "A") > width_of(write(table), "A")


def test_no_widths_are_set_when_none_are_wanted(write: Write) -> None:
    file = write(PEOPLE, column_widths="none")
    assert b"<cols>" not in file.parts["xl/worksheets/sheet1.xml"]


# The sheet


def test_the_header_stays_in_view_unless_not_wanted(write: Write) -> None:
    assert write(PEOPLE).sheet.freeze_panes == "A2"
    assert write(PEOPLE, freeze_header=False).sheet.freeze_panes is None


def test_the_header_stands_in_the_row_asked_for(write: Write) -> None:
    file = write(PEOPLE, start_row=4, autofilter=True)
    assert file.rows[0][:5] == [*[(None,) * 3] * 3, ("name", "age", "born"),
                                ("Ada", 36, datetime(1915, 12, 10))]  # fmt: skip
    assert file.sheet.freeze_panes == "A5"
    assert file.sheet.auto_filter.ref == "A4:C7"


def test_a_filter_covers_the_rows_of_its_sheet(write: Write) -> None:
    file = write(numbered(7), autofilter=True, rows_per_sheet=3)
    assert [sheet.auto_filter.ref for sheet in file.book] == ["A1:A4", "A1:A4", "A1:A2"]
    names = [list(sheet.defined_names.values()) for sheet in file.book]
    assert all(len(each) <= 1 for each in names)


def test_there_is_no_filter_unless_wanted(write: Write) -> None:
    file = write(PEOPLE)
    assert file.sheet.auto_filter.ref is None
    assert b"definedName" not in file.parts["xl/workbook.xml"]


def test_the_sheet_has_the_name_asked_for(write: Write) -> None:
    assert write(PEOPLE, sheet_name="订单 & <more>").book.sheetnames == ["订单 & <more>"]


# More rows than a sheet


def test_a_full_sheet_is_followed_by_another_with_the_header(write: Write) -> None:
    file = write(numbered(7), rows_per_sheet=3)
    assert file.rows == [
        [("n",), (0,), (1,), (2,)],
        [("n",), (3,), (4,), (5,)],
        [("n",), (6,)],
    ]
    assert file.sheets == 3
    assert file.book.sheetnames == ["Sheet1", "Sheet1 (2)", "Sheet1 (3)"]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_sheet_that_is_just_full_has_no_successor(write: Write, rows: int) -> None:
    file = write(numbered(rows), rows_per_sheet=rows)
    assert file.sheets == len(file.book.sheetnames) == 1


def test_sheets_are_cut_through_batches_and_blocks(write: Write) -> None:
    file = write(numbered(50_000).to_batches(max_chunksize=7_001), rows_per_sheet=9_999)
    assert [len(sheet) - 1 for sheet in file.by_calamine] == [9_999] * 5 + [5]
    values = [row[0] for sheet in file.by_calamine for row in sheet[1:]]
    assert values == list(range(50_000))


def test_every_sheet_has_pane_widths_and_formats(write: Write) -> None:
    table = pa.table({"day": [date(2024, 1, 1)] * 5})
    for sheet in write(table, rows_per_sheet=2, start_row=3).book:
        assert sheet.freeze_panes == "A4"
        assert sheet["A4"].number_format == "yyyy-mm-dd"
        assert sheet["A3"].font.bold
        assert sheet.column_dimensions["A"].width > 10


def test_only_the_first_sheet_is_in_front(write: Write) -> None:
    file = write(numbered(7), rows_per_sheet=3)
    assert [bool(sheet.sheet_view.tabSelected) for sheet in file.book] == [True, False, False]


def test_long_sheet_names_stay_apart(write: Write) -> None:
    name = "a" * 27 + " (2)"
    assert write(numbered(3), rows_per_sheet=1, sheet_name=name).book.sheetnames[0] == name


def test_a_sheet_takes_1_048_575_rows_and_the_rest_goes_to_the_next(write: Write) -> None:
    rows = 1_100_000
    file = write(numbered(rows).to_batches(max_chunksize=65_536), autofilter=True)
    assert file.sheets == 2
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.data))
    first, second = (book.get_sheet_by_name(name) for name in book.sheet_names)
    assert (first.height, second.height) == (1_048_576, rows - 1_048_575 + 1)
    for sheet, values in ((first, range(1_048_575)), (second, range(1_048_575, rows))):
        cells = iter(sheet.iter_rows())
        assert next(cells) == ["n"]
        assert all(cell == value for (cell,), value in zip(cells, values, strict=True))
    ranges = [
        re.findall(rb'<autoFilter ref="([^"]*)"', file.parts[f"xl/worksheets/sheet{n}.xml"])
        for n in (1, 2)
    ]
    assert ranges == [[b"A1:A1048576"], [b"A1:A51426"]]


def test_a_later_header_leaves_room_for_fewer_rows(workers: Workers) -> None:
    """Row 1,048,576 is the last, wherever the header stands."""
    exporter = opened(io.BytesIO(), numbered(0).schema, workers, start_row=1000)
    exporter.write_batch(numbered(1_047_577).to_batches()[0])
    exporter.discard()
    assert exporter.sheets == 2


def test_a_sheet_ends_before_its_xml_passes_4_gib(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LENGTH", 8 * 1024 * 1024)
    table = pa.table({"t": [f"{n:06}" + "x" * 500 for n in range(40_000)]})
    file = write(table)
    sizes = [len(part) for name, part in file.parts.items() if "sheets/" in name]
    assert len(sizes) == file.sheets > 2
    assert max(sizes) <= 8 * 1024 * 1024
    values = [row[0] for sheet in file.by_calamine for row in sheet[1:]]
    assert values == table.column(0).to_pylist()


def test_a_text_that_repeats_in_few_bytes_is_still_cut_into_small_blocks() -> None:
    """A dictionary or run of one long text is tiny in Arrow and huge in the file."""
    with Workers(threads=1) as workers:
        started: list[int] = []
        reserve = workers.reserve

        def watched(size: int, *, force: bool) -> bool:
            started.append(size)
            return reserve(size, force=force)

        workers.reserve = watched  # type: ignore[method-assign]
        long = pa.DictionaryArray.from_arrays(pa.array([0] * 2048, pa.int8()), ["x" * 30_000])
        batch = pa.record_batch({"t": long})
        with opened(io.BytesIO(), batch.schema, workers) as exporter:
            exporter.write_batch(batch)
    blocks = 2048 * 30_000 // (8 * 1024 * 1024)
    assert len(started) >= blocks


# Limits and refusals


def test_more_sheets_than_anybody_can_use_are_refused(workers: Workers) -> None:
    exporter = opened(io.BytesIO(), numbered(0).schema, workers, rows_per_sheet=1)
    message = r"the rows need more than 1000 sheets; raise options.rows_per_sheet"
    batch = numbered(MAX_SHEETS + 1).to_batches()[0]
    with pytest.raises(LimitExceeded, match=message), exporter:
        exporter.write_batch(batch)
    assert workers.in_flight == 0


def test_a_sheet_has_room_for_16384_columns(write: Write) -> None:
    file = write(pa.table({f"c{n}": [n] for n in range(MAX_COLUMNS)}), column_widths="none")
    sheet = file.parts["xl/worksheets/sheet1.xml"]
    assert b'<c r="XFD2"><v>16383</v></c></row>' in sheet


def test_more_columns_are_refused_before_any_data(workers: Workers) -> None:
    schema = pa.schema([(f"c{n}", pa.int8()) for n in range(MAX_COLUMNS + 1)])
    message = r"16385 columns; an Excel sheet has at most 16384"
    with pytest.raises(LimitExceeded, match=message):
        opened(io.BytesIO(), schema, workers)


def test_a_choice_of_a_wider_stream_is_taken(workers: Workers) -> None:
    schema = pa.schema([(f"c{n}", pa.int8()) for n in range(MAX_COLUMNS + 1)])
    opened(io.BytesIO(), schema, workers, [ColumnOptions("c5")]).discard()


def test_a_header_longer_than_a_cell_is_refused(workers: Workers) -> None:
    with pytest.raises(LimitExceeded, match=r"the header 'xxx.* has 40000 characters"):
        opened(io.BytesIO(), pa.schema([("x" * 40_000, pa.int8())]), workers)


@pytest.mark.parametrize(
    ("schema", "columns", "error"),
    [
        (pa.schema([]), (), InvalidSchema),
        (pa.schema([("a", pa.int8()), ("a", pa.int8())]), (), InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("nane")], InvalidSchema),
        (PEOPLE.schema, [ColumnOptions("name"), ColumnOptions("name")], InvalidOptions),
        (pa.schema([("a", pa.sparse_union([pa.field("b", pa.int8())]))]), (), UnsupportedType),
        (pa.schema([("a", pa.timestamp("s", "Mars/Base"))]), (), InvalidSchema),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_byte_is(
    schema: pa.Schema,
    columns: Sequence[ColumnOptions],
    error: type[ExporterError],
    workers: Workers,
) -> None:
    sink = io.BytesIO()
    with pytest.raises(error):
        opened(sink, schema, workers, columns)
    assert sink.getvalue() == b""


def test_an_export_that_fails_leaves_no_bytes_in_flight_and_no_directory(workers: Workers) -> None:
    sink = io.BytesIO()

    def export() -> None:
        with opened(sink, numbered(0).schema, workers) as exporter:
            exporter.write_batch(numbered(50_000).to_batches()[0])
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        export()
    assert workers.in_flight == 0
    assert not zipfile.is_zipfile(sink)


def test_a_sink_that_fails_fails_the_export(workers: Workers) -> None:
    class FullDisk:
        def write(self, data: Data) -> None:
            raise OSError("disk full")

    with (
        pytest.raises(OSError, match="disk full"),
        opened(FullDisk(), PEOPLE.schema, workers) as exporter,
    ):
        exporter.write_batch(PEOPLE.to_batches()[0])
    assert workers.in_flight == 0


# Beside XlsxWriter itself

SAMPLE = pa.table(
    {
        "text": pa.array(["plain", "<&> \"quoted\" 'text'", " edges ", "漢字 😀", "=1+1", None]),
        "whole": pa.array([1, -2, 0, 999_999_999_999_999, None, 5], pa.int64()),
        "float": pa.array([0.1, -1.5, 1e300, None, 2.0, 1 / 3]),
        "decimal": pa.array([*map(Decimal, ["1.50", "-0.01", "0.00", "7.25", "9.99"]), None]),
        "day": pa.array([date(2024, 2, 29), None, *[date(1999, 12, 31)] * 4]),
        "at": pa.array([datetime(2024, 2, 29, 13, 37, 59), None, *[datetime(2000, 1, 1)] * 4]),
        "time": pa.array([time(18, 30), time(0, 0), None, *[time(6, 0)] * 3], pa.time32("s")),
        "length": pa.array([timedelta(hours=36), None, *[timedelta(minutes=1)] * 4]),
    }
)

SHOWN = {
    "day": "yyyy-mm-dd",
    "at": "yyyy-mm-dd hh:mm:ss",
    "time": "hh:mm:ss",
    "length": "[h]:mm:ss",
}


def by_xlsxwriter(table: pa.Table) -> bytes:
    """What somebody would write by hand, cell by cell."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as workbook:
        workbook.set_properties({"created": datetime(2000, 1, 1)})
        header = {"bold": True, "bottom": 1, "valign": "top"}
        over_texts = workbook.add_format(header)
        over_numbers = workbook.add_format(header | {"align": "right", "indent": 2})
        formats = {name: workbook.add_format({"num_format": SHOWN[name]}) for name in SHOWN}
        sheet = workbook.add_worksheet("Sheet1")
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)
        for place, name in enumerate(table.schema.names):
            is_text = pa.types.is_string(table.schema.field(name).type)
            sheet.write_string(0, place, name, over_texts if is_text else over_numbers)
            for row, value in enumerate(table.column(name).to_pylist(), start=1):
                if isinstance(value, str):
                    sheet.write_string(row, place, value)
                elif name in SHOWN and value is not None:
                    sheet.write_datetime(row, place, value, formats[name])
                elif value is not None:
                    sheet.write_number(row, place, value)
    return buffer.getvalue()


def look(data: bytes) -> list[list[tuple[Any, ...]]]:
    """Values, types and looks of every cell."""
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    return [
        [
            (
                cell.value,
                cell.data_type.replace("inlineStr", "s"),
                cell.number_format,
                cell.font.bold,
                cell.style_id,
            )
            for cell in row
        ]
        for row in sheet.iter_rows()
    ]


def test_its_cells_are_those_that_xlsxwriter_writes(write: Write) -> None:
    file = write(SAMPLE, autofilter=True, column_widths="none")
    assert look(file.data) == look(by_xlsxwriter(SAMPLE))


def test_its_other_parts_are_those_that_xlsxwriter_writes(write: Write) -> None:
    """All but the texts, which stand in the cells instead of a table of their own."""
    file = write(SAMPLE, autofilter=True, column_widths="none")
    with zipfile.ZipFile(io.BytesIO(by_xlsxwriter(SAMPLE))) as archive:
        assert sorted(file.parts) == sorted(archive.namelist())
        for name in set(archive.namelist()) - {"xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"}:
            assert file.parts[name] == archive.read(name), name
        expected = archive.read("xl/worksheets/sheet1.xml")
    frame = re.sub(rb"<dimension [^>]*/>|<row .*</row>", b"", expected)
    assert re.sub(rb"<row .*</row>", b"", file.parts["xl/worksheets/sheet1.xml"]) == frame


LARGEST_CELLS = [
    pa.array(["\x01" * 50, " ", ""]),
    pa.array(["_x0041_" * 7, None, "&" * 33], pa.large_string()),
    pa.array(["a", "a", ""]).dictionary_encode(),
    pa.array([-(2**63), 2**63 - 1, None]),
    pa.array([-1.7976931348623157e308, 5e-324, None]),
    pa.array([True, False, None]),
    pa.array([datetime(1800, 1, 1, 23, 59, 59, 999_999), None, None]),
    pa.array([date(1800, 1, 1), None, None]),
    pa.array([b"\xff" * 50, b"", None]),
    pa.array([(-14, -(2**31), -(2**63)), None], pa.month_day_nano_interval()),
    pa.array([b"\xff" * 16, None], pa.uuid()),
    pa.array([Decimal(-(10**76) + 1).scaleb(-76, Context(prec=76))], pa.decimal256(76, 76)),
    pa.array([{}, None], pa.struct([("&" * 5000, pa.null()), ("_x0041_" * 900, pa.null())])),
    pa.array([["\x01" * 20, '"' * 30, "_x0041_&" * 5], [None] * 9, []]),
    pa.array([[("&" * 9, "\ufffe")], []], pa.map_(pa.string(), pa.large_string())),
]


@pytest.mark.parametrize("array", LARGEST_CELLS, ids=lambda each: str(each.type))
def test_no_rows_become_more_xml_than_their_bound(array: pa.Array) -> None:
    """By the bound a sheet ends before its XML reaches the 4 GiB that a ZIP entry can have."""
    width = 703  # the first column with three letters
    batch = pa.RecordBatch.from_arrays([array] * width, names=[f"c{n}" for n in range(width)])
    projection = Projection(batch.schema)
    layout = Layout(projection, XlsxOptions())
    writer = RowWriter(layout, Styles((65_535,) * width))
    xml = writer.write(projection.apply(batch), 1_048_573).xml
    assert sum(piece.size for piece in xml) <= Measures(projection, layout).bound(batch)

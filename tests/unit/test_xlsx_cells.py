"""The fate of each kind of value in a workbook, looked at in the XML itself."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters import ExporterError, Workers, XlsxOptions, open_exporter
from exporters.xlsx.cells import WARNINGS

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

NOON = datetime(2024, 2, 29, 12)
NOON_SERIAL = 45351.5


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: its type (`n`, `b`, `inlineStr`), its text, its number format."""

    type: str
    text: str
    format: str = "General"
    preserved: bool = False


def text(value: str, *, preserved: bool = False) -> Cell:
    return Cell("inlineStr", value, preserved=preserved)


def number(value: str) -> Cell:
    return Cell("n", value)


@dataclass(frozen=True)
class Written:
    cells: list[Cell | None]
    warnings: dict[str, int]
    xml: str

    @property
    def texts(self) -> list[str | None]:
        return [cell and cell.text for cell in self.cells]

    @property
    def values(self) -> list[object]:
        """Numbers as numbers, the rest as texts."""
        return [
            float(cell.text) if cell and cell.type == "n" else cell and cell.text
            for cell in self.cells
        ]


Write = Callable[..., Written]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=1) as workers:
        yield workers


@pytest.fixture
def write(workers: Workers) -> Write:
    """One column as cells."""

    def write(array: pa.Array, **options: Any) -> Written:
        batch = pa.record_batch({"value": array})
        sink = io.BytesIO()
        parsed = XlsxOptions.parse(options)
        with open_exporter("xlsx", sink, batch.schema, (), parsed, workers) as exporter:
            exporter.write_batch(batch)
        with zipfile.ZipFile(sink) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()
            formats = number_formats(archive.read("xl/styles.xml"))
        warnings = {each.code: each.count for each in exporter.warnings}
        assert {each.message for each in exporter.warnings} <= set(WARNINGS.values())
        return Written(read(sheet, len(array), formats), warnings, sheet)

    return write


def number_formats(styles: bytes) -> list[str]:
    """The number format of each style; XlsxWriter knows 14 to 49 without naming them."""
    root = ET.fromstring(styles)
    named = {
        each.get("numFmtId"): each.get("formatCode", "") for each in root.iter(f"{MAIN}numFmt")
    }
    known = {"0": "General", "46": "[h]:mm:ss"}
    found = root.find(f"{MAIN}cellXfs")
    assert found is not None
    return [(known | named)[each.get("numFmtId", "")] for each in found]  # type: ignore[index]


def read(sheet: str, rows: int, formats: list[str]) -> list[Cell | None]:
    found = list(ET.fromstring(sheet).iter(f"{MAIN}row"))[1:]
    assert len(found) == rows
    return [cell_of(row, formats) for row in found]


def cell_of(row: ET.Element, formats: list[str]) -> Cell | None:
    cell = row.find(f"{MAIN}c")
    if cell is None:
        return None
    assert cell.get("r") == f"A{row.get('r')}"
    shown = formats[int(cell.get("s", "0"))]
    if cell.get("t") != "inlineStr":
        return Cell(cell.get("t", "n"), cell.findtext(f"{MAIN}v", ""), shown)
    inline = cell.find(f"{MAIN}is/{MAIN}t")
    assert inline is not None
    space = inline.get("{http://www.w3.org/XML/1998/namespace}space")
    return Cell("inlineStr", inline.text or "", shown, space == "preserve")


# Null, booleans, numbers


def test_null_is_no_cell(write: Write) -> None:
    assert write(pa.array([None, 1, None])).cells == [None, number("1"), None]


@pytest.mark.parametrize(
    "kind",
    [
        pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(),
        pa.decimal128(38, 2), pa.string(), pa.large_string(), pa.string_view(), pa.date32(),
        pa.date64(), pa.time32("s"), pa.time64("us"), pa.timestamp("ns"),
        pa.timestamp("s", "Asia/Tokyo"), pa.duration("ms"), pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)  # fmt: skip
def test_a_column_of_nulls_alone_has_rows_and_no_cells(write: Write, kind: pa.DataType) -> None:
    written = write(pa.nulls(3, kind))
    assert written.cells == [None, None, None]
    assert written.warnings == {}


def test_booleans_are_booleans_that_libreoffice_does_not_show_as_numbers(write: Write) -> None:
    shown = '"TRUE";"TRUE";"FALSE"'
    assert write(pa.array([True, False, None])).cells == [
        Cell("b", "1", shown),
        Cell("b", "0", shown),
        None,
    ]


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_small_whole_numbers_are_numbers(write: Write, bits: int) -> None:
    most = 2 ** (bits - 1)
    signed = pa.array([-most, most - 1], getattr(pa, f"int{bits}")())
    assert write(signed).cells == [number(str(-most)), number(str(most - 1))]
    unsigned = pa.array([0, 2**bits - 1], getattr(pa, f"uint{bits}")())
    assert write(unsigned).cells == [number("0"), number(str(2**bits - 1))]


LONG = [10**15 - 1, 10**15, -(10**15) + 1, -(10**15), 2**63 - 1, -(2**63)]


def test_whole_numbers_over_15_digits_are_texts(write: Write) -> None:
    written = write(pa.array([*LONG, None]))
    kinds = [cell and cell.type for cell in written.cells]
    assert kinds == ["n", "inlineStr", "n", "inlineStr", "inlineStr", "inlineStr", None]
    assert written.texts == [*map(str, LONG), None]
    assert written.warnings == {"LONG_NUMBERS_AS_TEXT": 4}


def test_unsigned_numbers_over_15_digits_are_texts(write: Write) -> None:
    written = write(pa.array([10**15 - 1, 10**15, 2**64 - 1], pa.uint64()))
    assert [cell and cell.type for cell in written.cells] == ["n", "inlineStr", "inlineStr"]
    assert written.texts == [str(10**15 - 1), str(10**15), str(2**64 - 1)]
    assert written.warnings == {"LONG_NUMBERS_AS_TEXT": 2}


@pytest.mark.parametrize("kind", [pa.int64(), pa.decimal128(38, 0)])
def test_long_numbers_are_numbers_when_asked(write: Write, kind: pa.DataType) -> None:
    written = write(pa.array([Decimal(n) if kind != pa.int64() else n for n in LONG], kind),
                    long_numbers="number")  # fmt: skip
    assert written.cells == [number(str(n)) for n in LONG]
    assert written.warnings == {}


def test_decimals_are_numbers_with_every_digit(write: Write) -> None:
    array = pa.array([Decimal("1.50"), Decimal("-0.01"), Decimal("1234567890123.45"), None])
    assert write(array).cells == [
        number("1.50"),
        number("-0.01"),
        number("1234567890123.45"),
        None,
    ]


def test_decimals_over_15_digits_are_texts(write: Write) -> None:
    values = [Decimal("1234567890123.456"), Decimal("-9999999999999.999"), Decimal("1.5")]
    written = write(pa.array(values, pa.decimal128(38, 3)))
    assert [cell and cell.type for cell in written.cells] == ["inlineStr", "inlineStr", "n"]
    assert [Decimal(each or "nan") for each in written.texts] == values
    assert written.warnings == {"LONG_NUMBERS_AS_TEXT": 2}


def test_zeros_that_only_fill_a_decimals_scale_make_it_no_longer(write: Write) -> None:
    """Databases send numbers as decimal(38, 18); Excel keeps 1.000000000000000000 exactly."""
    written = write(pa.array([Decimal(1), Decimal("1234.5"), Decimal(0)], pa.decimal128(38, 18)))
    assert written.values == [1.0, 1234.5, 0.0]
    assert written.warnings == {}


@pytest.mark.parametrize(
    "kind", [pa.decimal32(9, 2), pa.decimal64(18, 2), pa.decimal128(38, 2), pa.decimal256(38, 2)]
)
def test_decimals_of_every_width_are_alike(write: Write, kind: pa.DataType) -> None:
    assert write(pa.array([Decimal("-1.50"), None], kind)).cells == [number("-1.50"), None]


def test_decimals_of_hundreds_are_numbers(write: Write) -> None:
    assert write(pa.array([Decimal(12300)], pa.decimal128(5, -2))).values == [12300.0]


def test_floats_are_in_the_shortest_form_that_reads_back_equal(write: Write) -> None:
    values = [0.1, 1.5, -2.0, 1e300, 5e-324, 1 / 3, 1e15, 123456789012345680.0]
    written = write(pa.array([*values, None]))
    assert written.values == [*values, None]
    assert written.texts[0] == "0.1"
    assert written.warnings == {}


def test_short_floats_are_not_lengthened(write: Write) -> None:
    assert write(pa.array([0.1, 16777216.0], pa.float32())).values == [0.1, 16777216.0]
    assert write(pa.array([0.5, None], pa.float16())).values == [0.5, None]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_numbers_that_are_none_are_empty_cells(write: Write, kind: pa.DataType) -> None:
    values = [1.5, float("nan"), None, float("inf"), float("-inf")]
    written = write(pa.array(values, kind))
    assert written.values == [1.5, None, None, None, None]
    assert written.warnings == {"NON_FINITE_EMPTY": 3}


def test_large_floats_whose_sum_overflows_are_numbers(write: Write) -> None:
    written = write(pa.array([1.7e308, 1.7e308]))
    assert written.values == [1.7e308, 1.7e308]
    assert written.warnings == {}


# Texts


def test_texts_are_texts_whatever_they_look_like(write: Write) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "{=1}", "007", "1e5", "TRUE", "#N/A", "http://a.b", "a\tb"]
    written = write(pa.array(texts))
    assert written.cells == [text(each) for each in texts]
    assert "<f>" not in written.xml
    assert "hyperlink" not in written.xml


def test_an_empty_text_is_a_cell(write: Write) -> None:
    assert write(pa.array(["", None])).cells == [text(""), None]


def test_marks_of_xml_are_escaped(write: Write) -> None:
    texts = ["a&b", "<b>", "]]>", "&amp;", "'\"", "&", None, "plain"]
    written = write(pa.array(texts))
    assert written.texts == texts
    assert "<t>&lt;b&gt;</t>" in written.xml


def test_a_line_feed_stays(write: Write) -> None:
    assert write(pa.array(["two\nlines"])).texts == ["two\nlines"]


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("\x00", "_x0000_"),
        ("a\x01b\x1f", "a_x0001_b_x001F_"),
        ("a\r\nb", "a_x000D_\nb"),
        ("\ufffe\uffff", "_xFFFE__xFFFF_"),
        ("_x000A_", "_x005F_x000A_"),
        ("_x005F_", "_x005F_x005F_"),
        ("_x000a__x000B_", "_x005F_x000a__x005F_x000B_"),
        ("_x12_", "_x12_"),
        ("_X000A_", "_X000A_"),
        ("<\x01&", "<_x0001_&"),
    ],
)
def test_what_xml_cannot_hold_is_escaped_as_excel_does(
    write: Write, value: str, escaped: str
) -> None:
    assert write(pa.array(["before", value])).texts == ["before", escaped]


@pytest.mark.parametrize("value", ["_x000A\x01", "_x0041\x02x", "_\x01", "x\x01_x0041"])
def test_an_escape_never_completes_what_stands_before_it(write: Write, value: str) -> None:
    [escaped] = write(pa.array([value])).texts
    assert escaped is not None
    found = re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), escaped)
    assert found == value


@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\t", "\na", "a\n", " ", "\n"])
def test_white_space_at_the_edges_is_preserved(write: Write, value: str) -> None:
    assert write(pa.array(["plain", value])).cells[1] == text(value, preserved=True)


@pytest.mark.parametrize("value", ["漢字", "é", "😀", "a\u2028b", "\u00a0x", "\x7f\x85", "\ufeff"])
def test_every_other_character_stays(write: Write, value: str) -> None:
    assert write(pa.array([value])).texts == [value]


def test_a_text_of_32767_characters_stays(write: Write) -> None:
    written = write(pa.array(["x" * 32_767, "漢" * 32_767, "😀" * 16_383 + "x"]))
    assert written.texts == ["x" * 32_767, "漢" * 32_767, "😀" * 16_383 + "x"]
    assert written.warnings == {}


def test_a_longer_text_is_cut(write: Write) -> None:
    written = write(pa.array(["x" * 32_768, "漢" * 40_000, None, "short"]))
    assert written.texts == ["x" * 32_767, "漢" * 32_767, None, "short"]
    assert written.warnings == {"CELLS_CUT": 2}


def test_the_length_is_counted_in_utf_16_and_no_character_is_split(write: Write) -> None:
    value = "😀" * 16_384
    written = write(pa.array([value]))
    [cut] = written.texts
    assert cut
    assert value.startswith(cut)
    assert 32_765 < len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert written.warnings == {"CELLS_CUT": 1}


def test_a_text_is_cut_before_it_is_escaped(write: Write) -> None:
    written = write(pa.array(["&" * 32_768, "\x01" * 32_768]))
    assert written.texts == ["&" * 32_767, "_x0001_" * 32_767]


@pytest.mark.parametrize(
    "encode",
    [
        lambda texts: texts.cast(pa.large_string()),
        lambda texts: texts.cast(pa.string_view()),
        lambda texts: texts.dictionary_encode(),
        pc.run_end_encode,
    ],
    ids=["large", "view", "dictionary", "run ends"],
)
@pytest.mark.parametrize("start", [0, 1, 3])
def test_texts_are_alike_in_every_encoding_and_slice(
    write: Write, encode: Callable[[pa.Array], pa.Array], start: int
) -> None:
    texts = pa.array(["&", None, "a", "", " <edge> ", "\x01", "long enough for a buffer"])
    written = write(encode(texts).slice(start))
    assert written.cells == write(texts.slice(start)).cells


# Dates, times, durations


def test_dates_are_day_numbers_in_the_format_of_dates(write: Write) -> None:
    days = pa.array([date(2024, 2, 29), date(1900, 3, 1), date(9999, 12, 31), None])
    assert write(days).cells == [
        Cell("n", "45351", "yyyy-mm-dd"),
        Cell("n", "61", "yyyy-mm-dd"),
        Cell("n", "2958465", "yyyy-mm-dd"),
        None,
    ]
    assert write(days.cast(pa.date64())).cells == write(days).cells


def test_dates_that_excel_lacks_are_texts(write: Write) -> None:
    written = write(pa.array([date(1900, 2, 28), date(1, 1, 1), None, date(2024, 2, 29)]))
    assert written.values == ["1900-02-28", "0001-01-01", None, 45351.0]
    assert written.warnings == {"DATES_AS_TEXT": 2}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_are_day_numbers_in_the_format_of_timestamps(write: Write, unit: str) -> None:
    written = write(pa.array([NOON, None], pa.timestamp(unit)))
    assert written.values == [NOON_SERIAL, None]
    assert written.cells[0]
    assert written.cells[0].format == "yyyy-mm-dd hh:mm:ss"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_that_excel_lacks_are_texts(write: Write, unit: str) -> None:
    written = write(pa.array([datetime(1899, 12, 31, 1, 2, 3), NOON, None], pa.timestamp(unit)))
    assert written.values == ["1899-12-31 01:02:03", NOON_SERIAL, None]
    assert written.warnings == {"DATES_AS_TEXT": 1}


def test_a_fraction_of_a_second_is_kept_in_the_text(write: Write) -> None:
    early = pa.array([datetime(1800, 1, 1, 0, 0, 0, 250_000)], pa.timestamp("us"))
    assert write(early).texts == ["1800-01-01 00:00:00.250"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 0), ("Asia/Shanghai", 8), ("-03:30", -3.5), ("+0530", 5.5)]
)
def test_zoned_timestamps_show_their_own_clock(
    write: Write, zone: str, hours: float, unit: str
) -> None:
    written = write(pa.array([NOON.replace(tzinfo=UTC), None], pa.timestamp(unit, zone)))
    assert written.values == [pytest.approx(NOON_SERIAL + hours / 24, abs=1e-9), None]


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 0), ("America/New_York", -5), ("+08:00", 8), ("-0330", -3.5)]
)
@pytest.mark.parametrize("own", ["Asia/Shanghai", "+05:30"])
def test_zoned_timestamps_show_the_clock_asked_for(
    write: Write, own: str, zone: str, hours: float
) -> None:
    array = pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", own))
    written = write(array, timezone=zone)
    assert written.values == [pytest.approx(NOON_SERIAL + hours / 24, abs=1e-9)]


def test_a_clock_asked_for_changes_no_timestamp_without_a_zone(write: Write) -> None:
    assert write(pa.array([NOON]), timezone="Asia/Shanghai").values == [NOON_SERIAL]


def test_the_calendar_begins_by_the_clock_that_is_shown(write: Write) -> None:
    """At 1900-02-28 20:00 UTC it is already March in Tokyo."""
    array = pa.array([datetime(1900, 2, 28, 20, tzinfo=UTC)], pa.timestamp("s", "UTC"))
    assert write(array).texts == ["1900-02-28 20:00:00"]
    written = write(array, timezone="+09:00")
    assert written.values == [pytest.approx(61 + 5 / 24)]
    assert written.warnings == {}


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.date32()])
def test_a_moment_beyond_every_calendar_is_refused_and_not_made_up(
    write: Write, kind: pa.DataType
) -> None:
    """Databases send the least and the largest number for -infinity and infinity."""
    most = 2 ** (kind.bit_width - 1)
    with pytest.raises(ExporterError):
        write(pa.array([most - 1, -most], kind))


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.duration("s")])
def test_seconds_that_no_finer_unit_can_hold_are_refused_and_not_made_up(
    write: Write, kind: pa.DataType
) -> None:
    with pytest.raises(ExporterError):
        write(pa.array([2**62], kind))


@pytest.mark.parametrize(
    "kind", [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")], ids=str
)
def test_times_are_parts_of_a_day(write: Write, kind: pa.DataType) -> None:
    written = write(pa.array([time(18, 0), time(0, 0), None], kind))
    assert written.values == [0.75, 0.0, None]
    assert written.cells[0]
    assert written.cells[0].format == "hh:mm:ss"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_durations_are_days_shown_in_hours(write: Write, unit: str) -> None:
    written = write(pa.array([timedelta(hours=36), timedelta(0), None], pa.duration(unit)))
    assert written.values == [1.5, 0.0, None]
    assert written.cells[0]
    assert written.cells[0].format == "[h]:mm:ss"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_negative_durations_are_texts(write: Write, unit: str) -> None:
    written = write(pa.array([-timedelta(hours=36), timedelta(hours=6)], pa.duration(unit)))
    assert written.values == ["-36:00:00", 0.25]
    assert written.warnings == {"NEGATIVE_DURATIONS_AS_TEXT": 1}


@pytest.mark.parametrize(
    ("array", "option", "format_"),
    [
        (pa.array([date(2024, 2, 29)]), "date_format", "dd/mm/yyyy"),
        (pa.array([NOON]), "datetime_format", 'd"." mmmm yyyy'),
    ],
)
def test_the_formats_of_dates_and_timestamps_are_those_asked_for(
    write: Write, array: pa.Array, option: str, format_: str
) -> None:
    [cell] = write(array, **{option: format_}).cells
    assert cell
    assert cell.format == format_


# Warnings over the whole file


def test_warnings_count_over_every_block(workers: Workers) -> None:
    batch = pa.record_batch({"n": [float("nan")] * 20_000, "long": [10**15] * 20_000})
    with open_exporter("xlsx", io.BytesIO(), batch.schema, (), XlsxOptions(), workers) as exporter:
        exporter.write_batch(batch)
        exporter.write_batch(batch)
    found = [(each.code, each.count) for each in exporter.warnings]
    assert found == [("LONG_NUMBERS_AS_TEXT", 40_000), ("NON_FINITE_EMPTY", 40_000)]

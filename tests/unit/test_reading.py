"""Texts read as numbers, dates and booleans."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporters.reading import Reading, reading_of
from exporters.reading.booleans import booleans_of
from exporters.reading.dates import moments_of
from exporters.reading.notation import has_clock, in_excel, in_strftime, pattern_of
from exporters.reading.numbers import numbers_of


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


# Numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("-0", 0.0),
        ("7", 7.0),
        ("+7", 7.0),
        ("-1.50", -1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e5", 1e5),
        ("1.5E-7", 1.5e-7),
        ("0.000", 0.0),
        ("0e999", 0.0),
        ("999999999999999", 999_999_999_999_999.0),
        ("1.50000000000000000000", 1.5),
        ("0.000000000000000000001", 1e-21),
        ("1.5000000000000000000e3", 1500.0),
    ],
)
def test_a_number_is_read(text: str, value: float) -> None:
    found = numbers_of(texts(text, None))
    assert [float(each) for each in found.digits.drop_null().to_pylist()] == [value]
    assert found.long.to_pylist() == [False, False]


@pytest.mark.parametrize(
    "text",
    ["", "abc", "007", "-01", "00.5", "1,000", "1 000", " 5", "5 ", "1.2.3", "--5", "1e", "e5",
     ".", "-", "+", "0x10", "1_000", "inf", "NaN", "Infinity", "1e999", "-1e999", "1e-999",
     "٣", "１", "½", "1\n"],
)  # fmt: skip
def test_what_is_no_number_or_would_change_is_not_read(text: str) -> None:
    found = numbers_of(texts(text))
    assert (found.digits.to_pylist(), found.long.to_pylist()) == ([None], [False])


@pytest.mark.parametrize("text", ["1234567890123456", "-0.1234567890123456", "12345678901.23456"])
def test_a_number_over_fifteen_digits_is_long_and_not_read(text: str) -> None:
    found = numbers_of(texts(text))
    assert (found.digits.to_pylist(), found.long.to_pylist()) == ([None], [True])


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9
    )
)
def test_every_number_of_fifteen_digits_is_read_exactly(number: Decimal) -> None:
    (digits,) = numbers_of(texts(f"{number:f}")).digits.to_pylist()
    assert float(digits) == float(number)


@given(st.text(st.sampled_from("0123456789.-+eE"), max_size=8))
@example("")
@example("-")
def test_what_is_read_is_the_number_that_python_reads_written_as_xml_does(text: str) -> None:
    (digits,) = numbers_of(texts(text)).digits.to_pylist()
    if digits is not None:
        assert float(digits) == float(text)
        assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?", digits)


def test_digits_that_excel_would_write_alike_are_kept() -> None:
    kept = texts("1.50", None, "-3", "0", "123456789012345")
    assert numbers_of(kept).digits == kept


def test_the_odd_ones_are_read_in_their_places() -> None:
    found = numbers_of(texts("1", "x", None, "+2", "1234567890123456", "3.0"))
    assert found.digits.to_pylist() == ["1", None, None, "2.0", None, "3.0"]
    assert found.long.to_pylist() == [False, False, False, False, True, False]


# Booleans -----------------------------------------------------------------------------------


def test_booleans_are_read_in_any_case() -> None:
    words = texts("true", "TRUE", "1", "Yes", "y", "False", "0", "no", "N", "maybe", "", "2", None)
    assert booleans_of(words).to_pylist() == [True] * 5 + [False] * 4 + [None] * 4


def test_words_that_are_all_unknown_are_nulls() -> None:
    assert booleans_of(texts("a", "b")).to_pylist() == [None, None]


# Dates --------------------------------------------------------------------------------------


def read(
    text: str, pattern: str | None = None, zone: str | None = None
) -> tuple[datetime | None, bool | None]:
    clock = pattern is not None and "%H" in pattern
    found = moments_of(texts(text), pattern, clock=clock, zone=zone)
    return found.values[0].as_py(), found.days[0].as_py()


NEW_YEAR = datetime(2024, 1, 5)


@pytest.mark.parametrize("text", ["2024-01-05", "2024/01/05", "2024-1-5", "2024/1/5"])
def test_a_day_is_read(text: str) -> None:
    assert read(text) == (NEW_YEAR, True)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("2024-01-05 10:30", timedelta(hours=10, minutes=30)),
        ("2024-01-05T10:30:15", timedelta(hours=10, minutes=30, seconds=15)),
        ("2024/1/5 1:02:03", timedelta(hours=1, minutes=2, seconds=3)),
        ("2024-01-05 00:00:00", timedelta()),
        ("2024-01-05 10:30:15.5", timedelta(hours=10, minutes=30, seconds=15.5)),
        ("2024-01-05 00:00:00.123456789", timedelta(microseconds=123_456)),
        ("2024-01-05T10:30:15Z", timedelta(hours=10, minutes=30, seconds=15)),
        ("2024-01-05T10:30:15+08:00", timedelta(hours=10, minutes=30, seconds=15)),
        ("2024-01-05T10:30-0330", timedelta(hours=10, minutes=30)),
    ],
)
def test_a_time_is_read_by_its_own_clock(text: str, passed: timedelta) -> None:
    assert read(text) == (NEW_YEAR + passed, False)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2024-01-05T10:30:00+08:00", 2.5),
        ("2024-01-05 10:30-0330", 14),
        ("2024-01-05T10:30Z", 10.5),
    ],
)
def test_a_time_with_an_offset_is_shown_in_the_zone_that_was_asked_for(
    text: str, hours: float
) -> None:
    assert read(text, zone="UTC") == (NEW_YEAR + timedelta(hours=hours), False)
    there = NEW_YEAR + timedelta(hours=hours + 8)
    assert read(text, zone="Asia/Shanghai") == (there, False)


def test_a_time_without_an_offset_is_nobodys_zone() -> None:
    assert read("2024-01-05 10:30:00", zone="Asia/Shanghai")[0] == datetime(2024, 1, 5, 10, 30)


def test_what_is_counted_from_1970_is_read() -> None:
    assert read("1704450600") == (datetime(2024, 1, 5, 10, 30), False)
    assert read("1704450600123") == (datetime(2024, 1, 5, 10, 30, 0, 123_000), False)
    assert read("1704450600", zone="Asia/Shanghai") == (datetime(2024, 1, 5, 18, 30), False)
    assert read("-999999999")[0] == datetime(1938, 4, 24, 22, 13, 21)


@pytest.mark.parametrize(
    "text",
    ["", "0000-00-00", "0000-00-00 00:00:00", "2024-02-30", "2024-13-01", "2024-01-05 24:00:00",
     "05.01.2024", "20240105", "12345678", "2024-01-05 ", " 2024-01-05", "10:30", "yesterday",
     "2024-01-05T10:30:15+8", "99999999999", "2024-01-05T"],
)  # fmt: skip
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert read(text)[0] is None


@pytest.mark.parametrize(
    ("text", "pattern", "moment"),
    [
        ("05/01/2024", "%d/%m/%Y", NEW_YEAR),
        ("5/1/2024", "%d/%m/%Y", NEW_YEAR),
        ("01/05/2024", "%m/%d/%Y", NEW_YEAR),
        ("20240105", "%Y%m%d", NEW_YEAR),
        ("05.01.2024 10:30", "%d.%m.%Y %H:%M", datetime(2024, 1, 5, 10, 30)),
        ("2024年01月05日", "%Y年%m月%d日", NEW_YEAR),
        ("2024-01-05", "%d/%m/%Y", NEW_YEAR),
    ],
)
def test_a_pattern_is_tried_first_and_iso_after_it(
    text: str, pattern: str, moment: datetime
) -> None:
    assert read(text, pattern) == (moment, "%H" not in pattern)


def test_a_text_that_does_not_fit_its_pattern_is_not_read() -> None:
    assert read("31/31/2024", "%d/%m/%Y")[0] is None


@given(
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 30)),
    st.sampled_from(["T", " "]),
    st.one_of(st.none(), st.integers(-14 * 60, 14 * 60)),
)
def test_every_time_of_python_is_read(moment: datetime, between: str, offset: int | None) -> None:
    zone = None if offset is None else timezone(timedelta(minutes=offset))
    text = moment.replace(tzinfo=zone).isoformat(between)
    assert read(text) == (moment, False)
    if zone is not None and datetime(2, 1, 1) < moment:
        instant = moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
        assert read(text, zone="UTC") == (instant, False)


def test_a_block_may_hold_all_kinds() -> None:
    found = moments_of(
        texts("2024-01-05", "1704450600", None, "x", "2024/1/5 10:30"), None, clock=False, zone=None
    )
    noon = datetime(2024, 1, 5, 10, 30)
    assert found.values.to_pylist() == [NEW_YEAR, noon, None, None, noon]


# Notations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "strftime", "excel"),
    [
        ("Y-m-d", "%Y-%m-%d", "yyyy-mm-dd"),
        ("d/m/Y H:i:s", "%d/%m/%Y %H:%M:%S", "dd/mm/yyyy hh:mm:ss"),
        ("j.n.y", "%d.%m.%y", "d.m.yy"),
        ("D, d M Y", "%a, %d %b %Y", "ddd, dd mmm yyyy"),
        ("l j F Y", "%A %d %B %Y", "dddd d mmmm yyyy"),
        ("g:i A", "%I:%M %p", "h:mm AM/PM"),
        (r"Y\Y m", "%YY %m", r"yyyy\Y mm"),
        ("!d/m/Y|", "%d/%m/%Y", "dd/mm/yyyy"),
        ("Y年m月d日", "%Y年%m月%d日", "yyyy\\年mm\\月dd\\日"),
        ("%d.%m.%Y", "%d.%m.%Y", "dd.mm.yyyy"),
        ("%F %T", "%Y-%m-%d %H:%M:%S", "yyyy-mm-dd hh:mm:ss"),
        ("%-d/%-m/%Y 100%%", "%d/%m/%Y 100%%", "dd/mm/yyyy \\1\\0\\0\\%"),
        ("dd/mm/yyyy", "%d/%m/%Y", "dd/mm/yyyy"),
        ("YYYY-MM-DD hh:mm:ss", "%Y-%m-%d %H:%M:%S", "yyyy-mm-dd hh:mm:ss"),
        ("d-mmm-yy h:mm AM/PM", "%d-%b-%y %I:%M %p", "d-mmm-yy h:mm AM/PM"),
        ('yyyy"年"m"月"', "%Y年%m月", "yyyy\\年m\\月"),
        ("mm:ss", "%M:%S", "mm:ss"),
    ],
)
def test_a_pattern_in_any_notation_becomes_one_of_each(
    wish: str, strftime: str, excel: str
) -> None:
    pattern = pattern_of(wish)
    assert pattern is not None
    assert (in_strftime(pattern), in_excel(pattern)) == (strftime, excel)
    assert has_clock(pattern) == (":" in wish or "%T" in wish) or wish == "mm:ss"


@pytest.mark.parametrize("wish", ["", "nonsense", "%Q", "%", "yyyy]", "Y-m-d e", "-/-", "[h]:mm"])
def test_what_is_no_pattern_is_none(wish: str) -> None:
    assert pattern_of(wish) is None


@given(st.text(max_size=12))
@example("G")
@example("H:i")
@example("y")
@example("%j")
def test_no_wish_breaks_the_reading_of_dates(wish: str) -> None:
    reading = reading_of("date", wish)
    found = moments_of(texts("2024-01-05", "x"), reading.pattern, clock=reading.clock, zone=None)
    assert found.values[1].as_py() is None


# What is asked of a column ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "wish", "reading"),
    [
        ("number", None, Reading("number")),
        ("number", "", Reading("number")),
        ("number", "#,##0.00", Reading("number", "#,##0.00")),
        ("number", "currency", Reading("number", "currency")),
        ("number", "%.2f", Reading("number", ignored=True)),
        ("boolean", "yes/no", Reading("boolean", ignored=True)),
        ("date", "d/m/Y", Reading("date", "dd/mm/yyyy", "%d/%m/%Y")),
        ("date", "d/m/Y H:i", Reading("date", "dd/mm/yyyy hh:mm", "%d/%m/%Y %H:%M", clock=True)),
        ("date", "Y-m-d", Reading("date", "yyyy-mm-dd")),
        ("date", "U", Reading("date")),
        ("date", "c", Reading("date")),
        ("date", "nonsense", Reading("date", ignored=True)),
        ("date", "H:i", Reading("date", ignored=True)),
    ],
)
def test_a_wish_is_understood_or_ignored(kind: str, wish: str | None, reading: Reading) -> None:
    assert reading_of(kind, wish) == reading  # type: ignore[arg-type]

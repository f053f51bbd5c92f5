import json
from typing import Any

import pytest
from pydantic import ValidationError

from exporters import CsvOptions, FormatOptions, InvalidOptions, XlsxOptions
from exporters.xlsx.options import SHEET_ROWS

EVERY = [CsvOptions, XlsxOptions]


@pytest.mark.parametrize("options", EVERY)
def test_nothing_asked_means_the_defaults(options: type[FormatOptions]) -> None:
    assert options.parse({}) == options()


@pytest.mark.parametrize("options", EVERY)
def test_every_default_is_a_value_that_may_be_asked_for(options: type[FormatOptions]) -> None:
    defaults = {name: each["default"] for name, each in options.describe().items()}
    assert options.parse(defaults) == options()


@pytest.mark.parametrize("options", EVERY)
def test_every_option_is_described_in_json(options: type[FormatOptions]) -> None:
    described = json.loads(json.dumps(options.describe()))
    assert sorted(described) == sorted(options.model_fields)
    for each in described.values():
        assert each["description"]
        assert set(each) <= {"default", "description", "enum", "minimum", "maximum"}


def test_the_choices_and_bounds_are_described() -> None:
    described = XlsxOptions.describe()
    assert described["long_numbers"]["enum"] == ["text", "number"]
    assert (described["start_row"]["minimum"], described["start_row"]["maximum"]) == (1, 1000)
    assert described["rows_per_sheet"]["default"] == SHEET_ROWS - 1


def test_options_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match=r"frozen"):
        CsvOptions().header = False  # type: ignore[misc]


def test_an_option_mistyped_is_answered_with_the_nearest() -> None:
    message = r"^options.delimeter: csv has no such option; did you mean 'delimiter'\?$"
    with pytest.raises(InvalidOptions, match=message):
        CsvOptions.parse({"delimeter": ";"})


def test_an_option_of_another_format_is_answered_with_those_there_are() -> None:
    message = "^options.sheet_name: csv has no such option; it has: delimiter, header, line_term"
    with pytest.raises(InvalidOptions, match=message):
        CsvOptions.parse({"sheet_name": "x"})


@pytest.mark.parametrize(
    ("options", "values", "message"),
    [
        (CsvOptions, {"quoting": "all"}, "options.quoting: 'all' is not allowed.*'minimal'"),
        (CsvOptions, {"header": "yes"}, "options.header: 'yes' is not allowed.*boolean"),
        (CsvOptions, {"header": 1}, "options.header: 1 is not allowed.*boolean"),
        (CsvOptions, {"line_terminator": "\n"}, "options.line_terminator: .*'crlf'"),
        (CsvOptions, {"null": None}, "options.null: None is not allowed.*string"),
        (XlsxOptions, {"start_row": 0}, "options.start_row: 0 is not allowed.*1"),
        (XlsxOptions, {"start_row": 1001}, "options.start_row: 1001 is not allowed.*1000"),
        (XlsxOptions, {"start_row": 1.5}, "options.start_row: 1.5 is not allowed.*integer"),
        (XlsxOptions, {"start_row": "2"}, "options.start_row: '2' is not allowed.*integer"),
        (XlsxOptions, {"start_row": True}, "options.start_row: True is not allowed.*integer"),
        (XlsxOptions, {"rows_per_sheet": SHEET_ROWS}, "options.rows_per_sheet: 1048576 is not"),
        (XlsxOptions, {"rows_per_sheet": 0}, "options.rows_per_sheet: 0 is not allowed"),
        (XlsxOptions, {"timezone": "Mars"}, "options.timezone: 'Mars' is not allowed.*'Asia/Sh"),
        (XlsxOptions, {"timezone": "+99:99"}, r"options.timezone: '\+99:99' is not allowed"),
        (XlsxOptions, {"date_format": ""}, "options.date_format: '' is not allowed.*'yyyy-mm-dd'"),
        (XlsxOptions, {"datetime_format": "0" * 256}, "options.datetime_format: .*1 to 255"),
        (XlsxOptions, {"date_format": "yyyy Q"}, "options.date_format: 'yyyy Q' is not .*'Q' at"),
        (XlsxOptions, {"datetime_format": "dates"}, "options.datetime_format: .* mean 'date'"),
        (XlsxOptions, {"compression": 9}, "options.compression: 9 is not allowed.*'small'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_right(
    options: type[FormatOptions], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidOptions, match=message):
        options.parse(values)


def test_a_long_wrong_value_is_shown_briefly() -> None:
    with pytest.raises(InvalidOptions) as refused:
        CsvOptions.parse({"quoting": "x" * 10_000})
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "\x1f", "^"])
def test_a_delimiter_is_one_character(delimiter: str) -> None:
    assert CsvOptions.parse({"delimiter": delimiter}).delimiter == delimiter


def test_tab_is_the_word_for_the_tab() -> None:
    assert CsvOptions.parse({"delimiter": "tab"}).delimiter == "\t"


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0", "，", "\xa0"])
def test_what_cannot_delimit_is_refused(delimiter: str) -> None:
    with pytest.raises(InvalidOptions, match=r"options.delimiter: .*one ASCII character"):
        CsvOptions.parse({"delimiter": delimiter})


@pytest.mark.parametrize("delimiter", list("5e-.: "))
def test_a_delimiter_that_stands_in_numbers_and_dates_is_refused(delimiter: str) -> None:
    """They are written without quotes: 1.5 and 2024-01-01 12:00 would fall apart."""
    with pytest.raises(InvalidOptions, match=r"options.delimiter: "):
        CsvOptions.parse({"delimiter": delimiter})


@pytest.mark.parametrize("null", ["", "NULL", "\\N", "n/a", "空"])
def test_null_may_be_any_text(null: str) -> None:
    assert CsvOptions.parse({"null": null}).null == null


@pytest.mark.parametrize("null", ['"', "a\nb", "\r"])
def test_a_text_for_null_that_would_need_quotes_is_refused(null: str) -> None:
    with pytest.raises(InvalidOptions, match=r"options.null: .*without quotes and line ends"):
        CsvOptions.parse({"null": null})


@pytest.mark.parametrize(("null", "delimiter"), [("n,a", ","), ("a;b", ";"), ("\t", "tab")])
def test_a_text_for_null_that_holds_the_delimiter_is_refused(null: str, delimiter: str) -> None:
    """It stands without quotes: its row would have a column too many."""
    with pytest.raises(InvalidOptions, match=r"options.*null"):
        CsvOptions.parse({"null": null, "delimiter": delimiter})


@pytest.mark.parametrize("name", ["Orders", "2024", "O'Neill", "订单", "a" * 31, "a b (c)"])
def test_a_sheet_may_be_called_as_excel_lets_it(name: str) -> None:
    assert XlsxOptions.parse({"sheet_name": name}).sheet_name == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "a" * 32, "a/b", "a\\b", "a[b", "a]b", "a:b", "a*b", "a?b", "'a", "a'", "History",
     "hISTORY", "a\nb", "\x07"],
)  # fmt: skip
def test_a_sheet_name_that_excel_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidOptions, match=r"options.sheet_name: .* is not allowed; Excel"):
        XlsxOptions.parse({"sheet_name": name})


def test_a_sheet_name_is_measured_as_excel_does() -> None:
    """In UTF-16 units: an emoji is two."""
    assert XlsxOptions.parse({"sheet_name": "😀" * 15})
    with pytest.raises(InvalidOptions, match=r"options.sheet_name: .* 1 to 31 characters"):
        XlsxOptions.parse({"sheet_name": "😀" * 16})


@pytest.mark.parametrize("wish", ["date", "datetime", "d.m.yy", 'yyyy"年"', "General"])
def test_a_date_format_is_a_name_or_a_code(wish: str) -> None:
    assert XlsxOptions.parse({"date_format": wish}).date_format == wish
    assert XlsxOptions.parse({"datetime_format": wish}).datetime_format == wish


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai", "+08:00", "-0330"])
def test_a_zone_is_a_name_or_an_offset(zone: str | None) -> None:
    assert XlsxOptions.parse({"timezone": zone}).timezone == zone

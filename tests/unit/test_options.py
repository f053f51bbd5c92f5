import json
from typing import Any

import pytest
from pydantic import ValidationError

from exporters import CsvOptions, FormatOptions, InvalidOptions, XlsxOptions
from exporters.xlsx.features import MAX_FORMULA, MAX_LIST, CellStyle
from exporters.xlsx.options import SHEET_ROWS

EVERY = [CsvOptions, XlsxOptions]

HOUSE = {"house": {"autofilter": True, "header_style": {"bold": True, "color": "#FF0000"}}}


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


def test_the_styles_are_described_as_choices() -> None:
    assert XlsxOptions.describe()["style"]["enum"] == ["banded", "plain", "report"]
    described = XlsxOptions.describe({"house": {}, "plain": {}})
    assert described["style"]["enum"] == ["banded", "house", "plain", "report"]
    assert CsvOptions.describe(HOUSE) == CsvOptions.describe()


def test_options_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match=r"frozen"):
        CsvOptions().header = False  # type: ignore[misc]


def test_an_option_mistyped_is_answered_with_the_nearest() -> None:
    message = r"^options.delimeter: csv has no such option; did you mean 'delimiter'\?$"
    with pytest.raises(InvalidOptions, match=message):
        CsvOptions.parse({"delimeter": ";"})


def test_an_option_of_another_format_is_answered_with_those_there_are() -> None:
    message = "^options.sheet_name: csv has no such option; it has: compression, date_format, .*"
    with pytest.raises(InvalidOptions, match=message):
        CsvOptions.parse({"sheet_name": "x"})


@pytest.mark.parametrize(
    ("options", "values", "message"),
    [
        (CsvOptions, {"quoting": "some"}, "options.quoting: 'some' is not allowed.*'minimal'"),
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


class TestStyles:
    def test_one_that_is_named_gives_its_options(self) -> None:
        parsed = XlsxOptions.parse({"style": "house"}, HOUSE)
        assert parsed.autofilter
        assert parsed.header_style.color == "#FF0000"

    def test_what_the_caller_says_goes_before_it_option_by_option(self) -> None:
        values = {"style": "house", "header_style": {"italic": True}}
        parsed = XlsxOptions.parse(values, HOUSE)
        assert parsed.autofilter
        assert parsed.header_style == CellStyle(italic=True)

    def test_one_of_a_built_in_name_is_instead_of_that(self) -> None:
        parsed = XlsxOptions.parse({"style": "report"}, {"report": {"title": "R"}})
        assert parsed == XlsxOptions.parse({"style": "report", "title": "R"}, {"report": {}})
        assert not parsed.landscape

    def test_who_names_none_gets_plain(self) -> None:
        plain = {"plain": {"autofilter": True}}
        assert XlsxOptions.parse({}, plain).autofilter
        assert XlsxOptions.parse({"style": "plain"}, plain).autofilter
        assert not XlsxOptions.parse({"autofilter": False}, plain).autofilter
        assert not XlsxOptions.parse({"style": "banded", "autofilter": False}, plain).autofilter
        assert XlsxOptions.parse({"style": "report"}, plain).landscape

    def test_a_format_without_styles_has_that_of_who_names_none(self) -> None:
        plain = {"plain": {"header": False, "null": "-"}}
        assert CsvOptions.parse({"null": "NULL"}, plain) == CsvOptions(header=False, null="NULL")
        assert CsvOptions.describe(plain)["null"]["default"] == "-"
        assert CsvOptions.parse({}, plain).effective() == plain["plain"]

    def test_a_format_without_styles_takes_no_name_of_one(self) -> None:
        with pytest.raises(InvalidOptions, match=r"options.style: csv has no such option"):
            CsvOptions.parse({"style": "plain"})

    @pytest.mark.parametrize("name", ["huose", "zzz"])
    def test_an_unknown_one_is_answered_with_those_there_are(self, name: str) -> None:
        with pytest.raises(InvalidOptions) as refused:
            XlsxOptions.parse({"style": name}, HOUSE)
        message = str(refused.value)
        assert message.startswith(f"options.style: '{name}' is not a style")
        assert message.endswith("; there are: banded, house, plain, report")

    def test_null_is_no_style(self) -> None:
        with pytest.raises(InvalidOptions, match=r"options.style: None is not allowed"):
            XlsxOptions.parse({"style": None})


class TestWhatIsInEffect:
    def test_nothing_is_when_nothing_is_asked(self) -> None:
        assert XlsxOptions.parse({}).effective() == {}
        assert CsvOptions.parse({"delimiter": ",", "header": True}).effective() == {}

    def test_what_a_style_says_is_but_not_its_name(self) -> None:
        styled = XlsxOptions.parse({"style": "house"}, HOUSE)
        assert styled.effective() == HOUSE["house"]
        assert styled.effective() == XlsxOptions.parse(HOUSE["house"]).effective()

    def test_what_the_caller_took_back_is_not(self) -> None:
        values = {"style": "house", "autofilter": False}
        assert list(XlsxOptions.parse(values, HOUSE).effective()) == ["header_style"]

    def test_it_is_json_that_means_the_same(self) -> None:
        values = {"title": "T", "totals": {"a": "sum"}, "header_style": {"size": 9}}
        options = XlsxOptions.parse(values)
        assert XlsxOptions.parse(json.loads(json.dumps(options.effective()))) == options


def test_a_mistyped_key_of_an_option_is_answered_with_the_nearest() -> None:
    message = r"^options.header_style.colour: there is no such key; did you mean 'color'\?$"
    with pytest.raises(InvalidOptions, match=message):
        XlsxOptions.parse({"header_style": {"colour": "#FF0000"}})


def test_a_key_of_an_option_like_none_is_answered_with_those_there_are() -> None:
    with pytest.raises(InvalidOptions, match=r"no such key; there are: bold, italic, "):
        XlsxOptions.parse({"header_style": {"x": 1}})


def test_a_key_that_an_item_of_a_list_forbids_is_named() -> None:
    rule = {"type": "data_bar", "column": "a", "x": 1}
    with pytest.raises(InvalidOptions, match=r"^options.conditional_formats\[0\].*no such key$"):
        XlsxOptions.parse({"conditional_formats": [rule]})


# What a workbook has around its rows


def formula(text: str, **more: Any) -> dict[str, Any]:
    return {"formulas": [{"header": "f", "formula": text, **more}]}


def rule(kind: str, **more: Any) -> dict[str, Any]:
    return {"conditional_formats": [{"type": kind, "column": "a", "style": {"bold": True}, **more}]}


def choices(*values: str, **more: Any) -> dict[str, Any]:
    return {"validations": [{"column": "a", "values": list(values), **more}]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"title": ""}, "options.title: '' is not allowed; Excel takes 1 to 255 characters"),
        ({"title": "😀" * 128}, "options.title: .*Excel takes 1 to 255"),
        ({"title": "a\tb"}, r"options.title: .*'\\t' cannot be kept in a workbook"),
        ({"title": "x", "start_row": 1}, "a title needs start_row 2 or more, because"),
        ({"totals_label": "_x0041_"}, "options.totals_label: .*'_x0041_' cannot be kept"),
        ({"title_style": {"size": 0.5}}, "options.title_style.size: 0.5 is not .* equal to 1"),
        ({"title_style": {"size": 410}}, "options.title_style.size: 410 is not .* to 409"),
        ({"title_style": {"font": "x" * 32}}, "options.title_style.font: .*31 characters"),
        ({"header_style": {"color": "red"}}, "options.header_style.color: 'red' .*'#1F4E78'"),
        ({"header_style": {"color": "#12345G"}}, "options.header_style.color: '#12345G' .*'#1F"),
        (
            {"header_style": {"align": "middle"}},
            "options.header_style.align: .*'center' or 'right'",
        ),
        ({"header_style": {"border": "thick"}}, "options.header_style.border: .*'bottom' or 'all'"),
        ({"header_style": {"bold": 1}}, "options.header_style.bold: 1 is not allowed.*boolean"),
        ({"header_style": {"colour": "#000000"}}, "options.header_style.colour: there is no such"),
        ({"table_style": "light 22"}, "options.table_style: 'light 22' .*'light 1' to '21'"),
        ({"table_style": "Light 1"}, "options.table_style: 'Light 1' .*'light 1' to '21'"),
        ({"table_style": "medium 0"}, "options.table_style: 'medium 0' .*'medium 1' to '28'"),
        ({"freeze_columns": 1001}, "options.freeze_columns: 1001 is not allowed.*1000"),
        ({"hidden_columns": "a"}, "options.hidden_columns: 'a' is not allowed.*list"),
        ({"urls": [1]}, r"options.urls\[0\]: 1 is not allowed.*string"),
        ({"totals": {"a": "median"}}, "options.totals.a: 'median' is not .*'min' or 'max'"),
        ({"protection": "yes"}, "options.protection: 'yes' .*'none', 'recommended' or 'locked'"),
        ({"properties": {"titel": "x"}}, "options.properties.titel: there is no such key"),
        ({"properties": {"title": "a\x00"}}, "options.properties.title: .*cannot be kept"),
        (
            {"style": "fancy"},
            "^options.style: 'fancy' is not a style; there are: banded, plain, rep",
        ),
        (
            {"style": "reprot"},
            r"^options.style: 'reprot' is not a style; did you mean 'report'\?; there",
        ),
        ({"style": None}, "options.style: None is not allowed.*string"),
        ({"sheet_names": {"a": "x"}}, "sheet_names needs split_by, the column"),
        ({"sheet_names": {"a": "x/y"}, "split_by": "c"}, "options.sheet_names.a: 'x/y' .*refuses"),
        ({"sheet_names": {"a": "x", "b": "X"}, "split_by": "c"}, "two sheets are called 'X'"),
        ({"split_by": 1}, "options.split_by: 1 is not allowed.*string"),
    ],
)
def test_what_is_asked_of_a_workbook_is_refused_with_its_key_and_what_is_right(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidOptions, match=message):
        XlsxOptions.parse(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (formula(""), r"options.formulas\[0\].formula: '' is not allowed"),
        (
            formula("="),
            r"formulas\[0\].formula: '=' is not allowed; use a formula such as '={price}",
        ),
        (formula("={a"), r"formula: '={a' is not allowed; use a formula such as"),
        (formula("=}"), r"formula: '=}' is not .*write braces as {{ and }}"),
        (formula("={}"), r"formula: '={}' is not .*single braces around columns only"),
        (formula("={a!r}"), r"formula: '={a!r}' is not .*around columns only"),
        (formula("={a:.2f}"), r"formula: '={a:.2f}' is not .*around columns only"),
        (formula("=1\x01"), r"formula: .*cannot be kept in a workbook"),
        (formula("=" + "1" * MAX_FORMULA), r"formula: .*at most 8192 characters"),
        (formula("=1", format="0 kg"), r"options.formulas\[0\].format: '0 kg' is not .*'kg' at"),
        (formula("=1", width=0), r"options.formulas\[0\].width: 0 is not allowed.*greater than 0"),
        (formula("=1", width=256), r"options.formulas\[0\].width: 256 is not allowed.*255"),
        (formula("=1", name="x"), r"options.formulas\[0\].name: there is no such key"),
        ({"formulas": [{"header": "f"}]}, r"options.formulas\[0\].formula is missing"),
        ({"formulas": [{"formula": "=1"}]}, r"options.formulas\[0\].header is missing"),
    ],
)
def test_a_formula_that_cannot_be_one_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        XlsxOptions.parse(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (rule("colour_scale"), r"formats\[0\]: .*'colour_scale' .*'color_scale', 'data"),
        ({"conditional_formats": [{"column": "a"}]}, r"options.conditional_formats\[0\]: .*'type'"),
        (rule("duplicate", column=1), r"options.conditional_formats\[0\].column: 1 is not allowed"),
        (rule("duplicate", value=1), r"conditional_formats\[0\].value: there is no such key"),
        (rule("data_bar"), r"options.conditional_formats\[0\].style: there is no such key"),
        (rule("cell", criteria="=="), r"conditional_formats\[0\].criteria: '==' is not .*'!='"),
        (rule("cell", criteria=">"), r"options.conditional_formats\[0\].value is missing"),
        (rule("cell", criteria=">", value=[]), r"formats\[0\].value: \[\] is not allowed"),
        (rule("cell", criteria=">", value=float("nan")), r"\[0\].value: nan is not .*finite"),
        (rule("cell", criteria=">", value=float("inf")), r"\[0\].value: inf is not .*finite"),
        (rule("cell", criteria="between", value=1), "'between' and 'not between' need a maximum"),
        (rule("cell", criteria=">", value=1, maximum=2), "the others take none"),
        (rule("text", criteria="contains", value="x"), r"criteria: 'contains' .*'containing'"),
        (rule("text", criteria="containing", value=""), r"\[0\].value: '' is not .*1 to 255"),
        (rule("top", count=0), r"conditional_formats\[0\].count: 0 is not allowed"),
        (rule("top", count=101, percent=True), "count is a percentage, at most 100"),
        (rule("formula", formula="={a"), r"conditional_formats\[0\].formula: '={a' is not allowed"),
        (rule("formula", formula="={a}={{1}}"), r"\[0\].formula: .*takes no array.*in a condition"),
        (rule("formula"), r"options.conditional_formats\[0\].formula is missing"),
        (rule("formula", formula="=1", style={"bold": 1}), r"\[0\].style.bold: 1 is not allowed"),
        (rule("unique", style={"size": 9}), r"style: .*changes no size by a condition; use bold"),
        (rule("unique", style={"wrap": False}), r"\[0\].style: .*no wrap by a condition"),
        ({"conditional_formats": [{"type": "color_scale", "column": "a", "colors": ["#000000"]}]},
         r"conditional_formats\[0\].colors: .*at least 2"),
        ({"conditional_formats": [{"type": "data_bar", "column": "a", "color": "blue"}]},
         r"conditional_formats\[0\].color: 'blue' is not .*'#1F4E78'"),
    ],
)  # fmt: skip
def test_a_conditional_format_that_cannot_be_one_is_refused(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidOptions, match=message):
        XlsxOptions.parse(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (choices(), r"options.validations\[0\].values: \[\] is not allowed.*at least 1"),
        (choices("a,b"), r"options.validations\[0\]: .*use values without one"),
        (choices(""), r"options.validations\[0\].values\[0\]: '' is not allowed; Excel takes 1 to"),
        (choices("x" * 127, "x" * 128), r"the values are 256 characters together; Excel takes 255"),
        (choices("😀" * 127, "ab"), r"the values are 257 characters together"),
        (choices('"' * 128), r"the values are 256 characters together"),
        (choices("a", error="x" * 256), r"options.validations\[0\].error: .*1 to 255"),
        (choices("a", error="\x02"), r"options.validations\[0\].error: .*cannot be kept"),
        (choices("a", title="x"), r"options.validations\[0\].title: there is no such key"),
    ],
)
def test_a_list_that_excel_does_not_take_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        XlsxOptions.parse(values)


def test_a_list_may_be_as_long_as_excel_takes() -> None:
    longest = choices("x" * 127, "x" * (MAX_LIST - 128))
    assert XlsxOptions.parse(longest).validations


@pytest.mark.parametrize("style", [f"{name} {n}" for name, n in [("light", 21), ("dark", 1)]])
def test_table_styles_are_excels_own(style: str) -> None:
    assert XlsxOptions.parse({"table_style": style}).table_style == style


@pytest.mark.parametrize(
    ("values", "start_row"),
    [({}, 1), ({"title": "x"}, 3), ({"title": "x", "start_row": 2}, 2), ({"title": None}, 1)],
)
def test_a_title_makes_room_for_itself(values: dict[str, Any], start_row: int) -> None:
    assert XlsxOptions.parse(values).start_row == start_row


def test_a_style_is_a_set_of_options_before_which_others_go() -> None:
    options = XlsxOptions.parse({"style": "report", "landscape": False})
    assert (options.landscape, options.autofilter, options.style) == (False, True, "report")


def test_styles_of_ones_own_are_known_beside_ours() -> None:
    styles = {"house": {"freeze_columns": 2}, "report": {"landscape": False}}
    assert XlsxOptions.parse({"style": "house"}, styles).freeze_columns == 2
    assert not XlsxOptions.parse({"style": "report"}, styles).landscape
    with pytest.raises(InvalidOptions, match="there are: banded, house, plain, report"):
        XlsxOptions.parse({"style": "x"}, styles)


def test_what_a_style_asks_is_refused_as_if_it_were_asked() -> None:
    with pytest.raises(InvalidOptions, match=r"options.freeze_columns: -1 is not allowed"):
        XlsxOptions.parse({"style": "house"}, {"house": {"freeze_columns": -1}})


def test_csv_has_no_styles() -> None:
    with pytest.raises(InvalidOptions, match=r"options.style: csv has no such option"):
        CsvOptions.parse({"style": "report"})


def test_a_feature_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        XlsxOptions().title_style.bold = True  # type: ignore[misc]

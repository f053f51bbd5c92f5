import io
import zipfile

import openpyxl
import pytest
import xlsxwriter
from openpyxl.styles.numbers import BUILTIN_FORMATS

from exporters.number_formats import (
    NAMED_FORMATS,
    check_format,
    check_number_format,
    shown_code,
    shows_time,
    written_format,
)

OF_EXCEL = [
    # As ECMA-376 part 1, 18.8.30 lists them, and as [MS-OI29500] 2.1.712 corrects them.
    "General", "0", "0.00", "#,##0", "#,##0.00",
    '"$"#,##0_);("$"#,##0)', '"$"#,##0_);[Red]("$"#,##0)',
    '"$"#,##0.00_);("$"#,##0.00)', '"$"#,##0.00_);[Red]("$"#,##0.00)',
    "0%", "0.00%", "0.00E+00", "# ?/?", "# ??/??",
    "mm-dd-yy", "m/d/yyyy", "d-mmm-yy", "d-mmm", "mmm-yy",
    "h:mm AM/PM", "h:mm:ss AM/PM", "h:mm", "h:mm:ss", "m/d/yy h:mm", "m/d/yyyy h:mm",
    "#,##0 ;(#,##0)", "#,##0 ;[Red](#,##0)", "#,##0.00;(#,##0.00)", "#,##0.00;[Red](#,##0.00)",
    "#,##0_);(#,##0)", "#,##0_);[Red](#,##0)", "#,##0.00_);(#,##0.00)",
    "#,##0.00_);[Red](#,##0.00)",
    r'_(* #,##0_);_(* \(#,##0\);_(* "-"_);_(@_)',
    r'_("$"* #,##0_);_("$"* \(#,##0\);_("$"* "-"_);_(@_)',
    r'_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)',
    r'_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)',
    "mm:ss", "[h]:mm:ss", "mmss.0", "mm:ss.0", "##0.0E+0", "@",
]  # fmt: skip

OF_EXCEL_IN_ASIA = [
    "[$-404]e/m/d", '[$-404]e"年"m"月"d"日"', "m/d/yy", '上午/下午h"時"mm"分"',
    '上午/下午h"時"mm"分"ss"秒"', 'hh"時"mm"分"', 'hh"時"mm"分"ss"秒"',
    'yyyy"年"m"月"', 'm"月"d"日"', 'yyyy"年"m"月"d"日"', 'h"时"mm"分"', 'h"时"mm"分"ss"秒"',
    '上午/下午h"时"mm"分"', "[$-411]ge.m.d", '[$-411]ggge"年"m"月"d"日"', 'h"時"mm"分"ss"秒"',
    'yyyy"年" mm"月" dd"日"', 'h"시" mm"분"', 'h"시" mm"분" ss"초"', "yyyy-mm-dd", "yyyy/mm/dd",
    "[$-411]aaaa", "aaa;@", 'bbbb"พ"', "B2d/m/yyyy", "[$-D00041E]0",
    '[DBNum1][$-804]yyyy"年"m"月"d"日";@', "[DBNum1][$-804]General", "[DBNum2]0",
    "[DBNum4][$-412]0", "yyyy年m月d日", "[$-ja-JP-x-gannen,80]ggge年",
]  # fmt: skip

OF_PEOPLE = [
    r"_-* #,##0.00\ [$€-407]_-", r"#,##0.00\ [$€-40C]", "[$¥-804]#,##0.00", "[$AUD]\\ #,##0.00",
    r"[$RD$-1C0A]#,##0.00;[Red]\-[$RD$-1C0A]#,##0.00", "#,##0.00[$₹-449]", "$#,##0.00",
    "#,##0.00 €;-#,##0.00 €", "¥#,##0", r'_-"€"\ * #,##0.00_-;_-"€"\ * #,##0.00\-;_-@_-',
    '0.0,,"M"', "#.0000,,", '[>999999]#,,"M";[>999]#,"K";#', "0.00,%", "#,##0,",
    "[<=9999999]###-####;(###) ###-####", r"000\-00\-0000", "00000-0000", "+1 (000) 000-0000",
    '[<0]"";0%', '[=0]?;[<4.16666666666667][hh]:mm:ss;[hh]:mm', "[<>50]0", "[>= 1.5E+3]0",
    "[Red][<-25]General;[Blue][>25]General;[Green]General;[Yellow]General\\ ",
    "[<50][Red]0;[Color 3]0", "[Color56]0", "[COLOR1]0", '"Yes";"Yes";"No";@', "0;-0;;@", ";;;",
    ";", "0;;", "#\\ ?/8", "# ??/16", "?/100", "# ???/???", "#,##0 ?/?", "0.00E-0", '0 E+ 0" J"',
    "h:mm:ss.000", "s.0", "s.00", "[mm]:ss.00", "[ss]", "[s].000", "[hhh]", "hh .00 .000",
    "A/P", "h:mm a/p", "h am/pm", "AM/PM hh:mm", "GENERAL", "general", '-General" pcs"',
    "y", "yyy", "MMMMM", "dddd, mmmm dd, yyyy", "DD/MM/YYYY", "YYYY-MM-DD HH:MM:SS", "hhmm",
    r"yyyy\-mm\-dd\Thh:mm", 'yyyy-mm-dd"T"hh:mm', "e", "gg", "b ", "d/", "HH[MM]", "d, 1",
    "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "[$-F400]h:mm:ss\\ AM/PM", "[$-x-sysdate]dddd dd",
    "[$-en-US]mmm d", "[$-2060401]d/mm/yyyy\\ h:mm;@", "[$-409]#,##0 [$€-407]", '"kl "hh:mm:ss;@',
    "@@", '"Order "@" of today"', "[Blue]@", '" "0', "0_)", "0_ ", "* 0", "**0", "0*_", '_"0',
    '0_";0', r"**\ #,###,#00,000.00,**", "00.00.00.000", '0"a"."b"0', r"0\"", r"\#\"\\0", "0\n0",
    '0"\n"', "0! & ' ~ { } < > = ^ : ` | ]", "0 ° µ", "$-+()", "%", ".", ",", "\\ü0", '"É"0',
    "0 😀",
]  # fmt: skip

REFUSED = {
    "": "1 to 255 characters, as 'yyyy-mm-dd'",
    "0" * 256: "1 to 255 characters",
    "😀" * 128: "1 to 255 characters",
    "0;0;0;@;": "5 sections are parted by ';'; Excel takes 4",
    '0 "kg': "the text that begins at character 3 has no end; close it with another '\"'",
    '"a" "': "at character 5 has no end",
    "0\\": r"'\\\\' at character 2 needs a character after it",
    "0_": "'_' at character 2 needs a character after it",
    "0;*": r"'\*' at character 3 needs a character after it",
    "[Red0": "the bracket that begins at character 1 has no end; close it with ']'",
    "0[Orange]": r"'\[Orange\]' at character 2 is no colour, .*; use one such as \[Red\]",
    "[Color0]0": "no colour",
    "[Color57]0": "no colour",
    "[=>1]0": "condition",
    "[>a]0": "condition",
    "[>1.2.3]0": "condition",
    "[hm]": "elapsed time",
    "[$]0": "locale",
    "[]": "no colour",
    "[DBNum5]0": "locale",
    "[NatNum1]0": "locale",
    "0 kg": "'kg' at character 3 means nothing in a number format; .* into quotes, as \"kg\"$",
    "yyyy-mm-ddThh:mm": "'T' at character 11 .*as \"T\"$",
    "dd.MM.yyyy Uhr": "'Uhr' at character 12",
    "n": "'n' at character 1",
    "E": "'E' at character 1",
    "0.00E00": "'E' at character 5",
    "É0": "'É' at character 1",
    "0ñ": "'ñ' at character 2",
    "yB": "'B' at character 2",
    "0\x7f": r"'\\x7f' at character 2",
    "0\t0": r"'\\t' at character 2 cannot be kept in a workbook; leave it out",
    '"\r"': "cannot be kept",
    '"\x00"': "cannot be kept",
    '"\ud800"': "cannot be kept",
    '"\uffff"': "cannot be kept",
    '"_x0041_"': "'_x0041_' at character 2 cannot be kept",
    "0.00e+00": "section 1 has e, .* write an exponent as 0.00E",
    "yyyy 0": "section 1 mixes a date or time with a number or text",
    "0;# d": "section 2 mixes",
    "h %": "mixes",
    "mm@": "mixes",
    "General d": "mixes",
    "s.0000": "mixes",
    ".0 s": "mixes",
    "hh:mm:ss,000": "mixes",
    "AM/PM 0": "mixes",
    "0 General": "section 1 has General beside another format",
    "General%": "General beside",
    "GeneralGeneral": "General beside",
    "0@": "section 1 has @, which is for texts, beside digits",
    "@;0": "@ stands before the last section; put the section for texts last",
    "@;@": "@ stands before",
    "0;0;0;0": "the fourth section is for texts; use @",
    "0;0;0;yyyy": "the fourth section is for texts",
    "0.0E+": "section 1 has an exponent without digits; write it as 0.00E",
    "E+0": "exponent",
    "0E+0E+0": "exponent",
    "/": r"section 1 has a / that parts no fraction such as # \?/\?; write \\/ to show one",
    "0/": "fraction",
    "/0": "fraction",
    "1/2": "fraction",
    "0.0/0": "fraction",
    "0E+0/0": "fraction",
    "0/0/0": "fraction",
    "#,##0/0": "fraction",
    "0/#,#": "fraction",
    "@/": "fraction",
    "[Red][Blue]0": "section 1 has two colours",
    "[>1][<5]0": "section 1 has two conditions",
    "[>1]0;[>2]0;[>3]0": "more than two sections have a condition; Excel takes two",
    "[h]:[mm]": r"section 1 counts a unit of time twice; .* as \[h\]:mm:ss",
    "[h]h": "twice",
    "ss[ss]": "twice",
    "14": "no place for a value; use a name as 'date', or a code as '0.00'",
}  # fmt: skip


def read_back(*formats: str | int) -> list[str]:
    """What openpyxl says of cells that XlsxWriter formats so, in one workbook."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        sheet = workbook.add_worksheet()
        for row, each in enumerate(formats):
            sheet.write_number(row, 0, 1, workbook.add_format({"num_format": each}))
    return [row[0].number_format for row in openpyxl.load_workbook(data).active.iter_rows()]


@pytest.mark.parametrize("code", [*OF_EXCEL, *OF_EXCEL_IN_ASIA, *OF_PEOPLE])
def test_what_excel_takes_is_taken(code: str) -> None:
    assert check_number_format(code) == code
    assert check_format(code) == code


def test_the_formats_of_excel_that_openpyxl_knows_are_taken() -> None:
    """But for 44: openpyxl has lost its semicolons, and a section has one @ at most."""
    codes = [code for index, code in BUILTIN_FORMATS.items() if index != 44]
    assert [check_number_format(code) for code in codes] == codes


@pytest.mark.parametrize("code", REFUSED)
def test_what_excel_cannot_parse_is_refused_in_one_sentence(code: str) -> None:
    with pytest.raises(ValueError, match=REFUSED[code]) as refused:
        check_number_format(code)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_code_may_have_255_characters_as_excel_counts() -> None:
    assert check_number_format("0" * 255)
    assert check_number_format("😀" * 127 + "0")


def test_a_code_is_written_as_it_is() -> None:
    codes = list(dict.fromkeys([*OF_EXCEL, *OF_EXCEL_IN_ASIA, *OF_PEOPLE]))
    assert read_back(*map(written_format, codes)) == codes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("currency", BUILTIN_FORMATS[7]),
        ("date", BUILTIN_FORMATS[14]),
        ("datetime", BUILTIN_FORMATS[22]),
        ("integer", "#,##0"),
        ("number", "#,##0.00"),
        ("percent", "0.00%"),
        ("text", "@"),
        ("time", BUILTIN_FORMATS[21]),
    ],
)
def test_a_name_is_written_as_its_format(name: str, code: str) -> None:
    assert read_back(written_format(check_format(name))) == [code]


def test_every_name_is_written_as_a_format_of_its_own() -> None:
    assert len(set(read_back(*NAMED_FORMATS.values()))) == len(NAMED_FORMATS)


def test_what_follows_the_readers_region_has_no_code_in_the_workbook() -> None:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        for name in ("currency", "date", "datetime", "time"):
            look = workbook.add_format({"num_format": written_format(name)})
            workbook.add_worksheet().write_number(0, 0, 1, look)
    with zipfile.ZipFile(data) as archive:
        styles = archive.read("xl/styles.xml").decode()
    assert "formatCode" not in styles
    assert all(f'numFmtId="{index}"' in styles for index in (7, 14, 21, 22))


@pytest.mark.parametrize("name", NAMED_FORMATS)
def test_no_name_is_a_code(name: str) -> None:
    with pytest.raises(ValueError, match="means nothing in a number format"):
        check_number_format(name)


@pytest.mark.parametrize("index", [each for each in NAMED_FORMATS.values() if type(each) is int])
def test_no_index_is_a_code(index: int) -> None:
    """XlsxWriter tells formats apart by their text: '14' would be written as 14, a date."""
    with pytest.raises(ValueError, match="no place for a value"):
        check_format(str(index))


@pytest.mark.parametrize("wish", ["Date", "DATE", "dates"])
def test_a_name_mistyped_is_answered_with_the_nearest(wish: str) -> None:
    with pytest.raises(ValueError, match=r"; did you mean 'date'\?$"):
        check_format(wish)


@pytest.mark.parametrize(
    "wish",
    ["date", "datetime", "time", "yyyy", "h:mm", "[h]", "[ss].0", "AM/PM", "e", "aaa", "ggg",
     "mm:ss;@", "[Red]dd", "[$-F800]d"],
)  # fmt: skip
def test_a_format_of_dates_or_times_is_known(wish: str) -> None:
    assert shows_time(wish)


@pytest.mark.parametrize(
    "wish",
    ["currency", "number", "integer", "percent", "text", "General", "0", '"days" 0', r"\d0", "_d0",
     "*d0", "[Red]0", "[$USD]0", "0;yyyy", ";;;", "0.00E+00", "@",
     "ſ0"],
)  # fmt: skip
def test_a_format_of_other_values_is_known(wish: str) -> None:
    assert not shows_time(wish)


@pytest.mark.parametrize("name", NAMED_FORMATS)
def test_a_name_has_a_code_to_be_measured_by(name: str) -> None:
    assert check_number_format(shown_code(name))


def test_a_code_is_measured_by_itself() -> None:
    assert shown_code("0.0 ;@") == "0.0 ;@"

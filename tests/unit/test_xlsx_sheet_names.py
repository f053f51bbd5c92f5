import openpyxl
import pytest

from exporters.xlsx.sheet_names import check_sheet_name, numbered_name, sheet_name_of


@pytest.mark.parametrize(
    ("name", "number", "title"),
    [
        ("Sheet1", 1, "Sheet1"),
        ("Sheet1", 2, "Sheet1 (2)"),
        ("a" * 31, 1, "a" * 31),
        ("a" * 31, 2, "a" * 27 + " (2)"),
        ("a" * 31, 100, "a" * 25 + " (100)"),
    ],
)
def test_later_sheets_are_numbered_within_31_characters(name: str, number: int, title: str) -> None:
    assert numbered_name(name, number) == title


@pytest.mark.parametrize(
    "name", ["Sheet1", "a" * 31, "a" * 27 + " (2)", "x (2)", "A" * 26 + " (10)"]
)
def test_no_two_sheets_have_one_name(name: str) -> None:
    titles = [numbered_name(name, number) for number in range(1, 121)]
    assert len({title.lower() for title in titles}) == 120


def test_a_long_name_of_emoji_is_cut_as_excel_counts() -> None:
    title = numbered_name("😀" * 15, 2)
    assert title.endswith(" (2)")
    assert len(title.encode("utf-16-le")) // 2 <= 31


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Germany", "Germany"),
        ("订单", "订单"),
        ("a/b:c*d?e[f]g\\h", "a_b_c_d_e_f_g_h"),
        ("2024-02-29 12:00:00", "2024-02-29 12_00_00"),
        ("'quoted'", "quoted"),
        ("O'Neill", "O'Neill"),
        ("History", "History_"),
        ("line\nend\t\x00", "line_end__"),
        ("a" * 40, "a" * 31),
        ("a" * 30 + "'b", "a" * 30),
        ("😀" * 20, "😀" * 15),
        (" a ", "a"),
        ("", "(empty)"),
        ("  ", "(empty)"),
        ("' '", "(empty)"),
        ("''", "(empty)"),
        (None, "(empty)"),
    ],
)
def test_a_value_gives_a_name_that_excel_takes(value: str | None, name: str) -> None:
    assert sheet_name_of(value) == name
    assert check_sheet_name(name) == name
    openpyxl.Workbook().active.title = name

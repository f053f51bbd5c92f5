import pytest

from exporters.xlsx.sheet_names import numbered_name


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

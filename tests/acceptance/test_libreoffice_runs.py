"""LibreOffice in tests: formulas and links are read, and whatever goes wrong is told."""

import subprocess
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from tests.support.libreoffice import Cell, all_cells, cells, converted
from tests.support.waiting import wait_for


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """Formulas whose numbers in the file are wrong, a link, equal neighbours, number formats."""
    path = tmp_path / "made.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet("Made")
        sheet.write_row("A1", [3, 3, 3])
        sheet.write_formula("A2", "=SUM(A1:C1)", value=7)
        sheet.write_formula("B2", "=1/0", value=7)
        sheet.write_formula("C2", "=A1>B1", value=False)
        sheet.write_url("A3", "https://example.com/?a=1", string="go")
        sheet.write_number("A4", 0.5, book.add_format({"num_format": "0%"}))
    return path


def three(reference: str) -> tuple[str, Cell]:
    return reference, Cell("float", 3.0, "3")


PLAIN = {
    **dict(map(three, ["A1", "B1", "C1"])),
    "A3": Cell("string", "go", "go", link="https://example.com/?a=1"),
    "A4": Cell("percentage", 0.5, "50%"),
}


def test_formulas_have_the_values_in_the_file(workbook: Path) -> None:
    formulas = {
        "A2": Cell("float", 7.0, "7", "of:=SUM([.A1:.C1])"),
        "B2": Cell("float", 7.0, "7", "of:=1/0"),
        "C2": Cell("float", 0.0, "FALSE", "of:=[.A1]>[.B1]"),
    }
    assert cells(workbook) == {"Made": PLAIN | formulas}


def test_several_workbooks_are_read_in_their_order(workbook: Path, tmp_path: Path) -> None:
    others = [tmp_path / f"{place}.xlsx" for place in range(2)]
    for place, path in enumerate(others):
        with Workbook(path) as book:
            book.add_worksheet("Other").write("C3", place)
    first, last = ({"Other": {"C3": Cell("float", each, str(each))}} for each in (0, 1))
    found = all_cells([others[1], workbook, others[0]])
    assert [found[0], list(found[1]), found[2]] == [last, ["Made"], first]


def test_formulas_are_calculated_again_where_that_is_asked(workbook: Path) -> None:
    formulas = {
        "A2": Cell("float", 9.0, "9", "of:=SUM([.A1:.C1])"),
        "B2": Cell("error", "#DIV/0!", "#DIV/0!", "of:=1/0"),
        "C2": Cell("boolean", False, "FALSE", "of:=[.A1]>[.B1]"),
    }
    assert cells(workbook, recalculate=True) == {"Made": PLAIN | formulas}


def test_a_file_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none.xlsx"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(AssertionError, match=r"(?s)none\.xlsx cannot be read: .*not be loaded"):
        cells(path)


def test_a_run_over_its_time_is_ended_with_its_children(workbook: Path) -> None:
    with (
        pytest.raises(subprocess.TimeoutExpired) as raised,
        converted([workbook], "fods", timeout=0.3),
    ):
        raise AssertionError("it should not have ended in time")
    profile = next(word for word in raised.value.cmd if "UserInstallation" in word)
    wait_for(lambda: profile.encode() not in command_lines())


def command_lines() -> bytes:
    """Of every process, the words as they stand there, with null characters between."""
    lines = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines += path.read_bytes()
        except OSError:  # it has just ended
            continue
    return lines


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_where_it_is_missing_tests_are_skipped_but_fail_in_ci(
    workbook: Path, ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"apt-get install .* libreoffice-calc-nogui"):
        cells(workbook)

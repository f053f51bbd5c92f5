"""Number formats: any text has an answer, and a code that is taken reaches its reader unchanged."""

import io
import re

import openpyxl
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.styles.numbers import BUILTIN_FORMATS

from exporters.number_formats import (
    NAMED_FORMATS,
    check_format,
    check_number_format,
    shown_code,
    shows_time,
    written_format,
)

PIECES = st.sampled_from(
    ["0", "#", "?", ",", ".", "%", "E+", "E-", "/", "@", ";", "General", " ", "-", "(", ")", "_)",
     "* ", "\\x", '"kg"', '"', "[", "]", "[Red]", "[Color5]", "[>=100]", "[<1]", "[h]", "[ss]",
     "[$€-407]", "[$-404]", "[DBNum1]", "d", "dddd", "mm", "yyyy", "h", "ss", ".00", "AM/PM", "e",
     "ggg", "b", "B", "aaa", ":", "8", "14", "年", "é", "T", "\n", "\t", "_x0041_", "&", "<", "😀"],
)  # fmt: skip
CODES = st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=9)


def refusal(wish: str) -> str | None:
    """Why it is refused, or None where it is taken."""
    try:
        assert check_format(wish) == wish
    except ValueError as error:
        return str(error)
    return None


@given(st.text() | CODES)
@settings(max_examples=1_000, deadline=None)
def test_any_text_is_taken_or_refused_with_a_sentence(text: str) -> None:
    reason = refusal(text)
    if reason is not None:
        assert re.fullmatch(r".+", reason)
    else:
        assert shows_time(text) in (True, False)
        assert check_number_format(shown_code(text))


@given(st.lists(CODES | st.sampled_from(sorted(NAMED_FORMATS)), min_size=1, max_size=40))
@example(["0", "General", "general", "#,##0", "@", "0.00%", "m/d/yyyy", "date", "100", "0\n0"])
@settings(max_examples=200, deadline=None)
def test_openpyxl_reads_every_code_that_is_taken(wishes: list[str]) -> None:
    written = [written_format(wish) for wish in wishes if refusal(wish) is None]
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        sheet = workbook.add_worksheet()
        for row, each in enumerate(written):
            sheet.write_number(row, 0, 1, workbook.add_format({"num_format": each}))
    cells = [row[0] for row in openpyxl.load_workbook(data).active.iter_rows()]
    found = [cell.number_format for cell in cells][: len(written)]
    assert found == [BUILTIN_FORMATS[each] if isinstance(each, int) else each for each in written]

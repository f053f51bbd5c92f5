"""LibreOffice opens our CSV and has the same cells, Chinese and all, and runs no formula."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.support.csv_files import changes
from tests.support.libreoffice import converted

TEXTS = ["漢字", "𠮷野家", "订单，“引”", 'a,b;c\t"d"', "two\nlines", "007", " padded ", "ü€", "1e5"]
NUMBERS = [1.5, -2.25, 0.1, 1234567.5, 3.0, -0.125, 100.5, 0.5, 1e-7]
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", '=HYPERLINK("http://x")', "plain"]

Rows = list[list[Any]]


def code_of(delimiter: str) -> int:
    return ord("\t" if delimiter == "tab" else delimiter)


def opened(
    directory: Path,
    columns: dict[str, Any],
    *,
    charset: int,
    language: int = 1033,
    quoted_is_text: bool = True,
    formulas: bool = False,
    **options: Any,
) -> tuple[Rows, Rows]:
    """What the cells of the first sheet are, and their types.

    `charset` and `language` are LibreOffice's numbers for what its dialogue asks.
    """
    path = directory / "orders.csv"
    path.write_bytes(changes(columns, **options).data)
    delimiter = code_of(options.get("delimiter", ","))
    as_text, run = str(quoted_is_text).lower(), str(formulas).lower()
    # Delimiter, quote, charset, from the first line, plain columns, language, quoted cells as text,
    # numbers recognized, three that are for writing, whether formulas are read.
    tokens = f"{delimiter},34,{charset},1,,{language},{as_text},true,false,false,false,-1,{run}"
    read_as = f"Text - txt - csv (StarCalc):{tokens}"
    with converted([path], "xlsx", read_as=read_as) as made:
        [workbook] = made.glob("*.xlsx")
        sheet = openpyxl.load_workbook(workbook).worksheets[0]
        rows = list(sheet.iter_rows())
    return (
        [[cell.value for cell in row] for row in rows],
        [[cell.data_type for cell in row] for row in rows],
    )


GERMAN = {"delimiter": ";", "decimal": ",", "language": 1031}

CHARSETS = {"utf-8-sig": 76, "gb18030": 85, "utf-16": 65535}
"""LibreOffice's numbers of encodings (RTL_TEXTENCODING)."""


@pytest.mark.parametrize("encoding", CHARSETS)
@pytest.mark.parametrize(
    "asked", [{}, {"delimiter": "tab"}, GERMAN], ids=["comma", "tab", "semicolon, decimal comma"]
)
def test_every_cell_is_as_it_was_sent(asked: dict[str, Any], encoding: str, tmp_path: Path) -> None:
    columns = {"文本": TEXTS, "number": NUMBERS}
    rows, types = opened(tmp_path, columns, encoding=encoding, charset=CHARSETS[encoding], **asked)
    assert rows == [["文本", "number"], *map(list, zip(TEXTS, NUMBERS, strict=True))]
    assert types == [["s", "s"], *[["s", "n"]] * len(TEXTS)]


@pytest.mark.parametrize("quoted_is_text", [True, False])
def test_a_guarded_text_is_no_formula(quoted_is_text: bool, tmp_path: Path) -> None:
    """Even where LibreOffice is told to read formulas."""
    columns = {"text": FORMULAS, "n": [-1] * len(FORMULAS)}
    rows, types = opened(
        tmp_path, columns, charset=76, encoding="utf-8-sig", formula_guard="prefix",
        quoted_is_text=quoted_is_text, formulas=True,
    )  # fmt: skip
    assert not any(kind == "f" for row in types for kind in row)
    shown = [row[0].removeprefix("'") for row in rows[1:]]
    assert shown == FORMULAS
    assert [row[1] for row in rows[1:]] == [-1] * len(FORMULAS)


def test_a_text_that_is_not_guarded_is_one(tmp_path: Path) -> None:
    """Without this the guard would prove nothing."""
    columns = {"text": ["=1+1", "plain"], "n": [1, 2]}
    _, types = opened(
        tmp_path, columns, charset=76, encoding="utf-8-sig", quoted_is_text=False, formulas=True
    )
    assert [row[0] for row in types] == ["s", "f", "s"]

"""LibreOffice opens our CSV with the cells that were sent, and runs no text that is guarded."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from exporters import CsvOptions, Workers, open_exporter
from tests.support.libreoffice import converted

UTF_8, UTF_16, GB18030 = 76, 65535, 85
"""LibreOffice's numbers of encodings; that of UTF-16 is its "Unicode"."""

ENGLISH, GERMAN = 1033, 1031

Cells = list[list[Any]]
Open = Callable[..., Cells]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=1) as workers:
        yield workers


@pytest.fixture
def opened(tmp_path: Path, workers: Workers) -> Open:
    """The cells of a table's CSV file, as LibreOffice has them."""

    def open_(table: pa.Table, charset: int, **settings_and_options: Any) -> Cells:
        settings = {
            key: settings_and_options.pop(key)
            for key in ("language", "quoted_as_text", "formulas")
            if key in settings_and_options
        }
        options = CsvOptions.parse(settings_and_options)
        path = tmp_path / "sent.csv"
        with (
            path.open("wb") as sink,
            open_exporter("csv", sink, table.schema, (), options, workers) as exporter,
        ):
            for batch in table.to_batches():
                exporter.write_batch(batch)
        dialog = import_dialog(options.delimiter, charset, **settings)
        with converted([path], "xlsx", infilter=dialog) as directory:
            [sheet] = openpyxl.load_workbook(directory / "0.xlsx").worksheets
            return [list(row) for row in sheet.iter_rows(values_only=True)]

    return open_


def import_dialog(
    delimiter: str,
    charset: int,
    *,
    language: int = ENGLISH,
    quoted_as_text: bool = True,
    formulas: bool = False,
) -> str:
    """The settings under which a file is opened.

    The filter's tokens: delimiter, quote, encoding, first line, no columns, language, cells in
    quotes are text, numbers of every kind are recognized, four that are for saving and sheets,
    formulas are evaluated.
    """
    tokens = [ord(delimiter), ord('"'), charset, 1, "", language]
    tokens += [str(quoted_as_text).lower(), "true", "", "", "", "", str(formulas).lower()]
    return f"Text - txt - csv (StarCalc):{','.join(map(str, tokens))}"


TEXTS = ["张三", "007", '说 "你好"', "a,b;c\td", "two\nlines", "620000000000000001", "1e5", "𠮷😀"]

PEOPLE = pa.table(
    {
        "姓名": TEXTS,
        "n": pa.array([1, None, -3, 4, 5, 6, 7, 8], pa.int32()),
        "price": [0.5, 1234.25, None, -1.5, 1e6, 0.0, 2.0, 3.0],
        "day": pa.array([date(2024, 2, 29), None, *[date(1999, 12, 31)] * 6]),
    }
)

EXPECTED: Cells = [
    ["姓名", "n", "price", "day"],
    *(
        [*row, None if day is None else datetime(day.year, day.month, day.day)]
        for *row, day in zip(*PEOPLE.to_pydict().values(), strict=True)
    ),
]


@pytest.mark.parametrize(
    ("encoding", "charset"), [("utf-8-sig", UTF_8), ("gb18030", GB18030), ("utf-16", UTF_16)]
)
@pytest.mark.parametrize("delimiter", [",", "tab", ";"])
@pytest.mark.parametrize("line_terminator", ["lf", "crlf"])
def test_every_cell_is_there_as_it_was_sent(
    opened: Open, encoding: str, charset: int, delimiter: str, line_terminator: str
) -> None:
    assert (
        opened(
            PEOPLE,
            charset,
            encoding=encoding,
            delimiter=delimiter,
            line_terminator=line_terminator,
        )
        == EXPECTED
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_german_numbers_are_numbers_where_the_language_is_german(
    opened: Open, encoding: str
) -> None:
    table = pa.table(
        {
            "preis": [Decimal("1234.50"), Decimal("-0.25"), None],
            "menge": [0.1, 1e-7, 123456789.125],
            "ort": ["Köln, am Rhein; 1,5", "3,5", "Grüße"],
        }
    )
    charset = {"utf-8-sig": UTF_8, "gb18030": GB18030}[encoding]
    cells = opened(table, charset, language=GERMAN, encoding=encoding, delimiter=";", decimal=",")
    assert cells == [
        ["preis", "menge", "ort"],
        [1234.5, 0.1, "Köln, am Rhein; 1,5"],
        [-0.25, 1e-7, "3,5"],
        [None, 123456789.125, "Grüße"],
    ]


FORMULAS = ["=1+1", "+1+1", "-1-1", "@SUM(1,2)", '=HYPERLINK("http://x.test","go")', "\t=1+1"]
COMMANDS = pa.table({"t": [*FORMULAS, "plain"], "n": pa.array(range(-3, 4))})


@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_no_guarded_text_is_a_formula_in_the_most_daring_dialog(
    opened: Open, quoting: str, encoding: str
) -> None:
    """Quotes mean nothing in it, and formulas are evaluated."""
    charset = {"utf-8-sig": UTF_8, "gb18030": GB18030, "utf-16": UTF_16}[encoding]
    daring = {"quoted_as_text": False, "formulas": True}
    options = {"formula_guard": "prefix", "encoding": encoding, "quoting": quoting}
    header, *found = opened(COMMANDS, charset, **daring, **options)
    assert header == ["t", "n"]
    assert found == [
        *([f"'{text}", n] for text, n in zip(FORMULAS, range(-3, 3), strict=True)),
        ["plain", 3],
    ]


def test_a_guarded_header_is_no_formula_either(opened: Open) -> None:
    cells = opened(pa.table({"=1+1": ["x"]}), UTF_8, formulas=True, quoted_as_text=False,
                   formula_guard="prefix")  # fmt: skip
    assert cells == [["'=1+1"], ["x"]]


def test_the_same_texts_are_formulas_without_the_guard(opened: Open) -> None:
    """So that the tests above can fail."""
    [_, [first, _], *_] = opened(COMMANDS, UTF_8, formulas=True, quoted_as_text=False)
    assert first == "=1+1"


def test_a_row_of_one_null_is_a_row(opened: Open) -> None:
    table = pa.table({"n": pa.array([1, None, 3])})
    assert opened(table, UTF_8) == [["n"], [1], [None], [3]]

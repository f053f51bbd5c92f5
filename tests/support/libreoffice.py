"""Workbooks as LibreOffice reads them: headless, several in one run, in a profile of its own.

A test that asks for anything here is skipped where LibreOffice is missing, and fails with CI=true.
What a cell holds comes from flat OpenDocument XML, what it shows from CSV: the XML of LibreOffice
drops tabs and control characters.
"""

import csv
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from openpyxl.utils import get_column_letter
from python_calamine import CalamineWorkbook

TIMEOUT = 60.0
"""Seconds for one run; it takes about one, and little more for each further workbook."""

Value = bool | float | str | timedelta
Rows = list[list[str]]

_MISSING = (
    "LibreOffice is missing; as root: "
    "apt-get install --no-install-recommends libreoffice-calc-nogui"
)

# Comma, quote, UTF-8, from the first line, plain columns, en-US, every text quoted, numbers bare,
# as formatted or as in the input line, no formulas, nothing stripped, all sheets.
_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,true,true,{as_shown},false,false,-1"

_RECALCULATE = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TABLE, TEXT, STYLE = (
    f"{_OASIS}{name}:1.0}}" for name in ("office", "table", "text", "style")
)
CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_TYPE = f"{CALC}value-type"
_HREF = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Cell:
    """What LibreOffice has in a cell."""

    type: str
    """boolean, currency, date, error, float, percentage, string or time."""

    value: Value
    """A number of 15 digits; a date as `2024-02-29` or, cut to the second, `2024-02-29T12:00:00`;
    a time as a timedelta, to the millisecond; else the text. `exact` has more of the first two."""

    shown: str
    """Its text in CSV. In print a boolean without a number format may be 1 or 0 instead."""

    formula: str | None = None
    """In OpenFormula, as `of:=SUM([.A1:.A2])`."""

    link: str | None = None


Sheet = dict[str, Cell]
"""The cells that hold something, by reference; an empty text is nothing to LibreOffice."""

Sheets = dict[str, Sheet]
"""By name, in their order."""


def cells(workbook: Path, *, recalculate: bool = False) -> Sheets:
    """Every cell of a workbook. Formulas have the values in the file, which is what users see,
    unless they are to be calculated again."""
    return all_cells([workbook], recalculate=recalculate)[0]


def all_cells(workbooks: Sequence[Path], *, recalculate: bool = False) -> list[Sheets]:
    """`cells` of several workbooks, in two runs for all of them."""
    shown = csv_rows(workbooks, as_shown=True, recalculate=recalculate)
    return [
        {
            name: _cells(table, rows[name])
            for table in document.iter(f"{TABLE}table")
            if (name := table.get(f"{TABLE}name", ""))
        }
        for document, rows in zip(documents(workbooks, recalculate=recalculate), shown, strict=True)
    ]


def documents(workbooks: Sequence[Path], *, recalculate: bool = False) -> list[ET.Element]:
    """The workbooks as flat OpenDocument XML, with everything that LibreOffice knows of them."""
    with converted(workbooks, "fods", recalculate=recalculate) as directory:
        places = range(len(workbooks))
        return [ET.parse(directory / f"{place}.fods").getroot() for place in places]


def csv_rows(
    workbooks: Sequence[Path], *, as_shown: bool, recalculate: bool = False
) -> list[dict[str, Rows]]:
    """The rows of each workbook's sheets: numbers in their formats, or as in the input line."""
    to = _CSV.format(as_shown=str(as_shown).lower())
    with converted(workbooks, to, recalculate=recalculate) as directory:
        return [
            {path.stem.partition("-")[2]: _read(path) for path in directory.glob(f"{place}-*.csv")}
            for place in range(len(workbooks))
        ]


def exact(workbook: Path) -> dict[str, list[list[Any]]]:
    """The sheets through the old binary format, which holds doubles: numbers to the last bit,
    dates and times to the millisecond. Of 65,536 rows and 256 columns at most."""
    with converted([workbook], "xls") as directory:
        book = CalamineWorkbook.from_path(directory / "0.xls")
        return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def pdf(workbook: Path) -> bytes:
    """The workbook in print."""
    with converted([workbook], "pdf") as directory:
        return (directory / "0.pdf").read_bytes()


@contextmanager
def converted(
    workbooks: Sequence[Path],
    to: str,
    *,
    recalculate: bool = False,
    timeout: float = TIMEOUT,
    read_as: str | None = None,
) -> Iterator[Path]:
    """A directory with what one run has made: `0.fods`, `1.fods`; of CSV `0-Sheet1.csv`.

    `read_as` is the filter of LibreOffice for the files, where their suffix does not say it.
    """
    program = _program()
    with TemporaryDirectory(prefix="libreoffice-") as name:
        root = Path(name)
        made = root / "made"
        made.mkdir()
        command = [program, f"-env:UserInstallation={_profile(root, recalculate).as_uri()}"]
        command += ["--headless", "--convert-to", to, "--outdir", str(made)]
        command += [f"--infilter={read_as}"] if read_as else []
        command += [str(_placed(root, place, path)) for place, path in enumerate(workbooks)]
        said = _run(command, root, timeout)
        for place, path in enumerate(workbooks):
            assert [*made.glob(f"{place}[.-]*")], f"{path} cannot be read: {said}"
        yield made


def _program() -> str:
    found = shutil.which("soffice") or shutil.which("localc")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(_MISSING)
    if found is None:
        pytest.skip(_MISSING)
    return found


def _profile(root: Path, recalculate: bool) -> Path:
    profile = root / "profile"
    (profile / "user").mkdir(parents=True)
    if recalculate:
        (profile / "user" / "registrymodifications.xcu").write_text(_RECALCULATE)
    return profile


def _placed(root: Path, place: int, workbook: Path) -> Path:
    """The workbook under a name that gives its results one of their own."""
    link = root / f"{place}{workbook.suffix}"
    link.symlink_to(workbook.resolve())
    return link


def _run(command: Sequence[str], home: Path, timeout: float) -> str:
    """What the program says, once it has ended: its exit code is 0 whatever happened."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    ) as process:
        try:
            return process.communicate(timeout=timeout)[0]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # the program is a child of what we started


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _cells(table: ET.Element, shown: Rows) -> Sheet:
    return {
        f"{get_column_letter(column + 1)}{row + 1}": _cell(element, shown[row][column])
        for row, column, element in _filled(table)
    }


def _filled(table: ET.Element) -> Iterator[tuple[int, int, ET.Element]]:
    """Row, column and element of each cell with a value: of equal neighbours the first one only
    stands in the XML, with their number."""
    row = 0
    for line in table.iter(f"{TABLE}table-row"):
        height, column = int(line.get(f"{TABLE}number-rows-repeated", "1")), 0
        for element in line:
            width = int(element.get(f"{TABLE}number-columns-repeated", "1"))
            if _TYPE in element.attrib:
                for place in range(height * width):
                    yield row + place // width, column + place % width, element
            column += width
        row += height


def _cell(element: ET.Element, shown: str) -> Cell:
    formula = element.get(f"{TABLE}formula")
    if formula in ("of:=TRUE()", "of:=FALSE()"):  # which LibreOffice makes of plain booleans
        return Cell("boolean", formula == "of:=TRUE()", shown)
    anchor = element.find(f".//{TEXT}a")
    link = None if anchor is None else anchor.get(_HREF)
    return Cell(element.attrib[_TYPE], _value(element, shown), shown, formula, link)


def _value(element: ET.Element, shown: str) -> Value:
    number = element.get(f"{OFFICE}value")
    if number is not None:
        return float(f"{float(number):.15g}")
    kinds = ("boolean", "date", "time")
    boolean, date, time = (element.get(f"{OFFICE}{kind}-value") for kind in kinds)
    if boolean is not None:
        return boolean == "true"
    if date is not None:
        return date.partition(".")[0]
    return shown if time is None else _timedelta(time)


def _timedelta(text: str) -> timedelta:
    """Of `PT36H00M00.5S`."""
    match = re.fullmatch(r"(-?)PT(\d+)H(\d+)M([\d.]+)S", text)
    assert match, text
    sign, hours, minutes, seconds = match.groups()
    size = timedelta(hours=int(hours), minutes=int(minutes), seconds=round(float(seconds), 3))
    return -size if sign else size

"""Cells that Excel calculates."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from exporters.xlsx.markup import Parts, Place, RowThen, style_attribute

Segments = tuple[tuple[str, int | None], ...]
"""A formula's literals, each with the place of the column named behind it."""

ROW_MARK: Final = "\ue000"
"""Stands for the number of the row in a formula of every row: a character of private use."""

_SPELLED: Final = re.compile("<formula>(.*?)</formula>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FormulaCells:
    """One formula in every row; `pieces` are its XML, parted where the row number stands.

    The value is left empty, so that every reader calculates it.
    """

    style: int
    pieces: tuple[str, ...]

    def parts(self, place: Place) -> Parts:
        """The cells of the formula."""
        begin = f'<c{style_attribute(self.style)} r="{place.letters}'
        texts = ['"><f>' + self.pieces[0], *self.pieces[1:]]
        texts[-1] += "</f><v></v></c>"
        return (begin, *map(RowThen, texts))


def formula_text(segments: Segments, row: int | str, *, fixed: bool = False) -> str:
    """A formula for one row; `fixed` columns stay where they are when it is moved."""
    dollar = "$" if fixed else ""
    text = "".join(
        literal + ("" if place is None else f"{dollar}{xl_col_to_name(place)}{row}")
        for literal, place in segments
    )
    # XlsxWriter takes a brace at the end for that of an array formula, and drops it.
    return f"=({text})" if text.endswith("}") else f"={text}"


def spelled(formulas: Sequence[str]) -> list[str]:
    """The XML of formulas: escaped, and with the prefix of functions newer than Excel 2007.

    XlsxWriter spells them, as conditions: of the formula of a cell it makes an array where a
    function may give one (SWITCH, XLOOKUP), but there is one cell for the value.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for row, formula in enumerate(formulas):
            sheet.conditional_format(row, 0, row, 0, {"type": "formula", "criteria": formula})
    with zipfile.ZipFile(buffer) as archive:
        return _SPELLED.findall(archive.read("xl/worksheets/sheet1.xml").decode())

"""Text cells: what XML and Excel need escaped, cut or kept."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from exporters.xlsx.cells import MAX_CELL_LENGTH, Cell, has_nulls, text

_CONTROLS: Final = "\\x00-\\x08\\x0b-\\x1f\ufffe\uffff"
_SPECIAL: Final = f"[&<>\t\n{_CONTROLS}]|^ | $|_x[0-9A-Fa-f]{{4}}_"
"""Anything that cannot stand in `<t>` as it is."""

_EDGES: Final = "^[ \t\n\r]|[ \t\n\r]$"
"""White space that an XML reader drops unless it is told to preserve it."""

_ESCAPE: Final = "_x[0-9A-Fa-f]{4}_"
_UNPRINTABLE: Final = [*map(chr, [*range(9), *range(0x0B, 0x20)]), "\ufffe", "\uffff"]
_ESCAPED: Final = [f"_x{ord(character):04X}_" for character in _UNPRINTABLE]


@dataclass(frozen=True, slots=True)
class TextCells:
    """Texts, exactly as they are: never a formula, never a link, never a number."""

    style: int

    def __call__(self, values: pl.Series) -> Cell:
        value = pl.col(values.name)
        warnings: dict[str, int] = {}
        if (longest := values.str.len_bytes().max()) and int(str(longest)) > MAX_CELL_LENGTH:
            values, warnings = _cut(values)
            value = pl.lit(values)
        preserve = False
        if values.str.contains(_SPECIAL).any():
            value = escaped(values, value)
            preserve = bool(values.str.contains(_EDGES).any())
        return Cell(text(value, self.style, preserve=preserve), has_nulls(values), warnings)


def escaped(values: pl.Series, value: pl.Expr) -> pl.Expr:
    """`value` for XML; `values` are the texts of the block, which say what has to be done.

    Characters that XML cannot hold become `_xHHHH_` (ECMA-376 part 1, 22.9.2.19, ST_Xstring), and
    so does a carriage return, which an XML parser would turn into a line feed. A text that looks
    like such an escape has its underscore escaped, so that it survives.
    """
    if values.str.contains(_ESCAPE).any():
        protected = value.str.replace_all("_x", "_x005F_x", literal=True)
        value = pl.when(value.str.contains(_ESCAPE)).then(protected).otherwise(value)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        if values.str.contains(character, literal=True).any():
            value = value.str.replace_all(character, entity, literal=True)
    if values.str.contains(f"[{_CONTROLS}]").any():
        value = value.str.replace_many(_UNPRINTABLE, _ESCAPED)
    return value


def _cut(values: pl.Series) -> tuple[pl.Series, dict[str, int]]:
    """`values` with long ones cut to what Excel takes, and how many were.

    Excel counts UTF-16 units: a character outside the basic plane is two. A text with such
    characters is cut to half the length, which never splits one.
    """
    column = pl.col(values.name)
    astral = column.str.count_matches("[\U00010000-\U0010ffff]")
    units = column.str.len_chars() + astral
    long = units > MAX_CELL_LENGTH
    limit = pl.when(astral == 0).then(MAX_CELL_LENGTH).otherwise(MAX_CELL_LENGTH // 2)
    cut = pl.when(long).then(column.str.slice(0, limit)).otherwise(column)
    frame = values.to_frame().select(cut.alias(values.name), long.alias("long"))
    count = int(frame["long"].sum())
    return frame[values.name], {"CELLS_CUT": count} if count else {}

"""Text cells: what XML and Excel need escaped, cut or kept."""

from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa

from exporters.xlsx.cells import MAX_CELL_LENGTH, Cell, has_nulls, text

_FIRST_PRINTABLE: Final = 0x20
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_NONCHARACTERS: Final = ("\ufffe", "\uffff")
_UNPRINTABLE: Final = (*map(chr, [*range(9), *range(0x0B, 0x20)]), *_NONCHARACTERS)
_ESCAPED: Final = {character: f"_x{ord(character):04X}_" for character in _UNPRINTABLE}

_ESCAPE: Final = "_x[0-9A-Fa-f]{4}_"
_EDGES: Final = "^[ \t\n\r]|[ \t\n\r]$"


@dataclass(frozen=True, slots=True)
class TextCells:
    """Texts, exactly as they are: never a formula, never a link, never a number."""

    style: int

    def __call__(self, values: pl.Series, array: pa.Array) -> Cell:
        look = Look(array)
        value = escaped(pl.col(values.name), look)
        warnings: dict[str, int] = {}
        if int(str(values.str.len_bytes().max() or 0)) > MAX_CELL_LENGTH:
            cut, warnings = _cut(values)
            value = escaped(pl.lit(cut), look)
        cell = text(value, self.style, preserve=_has_edges(values, look))
        return Cell(cell, has_nulls(values), warnings)


class Look:
    """What the texts of an array hold, found in their bytes at memory speed.

    A look at the joined bytes costs a hundredth of a search in each text. It may say that something
    is there which is not (in the bytes under a null), never the opposite.
    """

    def __init__(self, array: pa.Array) -> None:
        offsets = _offsets(array)
        first, last = int(offsets[0]), int(offsets[-1])
        self._data = bytes(memoryview(array.buffers()[2])[first:last]) if last > first else b""
        self.has_controls = self._has_controls()

    def has(self, text: str) -> bool:
        """Whether `text` stands anywhere.

        One byte is searched far faster than several: the first rules out most blocks.
        """
        sought = text.encode()
        return sought[:1] in self._data and (len(sought) == 1 or sought in self._data)

    def _has_controls(self) -> bool:
        if not self._data:
            return False
        size = len(self._data)
        octets = pa.Array.from_buffers(pa.uint8(), size, [None, pa.py_buffer(self._data)])
        return int(str(pl.Series(octets).min())) < _FIRST_PRINTABLE


def _offsets(array: pa.Array) -> pl.Series:
    """Where each text of `array` begins in its data buffer, and where the last ends."""
    kind = pa.int64() if pa.types.is_large_string(array.type) else pa.int32()
    buffers = [None, array.buffers()[1]]
    count = len(array) + 1
    return pl.Series(pa.Array.from_buffers(kind, count, buffers, offset=array.offset))


def _has_edges(values: pl.Series, look: Look) -> bool:
    """Whether a text begins or ends with white space that XML readers drop."""
    if look.has_controls:
        return bool(values.str.contains(_EDGES).any())
    if not look.has(" "):
        return False
    return bool(values.str.starts_with(" ").any() or values.str.ends_with(" ").any())


def escaped(value: pl.Expr, look: Look) -> pl.Expr:
    """`value` for XML, where `look` says what there is to escape.

    Characters that XML cannot hold become `_xHHHH_` (ECMA-376 part 1, 22.9.2.19, ST_Xstring), and
    so does a carriage return, which an XML parser would turn into a line feed. A text that looks
    like such an escape has its underscore escaped, so that it survives.
    """
    if look.has("_x"):
        protected = value.str.replace_all("_x", "_x005F_x", literal=True)
        value = pl.when(value.str.contains(_ESCAPE)).then(protected).otherwise(value)
    replacements = {each: entity for each, entity in _ENTITIES.items() if look.has(each)}
    if look.has_controls or any(map(look.has, _NONCHARACTERS)):
        replacements |= _ESCAPED
    if not replacements:
        return value
    return value.str.replace_many(list(replacements), list(replacements.values()))


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

"""Text cells: what XML and Excel need escaped, cut or kept."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exporters.xlsx.cells import CellWriter, Sight, count
from exporters.xlsx.markup import Parts, Place

MAX_CELL_LENGTH: Final = 32_767
"""UTF-16 units that Excel takes in one cell (Excel specifications and limits)."""

_FIRST_PRINTABLE: Final = 0x20
_FIRST_PRINTABLE_BYTE: Final = pa.scalar(_FIRST_PRINTABLE, pa.uint8())
_TAB: Final = pa.scalar(ord("\t"), pa.uint8())
_LINE_FEED: Final = pa.scalar(ord("\n"), pa.uint8())
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_NONCHARACTERS: Final = ("\ufffe", "\uffff")
_UNPRINTABLE: Final = (*map(chr, [*range(9), *range(0x0B, 0x20)]), *_NONCHARACTERS)
_ESCAPED: Final = {character: f"_x{ord(character):04X}_" for character in _UNPRINTABLE}

_TO_PROTECT: Final = "_x[0-9A-Fa-f]{4}_|[\\x00-\\x08\\x0b-\\x1f\ufffe\uffff]"
_WHITE_SPACE: Final = " \t\n\r"
_ASTRAL: Final = "[\U00010000-\U0010ffff]"


class _Needs(NamedTuple):
    """What the texts of a block need; all False is the plain variant."""

    entities: str = ""
    controls: bool = False
    escapes: bool = False
    edges: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class TextCells(CellWriter):
    """Texts, exactly as they are: never a formula, never a link, never a number."""

    style: int

    def look(self, array: pa.Array) -> Sight:
        octets = _Octets(array)
        has_controls = octets.least() < _FIRST_PRINTABLE  # tabs and line feeds among them
        longest = pc.max(pc.binary_length(array)).as_py() or 0
        long = _long_texts(array) if longest > MAX_CELL_LENGTH else 0
        needs = _Needs(
            entities="".join(filter(octets.has, _ENTITIES)),
            controls=(has_controls and octets.has_escaped())
            or any(map(octets.has, _NONCHARACTERS)),
            escapes=octets.has("_x"),
            edges=_has_edges(array, octets, has_controls=has_controls),
            cut=long > 0,
        )
        variant = needs if any(needs) else None
        return Sight(array.null_count > 0, variant, {"CELLS_CUT": long} if long else {})

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        if not isinstance(variant, _Needs):
            return place.text(column, self.style)
        value = _cut(column) if variant.cut else column
        return place.text(_escaped(value, variant), self.style, preserve=variant.edges)


def has_unprintable(array: pa.Array) -> bool:
    """Whether a text has a character that XML cannot hold, a tab or a line end."""
    octets = _Octets(array)
    return octets.least() < _FIRST_PRINTABLE or any(map(octets.has, _NONCHARACTERS))


class _Octets:
    """The joined bytes of an array's texts; the array is not empty.

    A look at them costs a hundredth of a search in each text. It may say that something is there
    which is not (in the bytes under a null), never the opposite.
    """

    def __init__(self, array: pa.Array) -> None:
        _, offsets, data = array.buffers()
        places = memoryview(offsets).cast("q" if pa.types.is_large_string(array.type) else "i")
        first, last = places[array.offset], places[array.offset + len(array)]
        self._data = bytes(memoryview(data)[first:last]) if last > first else b""

    def has(self, sought: str) -> bool:
        """Whether `sought` stands anywhere.

        One byte is searched far faster than several: the first rules out most blocks.
        """
        octets = sought.encode()
        return octets[:1] in self._data and (len(octets) == 1 or octets in self._data)

    def least(self) -> int:
        """The smallest byte; 255 where there is none."""
        return int(pc.min(self._numbers()).as_py()) if self._data else 255

    def has_escaped(self) -> bool:
        """Whether there are control characters besides tabs and line feeds."""
        numbers = self._numbers()
        kept = pc.or_(pc.equal(numbers, _TAB), pc.equal(numbers, _LINE_FEED))
        return bool(pc.any(pc.and_not(pc.less(numbers, _FIRST_PRINTABLE_BYTE), kept)).as_py())

    def _numbers(self) -> pa.Array:
        buffers = [None, pa.py_buffer(self._data)]
        return pa.Array.from_buffers(pa.uint8(), len(self._data), buffers)


def _has_edges(array: pa.Array, octets: _Octets, *, has_controls: bool) -> bool:
    """Whether a text begins or ends with white space, which XML readers drop unless told."""
    spaces = _WHITE_SPACE if has_controls else " "
    return any(
        pc.any(begins_or_ends(array, space)).as_py()
        for space in filter(octets.has, spaces)
        for begins_or_ends in (pc.starts_with, pc.ends_with)
    )


def _escaped(value: pl.Expr, needs: _Needs) -> pl.Expr:
    """`value` for XML.

    Characters that XML cannot hold become `_xHHHH_` (ECMA-376 part 1, 22.9.2.19, ST_Xstring), and
    so does a carriage return, which an XML parser would turn into a line feed. A text that looks
    like such an escape, or that one could complete, has its underscores escaped and survives.
    """
    if needs.escapes:
        protected = value.str.replace_all("_x", "_x005F_x", literal=True)
        value = pl.when(value.str.contains(_TO_PROTECT)).then(protected).otherwise(value)
    replacements = {each: _ENTITIES[each] for each in needs.entities}
    if needs.controls:
        replacements |= _ESCAPED
    if not replacements:
        return value
    return value.str.replace_many(list(replacements), list(replacements.values()))


def _long_texts(array: pa.Array) -> int:
    """How many texts are longer than Excel takes."""
    units = pl.Series("texts", array).to_frame().select(_units(pl.col("texts"))).to_series()
    return count((units > MAX_CELL_LENGTH).to_arrow())


def _units(column: pl.Expr) -> pl.Expr:
    """Lengths in UTF-16 units, as Excel counts: two for a character outside the basic plane."""
    return column.str.len_chars() + column.str.count_matches(_ASTRAL)


def _cut(column: pl.Expr) -> pl.Expr:
    """`column` with long texts cut; with astral characters to half, which never splits one."""
    plain = column.str.count_matches(_ASTRAL) == 0
    limit = pl.when(plain).then(MAX_CELL_LENGTH).otherwise(MAX_CELL_LENGTH // 2)
    long = _units(column) > MAX_CELL_LENGTH
    return pl.when(long).then(column.str.slice(0, limit)).otherwise(column)

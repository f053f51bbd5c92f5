"""Columns of addresses as links: which cells are one, and the XML that makes them so.

A link is a text cell that `<hyperlinks>`, behind the rows, names with a relationship, which a part
of its own leads to the address (ECMA-376 part 1, 18.3.1.47). The relationship has the cell's own
reference for its id, so that blocks need not know of each other.
"""

import functools
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name

from exporters.xlsx.cells import CellWriter, Sight, count
from exporters.xlsx.markup import Parts, Place, RowThen, either, joined
from exporters.xlsx.texts import TextCells, has_unprintable

MAX_LINKS: Final = 65_530
"""Links of a sheet (Excel specifications and limits)."""

MAX_ADDRESS: Final = 2_079
"""Characters of a link's address once escaped (XlsxWriter's documentation of `write_url`)."""

_SCHEMES: Final = ("https://", "http://", "mailto:", "ftp://", "ftps://")
_BARE_LENGTHS: Final = frozenset(map(len, _SCHEMES))
_ADDRESS: Final = "^(?i:https?://|ftps?://|mailto:)."
"""Told by kernels, which are far faster, as long as all texts of a block begin as usual."""

_PRINTABLE: Final = r"^[^\x00-\x1f\x{FFFE}\x{FFFF}]+$"

_TYPE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}

_ESCAPED: Final = _ENTITIES | {
    character: f"%{ord(character):02x}" for character in ' "<>[]^`{}'
}  # fmt: skip
"""What Excel escapes in an address, up to its fragment; and what XML does."""

_LONGER: Final = r'[ "<>\[\]^`{}%]'
"""One character that may become three."""

_ESCAPE: Final = "%[0-9a-fA-F]{2}"


def link_mask(texts: pa.Array) -> pa.Array:
    """Which texts are addresses that can be links; a null is none."""
    mask = functools.reduce(pc.or_, (pc.starts_with(texts, scheme) for scheme in _SCHEMES))
    lengths = pc.min_max(pc.binary_length(texts)).as_py()
    if count(mask) < len(texts) - texts.null_count or lengths["min"] in _BARE_LENGTHS:
        mask = pc.match_substring_regex(texts, _ADDRESS)
    if len(texts) and has_unprintable(texts):
        mask = pc.and_(mask, pc.match_substring_regex(texts, _PRINTABLE))
    if 3 * (lengths["max"] or 0) > MAX_ADDRESS:
        escapes = pc.count_substring_regex(texts, _LONGER)
        characters = pc.add(pc.utf8_length(texts), pc.multiply(escapes, 2))
        mask = pc.and_(mask, pc.less_equal(characters, MAX_ADDRESS))
    return mask.fill_null(False)


class LinkRoom:
    """How many links a sheet may still have, as its blocks go by."""

    def __init__(self) -> None:
        self._left = MAX_LINKS

    def take(self, columns: list[pa.Array]) -> int:
        """How many of the links of these columns the sheet has room for.

        Nothing is looked at once the sheet is full.
        """
        left = self._left
        for texts in columns if left else ():
            self._left = max(0, self._left - count(link_mask(texts)))
        return left


def granted(masks: Mapping[int, pa.Array], room: int) -> dict[int, pa.Array]:
    """`masks` cut to `room` links in all, column after column."""
    kept = {}
    for place, mask in masks.items():
        links = count(mask)
        if links > room:
            ranks = pc.cumulative_sum(mask.cast(pa.int32()))
            mask = pc.and_(mask, pc.less_equal(ranks, room))
        kept[place] = mask
        room = max(0, room - links)
    return kept


def mask_name(place: int) -> str:
    """The frame's column that says which cells of the column at `place` are links."""
    return f"link {place}"


class Share(Enum):
    """How many of a block's cells in a column are links."""

    NONE = 0
    SOME = 1
    ALL = 2

    @classmethod
    def of(cls, mask: pa.Array, texts: pa.Array) -> "Share":
        """The share of `mask`; nulls have no cell."""
        links = count(mask)
        if links == 0:
            return cls.NONE
        return cls.ALL if links == len(texts) - texts.null_count else cls.SOME


@dataclass(frozen=True, slots=True)
class LinkCells(CellWriter):
    """Texts, of which those that `mask_name` marks are shown as links.

    A variant is that of the texts and the share of links.
    """

    texts: TextCells
    links: TextCells
    mask: str

    def look(self, array: pa.Array) -> Sight:
        return self.texts.look(array)

    def parts(self, place: Place, column: pl.Expr, variant: Hashable) -> Parts:
        needs, share = cast("tuple[Hashable, Share]", variant)
        texts = self.texts.parts(place, column, needs)
        if share is Share.NONE:
            return texts
        links = self.links.parts(place, column, needs)
        return links if share is Share.ALL else either(pl.col(self.mask), links, texts)


def hyperlinks(place: int) -> pl.Expr:
    """The elements of `<hyperlinks>` for the links of a column, in a frame of these rows only."""
    reference = f'<hyperlink ref="{xl_col_to_name(place)}'
    relationship = f'" r:id="{xl_col_to_name(place)}'
    address = pl.col(str(place))
    fragment = address.str.splitn("#", 2).struct.field("field_1")
    written = fragment.str.replace_many(list(_ENTITIES), list(_ENTITIES.values()))
    location = pl.concat_str(pl.lit('" location="'), written)
    location = pl.when(fragment != "").then(location).otherwise(pl.lit(""))
    return joined((reference, RowThen(relationship), RowThen(""), location, '"/>'))


def relationships(place: int) -> pl.Expr:
    """The relationships of the same links."""
    start = f'<Relationship Id="{xl_col_to_name(place)}'
    address = pl.col(str(place)).str.splitn("#", 2).struct.field("field_0")
    return joined(
        (
            start,
            RowThen(f'" Type="{_TYPE}" Target="'),
            _escaped(address),
            '" TargetMode="External"/>',
        )
    )


def _escaped(address: pl.Expr) -> pl.Expr:
    """An address for an attribute; per cent signs are escaped only where none escapes already."""
    percent = address.str.replace_all("%", "%25", literal=True)
    address = pl.when(address.str.contains(_ESCAPE)).then(address).otherwise(percent)
    return address.str.replace_many(list(_ESCAPED), list(_ESCAPED.values()))

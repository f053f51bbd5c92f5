"""Which texts need quotes, and texts with quotes around them (RFC 4180)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.csv.places import Where, first_of
from exporters.errors import InvalidData
from exporters.text_bytes import Mask, concatenated, octets_of, replaced, rows_with

QUOTED_NULL: Final = '""'
"""What a null is written as where it stands alone on its line.

An empty line is not a row for most readers (pyarrow, pandas, DuckDB skip it): the file would look
complete and be short.
"""

BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Quoting:
    """When texts need quotes: `null` is the text for null, `alone` whether a line is one cell."""

    delimiter: str
    null: str
    alone: bool

    def where_needed(self, texts: pa.Array, *, may_begin_file: bool) -> pa.Array:
        """Texts with quotes where they hold what parts cells, or would be read as null.

        Those that begin a file, as one of them may, are not to be taken for its signature either.
        """
        masks = [self._structural(texts), self._ambiguous(texts)]
        if may_begin_file:
            masks.append(_signatures(texts))
        found = [each for each in masks if each is not None]
        if not found:
            return texts
        mask = np.logical_or.reduce(found)
        return replaced(texts, mask, quoted(texts.filter(pa.array(mask))))

    def seen(self, texts: pa.Array) -> pa.Array:
        """Texts in which no null leaves its line empty."""
        hidden = self.alone and not self.null and texts.null_count
        return pc.fill_null(texts, QUOTED_NULL) if hidden else texts

    def refuse(self, texts: pa.Array, where: Where) -> None:
        """Raise `InvalidData` for the first text that cannot do without quotes."""
        structural = self._structural(texts)
        if structural is not None and texts.null_count:
            structural &= np.asarray(pc.is_valid(texts))  # under a null may stand anything
        if structural is not None and structural.any():
            raise InvalidData(
                f"{first_of(structural, texts, where)} holds a quote, a line end or the delimiter, "
                "which quoting 'none' cannot write; use 'minimal'"
            )
        if self.alone:
            self._refuse_empty(texts, where)

    def _refuse_empty(self, texts: pa.Array, where: Where) -> None:
        empty = np.asarray(pc.equal(pc.fill_null(texts, self.null), ""))
        if empty.any():
            raise InvalidData(
                f"{first_of(empty, texts, where)} would be an empty line, which readers skip; use "
                "'minimal', or for null a text"
            )

    def _structural(self, texts: pa.Array) -> Mask | None:
        """The texts that would end their cell or line; None where there are none."""
        octets, offsets = octets_of(texts)
        return rows_with(octets, offsets, f'"\r\n{self.delimiter}'.encode())

    def _ambiguous(self, texts: pa.Array) -> Mask | None:
        """The texts that would be read as null, as empty ones are; None where there are none."""
        _, offsets = octets_of(texts)
        mask = offsets[1:] == offsets[:-1]
        if texts.null_count and mask.any():
            mask &= np.asarray(pc.is_valid(texts))
        if self.null:
            mask |= np.asarray(pc.equal(texts, self.null).fill_null(False))
        return mask if mask.any() else None


def _signatures(texts: pa.Array) -> Mask | None:
    """The texts that begin as a file of another kind does: Excel takes `ID` for SYLK."""
    mask = np.zeros(len(texts), np.bool_)
    for beginning in ("ID", BYTE_ORDER_MARK):
        mask |= np.asarray(pc.starts_with(texts, beginning).fill_null(False))
    return mask if mask.any() else None


def quoted(texts: pa.Array) -> pa.Array:
    """Every text between quotes, its own quotes doubled; nulls stay null."""
    octets, _ = octets_of(texts)
    if (octets == ord('"')).any():
        texts = pc.replace_substring(texts, '"', '""')
    return concatenated(texts.type, '"', texts, '"')

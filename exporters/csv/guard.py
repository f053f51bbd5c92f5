"""Texts that a spreadsheet would take for formulas (OWASP: CSV injection)."""

from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.csv.places import Where, first_of
from exporters.errors import InvalidData
from exporters.text_bytes import Mask, concatenated, first_octets, octets_of, replaced

FormulaGuard = Literal["off", "prefix", "reject"]

BEGINNINGS: Final = "=+-@\t\r\0"
"""NUL is dropped by LibreOffice, which runs what stands behind it (and OWASP's ASVS, 1.2.10)."""

_PREFIX: Final = "'"
"""Spreadsheets show what stands behind it, as text."""

_IS_BEGINNING: Final = np.isin(np.arange(256), [ord(each) for each in BEGINNINGS])


def guarded(texts: pa.Array, guard: FormulaGuard, where: Where) -> tuple[pa.Array, int]:
    """`texts` of which none begins as a formula does, and how many were changed for it.

    Raises `InvalidData` for the first one where they are to be refused.
    """
    formulas = None if guard == "off" else _formulas(texts)
    if formulas is None:
        return texts, 0
    if guard == "reject":
        raise InvalidData(
            f"{first_of(formulas, texts, where)} begins as a formula does, which formula_guard "
            "refuses; 'prefix' would write a ' before it"
        )
    prefixed = concatenated(texts.type, _PREFIX, texts.filter(pa.array(formulas)))
    return replaced(texts, formulas, prefixed), int(formulas.sum())


def _formulas(texts: pa.Array) -> Mask | None:
    """Which texts begin like a formula; None where none does."""
    octets, offsets = octets_of(texts)
    mask = _IS_BEGINNING[first_octets(octets, offsets)] & (offsets[1:] > offsets[:-1])
    if texts.null_count and mask.any():
        mask &= np.asarray(pc.is_valid(texts))
    return mask if mask.any() else None

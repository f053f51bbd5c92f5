"""Names of sheets: what Excel takes, and names for the sheets that the caller did not name."""

from typing import Final

MAX_UNITS: Final = 31
"""UTF-16 units of a sheet's name; a character outside the basic plane is two."""

_FORBIDDEN: Final = frozenset("[]:*?/\\")
_RESERVED: Final = "history"
_EMPTY: Final = "(empty)"


def check_sheet_name(name: str) -> str:
    """`name`. Raises `ValueError` with one sentence for one that Excel refuses."""
    if not 1 <= utf16_units(name) <= MAX_UNITS:
        raise ValueError("Excel takes 1 to 31 characters")
    if _FORBIDDEN & set(name) or name[0] == "'" or name[-1] == "'":
        raise ValueError("Excel refuses []:*?/\\ anywhere and ' at either end")
    if name.casefold() == _RESERVED or not name.isprintable() or not name.strip():
        raise ValueError("Excel reserves 'History' and refuses blank or unprintable names")
    return name


def sheet_name_of(value: str | None) -> str:
    """A name that Excel takes for the sheet of a value, as close to the value as can be."""
    allowed = (
        "_" if character in _FORBIDDEN or not character.isprintable() else character
        for character in value or ""
    )
    name = _cut("".join(allowed), MAX_UNITS).strip().strip("'")
    if name.casefold() == _RESERVED:
        return f"{name}_"
    return name or _EMPTY


def numbered_name(name: str, number: int) -> str:
    """Of sheets that share `name` the `number`th's: `name`, `name (2)`, `name (3)`.

    Shortened as far as Excel needs. No two are alike, whatever the first is called: Excel compares
    without case.
    """
    if number == 1:
        return name
    numbered = _with_suffix(name, f" ({number})")
    if numbered.casefold() == name.casefold():
        return _with_suffix(name, f" #{number}")
    return numbered


def _with_suffix(name: str, suffix: str) -> str:
    return _cut(name, MAX_UNITS - len(suffix)) + suffix


def _cut(name: str, units: int) -> str:
    """`name` in at most `units`; no character is split."""
    return name.encode("utf-16-le", "replace")[: 2 * units].decode("utf-16-le", errors="ignore")


def utf16_units(name: str) -> int:
    """The length of a text as Excel counts it."""
    return len(name.encode("utf-16-le", errors="replace")) // 2

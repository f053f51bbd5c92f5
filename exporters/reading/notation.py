"""Patterns of dates in three notations: PHP's `d/m/Y`, strftime's `%d/%m/%Y`, Excel's `dd/mm/yyyy`.

A pattern is parsed into fields and literals once, and written in another notation. Fields are named
by PHP's letters.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

Pattern: TypeAlias = tuple[tuple[str, bool], ...]
"""What a pattern is made of: fields (true) and literal texts."""

_STRFTIME: Final[Mapping[str, str]] = {
    "d": "%d",
    "j": "%d",
    "m": "%m",
    "n": "%m",
    "Y": "%Y",
    "y": "%y",
    "H": "%H",
    "G": "%H",
    "h": "%I",
    "g": "%I",
    "i": "%M",
    "s": "%S",
    "v": "%3f",
    "u": "%6f",
    "A": "%p",
    "a": "%P",
    "M": "%b",
    "F": "%B",
    "D": "%a",
    "l": "%A",
}
"""PHP's letters; the parser of strftime patterns takes one digit for `%d` too."""

_EXCEL: Final[Mapping[str, str]] = {
    "d": "dd",
    "j": "d",
    "m": "mm",
    "n": "m",
    "Y": "yyyy",
    "y": "yy",
    "H": "hh",
    "G": "h",
    "h": "hh",
    "g": "h",
    "i": "mm",
    "s": "ss",
    "v": "000",
    "u": "000",
    "A": "AM/PM",
    "a": "AM/PM",
    "M": "mmm",
    "F": "mmmm",
    "D": "ddd",
    "l": "dddd",
}

_OF_STRFTIME: Final[Mapping[str, str]] = {
    "d": "d",
    "e": "j",
    "m": "m",
    "Y": "Y",
    "y": "y",
    "H": "H",
    "k": "G",
    "I": "h",
    "l": "g",
    "M": "i",
    "S": "s",
    "f": "u",
    "p": "A",
    "P": "a",
    "b": "M",
    "h": "M",
    "B": "F",
    "a": "D",
    "A": "l",
}
_SHORTHANDS: Final = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y"}

_EXCEL_TOKEN: Final = re.compile(
    r"(am/pm|a/p)|(y+|m+|d+|h+|s+)|\"([^\"]*)\"|\\(.)|([^a-z\"\\\[\]])", re.IGNORECASE | re.DOTALL
)
_OF_EXCEL: Final[Mapping[str, str]] = {
    "yyyy": "Y",
    "yy": "y",
    "mmmm": "F",
    "mmm": "M",
    "mm": "m",
    "m": "n",
    "dddd": "l",
    "ddd": "D",
    "dd": "d",
    "d": "j",
    "hh": "H",
    "h": "G",
    "ss": "s",
    "s": "s",
}
_PLAIN_IN_EXCEL: Final = frozenset(" -/:.,")
_CLOCK: Final = frozenset("HGhg")
_DATE: Final = (frozenset("Yy"), frozenset("mnMF"), frozenset("dj"))


def pattern_of(text: str) -> Pattern | None:
    """Parse a pattern of any of the notations; None for a text that is none, or has no field.

    `%` means strftime; letters that only Excel doubles (`yyyy`, `dd`) mean Excel, or what Java and
    others make of it; anything else is PHP's.
    """
    if "%" in text:
        found = _from_strftime(text)
    elif re.search(r"y{2}|d{2}|h{2}|s{2}|m{2}", text, re.IGNORECASE):
        found = _from_excel(text)
    else:
        found = _from_php(text)
    return found if found and any(is_field for _part, is_field in found) else None


def in_strftime(pattern: Pattern) -> str:
    """The pattern as a parser takes it."""
    return "".join(
        _STRFTIME[part] if is_field else part.replace("%", "%%") for part, is_field in pattern
    )


def in_excel(pattern: Pattern) -> str:
    """The pattern as a number format."""
    return "".join(_EXCEL[part] if is_field else _literal(part) for part, is_field in pattern)


def has_clock(pattern: Pattern) -> bool:
    """Whether the pattern has a time of day."""
    return any(is_field and part in _CLOCK for part, is_field in pattern)


def has_day(pattern: Pattern) -> bool:
    """Whether the pattern says which day it is."""
    fields = {part for part, is_field in pattern if is_field}
    return all(fields & each for each in _DATE)


def _literal(text: str) -> str:
    return "".join(each if each in _PLAIN_IN_EXCEL else f"\\{each}" for each in text)


def _from_strftime(text: str) -> Pattern | None:
    for short, whole in _SHORTHANDS.items():
        text = text.replace(short, whole)
    parts: list[tuple[str, bool]] = []
    places = iter(text)
    for each in places:
        if each != "%":
            parts.append((each, False))
            continue
        letter = next(places, "")
        letter = next(places, "") if letter in {"-", "_"} else letter  # without zeros: read alike
        if letter == "%":
            parts.append(("%", False))
        elif letter in _OF_STRFTIME:
            parts.append((_OF_STRFTIME[letter], True))
        else:
            return None
    return tuple(parts)


def _from_php(text: str) -> Pattern | None:
    parts: list[tuple[str, bool]] = []
    places = iter(text)
    for each in places:
        if each == "\\":
            parts.append((next(places, ""), False))
        elif each in _STRFTIME:
            parts.append((each, True))
        elif each in "!|":  # what is not given is that of 1970: so it is here
            continue
        elif each.isalpha() and each.isascii():
            return None
        else:
            parts.append((each, False))
    return tuple(parts)


def _from_excel(text: str) -> Pattern | None:
    found = list(_EXCEL_TOKEN.finditer(text))
    if "".join(each[0] for each in found) != text:
        return None
    twelve = any(each[1] for each in found)
    parts: list[tuple[str, bool]] = []
    for number, each in enumerate(found):
        if each[1]:
            parts.append(("A", True))
        elif each[2]:
            field = _excel_field(
                each[2].lower(), _letters(found[:number]), _letters(found[number + 1 :])
            )
            if field is None:
                return None
            parts.append(({"H": "h", "G": "g"}.get(field, field) if twelve else field, True))
        else:
            parts.append((each[3] or each[4] or each[5] or "", False))
    return tuple(parts)


def _letters(tokens: Iterable[re.Match[str]]) -> str:
    return "".join(each[2][0].lower() for each in tokens if each[2])


def _excel_field(token: str, before: str, behind: str) -> str | None:
    """The field of a token; `m` beside hours or seconds is minutes."""
    if token in {"m", "mm"} and (before.endswith("h") or behind.startswith("s")):
        return "i"
    return _OF_EXCEL.get(token)

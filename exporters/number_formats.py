r"""Excel's number formats: by name, or by a code such as `#,##0.00` or `yyyy-mm-dd`.

Excel takes a workbook with a code that it cannot parse for a damaged one, so that codes are checked
before any data is read. The grammar is that of [MS-OI29500] 2.1.712 to ECMA-376 part 1, 18.8.30 and
18.8.31. Where Excel is known to take more (any run of date letters, `aaa`, `[$-ja-JP-x-gannen]`,
several points, any punctuation), so does this check. In one respect it takes less: a letter that
means nothing is shown by some versions of Excel, but it must be quoted here, as the grammar has it.

A code becomes one letter for each token, its *shape*, and what is wrong with a section is a pattern
that its shape must not match:

    G  General                       H M S  elapsed hours, minutes, seconds: [h] [m] [s]
    D  a date, era, AM/PM, m         e h s  year, hours, seconds
    N  # or ?    Z  0    I  1 to 9   P , R E F T  . , % E+ / @  (the comma is C)
    K  a colour  Q  a condition      L      what is shown as it is, or changes nothing here
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from exporters.hints import closest

MAX_LENGTH: Final = 255
"""UTF-16 units of a code ([MS-XLS] 2.4.126)."""

MAX_SECTIONS: Final = 4

NAMED_FORMATS: Final[Mapping[str, str | int]] = {
    "currency": 7,
    "date": 14,
    "datetime": 22,
    "integer": "#,##0",
    "number": "#,##0.00",
    "percent": "0.00%",
    "text": "@",
    "time": 21,
}
"""Formats for people, by name: a code, or the index of a format that is Excel's own.

What Excel shows for an index follows its reader's region: the order of day and month, the currency
(ECMA-376 part 1, 18.8.30).
"""

_OWN_CODES: Final = {
    7: "$#,##0.00_);($#,##0.00)",
    14: "mm/dd/yyyy",
    21: "hh:mm:ss",
    22: "mm/dd/yyyy hh:mm",
}
"""About what Excel shows for its own formats, at the longest."""

# Excel takes these as it takes E and N, which it refuses (observed by the authors of numfmt).
_ACCENTED: Final = "".join(
    letter
    for letter in map(chr, range(0xC0, 0x250))
    if unicodedata.normalize("NFD", letter)[0] in "ENen"
)

_TOKEN: Final = re.compile(
    rf"""
      (?P<G> general)
    | (?P<L> "[^"]*" | \\. | [_*](?:\\.|[^\\]) | \[(?:\$[^\]]+|dbnum[1-4])\] | b[12]
           | [ !$&'()+\-:<=>^`{{|}}~\]\n] | [^\x00-\x7f{_ACCENTED}])
    | (?P<D> am/pm | a/p | a{{3,}} | y+ | m+ | d+ | g+ | (?!(?-i:B)\Z)b+)
    | (?P<e> (?-i:e)+) | (?P<h> h+) | (?P<s> s+) | (?P<H> \[h+\]) | (?P<M> \[m+\]) | (?P<S> \[s+\])
    | (?P<N> [#?]) | (?P<Z> 0) | (?P<I> [1-9])
    | (?P<P> \.) | (?P<C> ,) | (?P<R> %) | (?P<E> (?-i:E)[+-]) | (?P<F> /) | (?P<T> @)
    | (?P<K> \[(?:black|blue|cyan|green|magenta|red|white|yellow
           |color\ *(?:[1-9]|[1-4][0-9]|5[0-6]))\])
    | (?P<Q> \[(?:<[=>]?|>=?|=)\ *-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:(?-i:E)[+-][0-9]+)?\])
    | (?P<end> ;)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII | re.DOTALL,
)

_TEMPORAL: Final = re.compile(r"[DehsHMS]")

_FAULTS: Final = tuple(
    (re.compile(pattern), fault)
    for pattern, fault in (
        (r"[NZ]e", "has e, which is a year, behind a digit; write an exponent as 0.00E+00"),
        (
            r"[HMS].*[HMS]|H.*h|h.*H|S.*s|s.*S",
            "counts a unit of time twice; put only the largest into brackets, as [h]:mm:ss",
        ),
        (
            r"[DehsHMS].*[NZRETG]|[NZRETG].*[DehsHMS]",
            "mixes a date or time with a number or text; put what is to be shown into quotes",
        ),
        (
            r"G.*[NZRETG]|[NZRET].*G",
            "has General beside another format; leave out one of them",
        ),
        (r"T.*[NZRE]|[NZRE].*T", "has @, which is for texts, beside digits; leave out one of them"),
        (r"E.*E|^[^NZ]*E|E[^NZ]*$", "has an exponent without digits; write it as 0.00E+00"),
        (
            r"^[^NZ]*F|F[^NZI]*$|F.*[FPE]|[PE].*F|[NZ]C[NZC]*[^NZC]*F|F.*[NZI]C+[NZI]",
            r"has a / that parts no fraction such as # ?/?; write \/ to show one",
        ),
        (r"K.*K", "has two colours; leave out one of them"),
        (r"Q.*Q", "has two conditions; leave out one of them"),
    )
)


def check_format(wish: str) -> str:
    """`wish`, which is a name or a code. Raises `ValueError` with one sentence for another.

    A name is one only in lower case and as a whole; no name is a code.
    """
    if wish in NAMED_FORMATS:
        return wish
    try:
        return check_number_format(wish)
    except ValueError as error:
        hint = closest(wish.lower(), list(NAMED_FORMATS))
        raise ValueError(f"{error}{hint}") from None


def check_number_format(code: str) -> str:
    """`code`. Raises `ValueError` with one sentence for one that Excel cannot parse."""
    _check_characters(code)
    shapes = _shapes(code)
    for number, shape in enumerate(shapes, 1):
        fault = next((fault for wrong, fault in _FAULTS if wrong.search(shape)), None)
        if fault is not None:
            raise ValueError(f"section {number} {fault}")
    _check_sections(shapes)
    return code


def written_format(wish: str) -> str | int:
    """What XlsxWriter writes for a name or code that was checked: a code or an index."""
    return NAMED_FORMATS.get(wish, wish)


def shown_code(wish: str) -> str:
    """A code that shows about what a name or code that was checked does, to be measured by."""
    written = written_format(wish)
    return written if isinstance(written, str) else _OWN_CODES[written]


def shows_time(wish: str) -> bool:
    """Whether a name or code that was checked shows positive numbers as dates or times."""
    return _TEMPORAL.search(_shapes(shown_code(wish))[0]) is not None


def _check_characters(code: str) -> None:
    if not 1 <= len(code.encode("utf-16-le", errors="replace")) // 2 <= MAX_LENGTH:
        raise ValueError(
            f"use an Excel number format of 1 to {MAX_LENGTH} characters, as 'yyyy-mm-dd'"
        )
    # An attribute of XML keeps none of these; Excel reads _xHHHH_ in it as another character.
    unkept = re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_", code)
    if unkept is not None:
        raise ValueError(
            f"{unkept[0]!r} at character {unkept.start() + 1} cannot be kept in a workbook; "
            "leave it out"
        )


def _shapes(code: str) -> list[str]:
    """The shape of each section. Raises `ValueError` for what is no token."""
    shapes, place = [""], 0
    while place < len(code):
        token = _TOKEN.match(code, place)
        if token is None:
            raise ValueError(_stray(code, place))
        if token.lastgroup == "end":
            shapes.append("")
        else:
            shapes[-1] += str(token.lastgroup)
        place = token.end()
    return [_settled(shape) for shape in shapes]


def _settled(shape: str) -> str:
    """`shape` with what is shown as it is in a date or time: its slashes, parts of seconds."""
    begin = _TEMPORAL.search(shape)
    if begin is None:
        return shape
    before, after = shape[: begin.start()], shape[begin.start() :]
    return (before + re.sub(r"PZ{1,3}", "L", after)).replace("F", "L")


def _stray(code: str, place: int) -> str:
    """What to say of the character at `place`, with which no token begins."""
    where = f"at character {place + 1}"
    if code[place] == '"':
        return f"the text that begins {where} has no end; close it with another '\"'"
    if code[place] in "\\_*":
        return f"{code[place]!r} {where} needs a character after it; add one or leave it out"
    if code[place] == "[":
        bracket, end, _ = code[place:].partition("]")
        if not end:
            return f"the bracket that begins {where} has no end; close it with ']'"
        return (
            f"{bracket[:20] + end!r} {where} is no colour, condition, elapsed time or locale; use "
            "one such as [Red], [>=100], [h] or [$€-407]"
        )
    text = _word(code, place)
    return f'{text!r} {where} means nothing in a number format; put text into quotes, as "{text}"'


def _word(code: str, place: int) -> str:
    """The letters that begin at `place`, but not those of a date right behind, as in `Thh`."""
    word = re.compile(r"[^\W\d_]+?(?=yy|mm|dd|hh|ss|[\W\d_]|\Z)").match(code, place)
    return word[0] if word else code[place]


def _check_sections(shapes: list[str]) -> None:
    if len(shapes) > MAX_SECTIONS:
        raise ValueError(f"{len(shapes)} sections are parted by ';'; Excel takes {MAX_SECTIONS}")
    if sum("Q" in shape for shape in shapes) > 2:
        raise ValueError("more than two sections have a condition; Excel takes two")
    if any("T" in shape for shape in shapes[:-1]):
        raise ValueError("@ stands before the last section; put the section for texts last")
    if len(shapes) == MAX_SECTIONS and re.search(r"[NZEDehsHMS]", shapes[-1]):
        raise ValueError("the fourth section is for texts; use @ there, or a text in quotes")
    if re.fullmatch(r"I+", ";".join(shapes)):
        # Excel would show these digits in every cell; XlsxWriter may take them for an index.
        raise ValueError("it has no place for a value; use a name as 'date', or a code as '0.00'")

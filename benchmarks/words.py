"""Pseudo-random prose, the same for the same seed on any machine: long texts, and lists of values.

Words are as long and as unevenly frequent as those of a language, so that texts compress about as
those that people write. One word in eight is Chinese; markup and line ends occur.
"""

from random import Random
from typing import Final

from benchmarks.data import SEED

_ENDINGS: Final = ("a", "e", "i", "o", "u", "an", "er", "is", "on")
_SYLLABLES: Final = [start + end for start in "bcdfghlmnprstv" for end in _ENDINGS]
_CHARACTERS: Final = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
    "而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本"
)
_WORDS: Final = 4_000
_ENDS: Final = (", ", ", ", ", ", ". ", ". ", "。", "; ", " & ", ' "', " <b>")


def words(count: int) -> list[str]:
    """Different words of one to four syllables, or two Chinese characters."""
    chance = Random(SEED)
    found: dict[str, None] = {}
    while len(found) < count:
        chinese = chance.random() < 1 / 8
        parts, length = (_CHARACTERS, 2) if chinese else (_SYLLABLES, 1 + int(4 * chance.random()))
        found["".join(_pick(chance, parts) for _ in range(length))] = None
    return list(found)


def paragraphs(count: int, size: int) -> list[str]:
    """Texts of about `size` bytes of UTF-8 each."""
    chance = Random(SEED)
    known = words(_WORDS)
    return [_paragraph(chance, known, size) for _ in range(count)]


def _paragraph(chance: Random, known: list[str], size: int) -> str:
    pieces: list[str] = []
    length = 0
    while length < size:
        word = known[int(len(known) * chance.random() ** 3)]  # few words are most of a text
        end = _pick(chance, _ENDS) if chance.random() < 0.1 else " "
        pieces += (word, end)
        length += len(word.encode()) + len(end.encode())
    return "".join(pieces).strip() + "\n"


def _pick(chance: Random, choices: tuple[str, ...] | list[str] | str) -> str:
    """One of `choices`; `Random.random` alone is promised to stay the same."""
    return choices[int(len(choices) * chance.random())]

"""Text encodings by Python's codecs, a column or a block at a time.

Most files of another encoding than UTF-8 are mostly ASCII: a column of ASCII is left as it is, any
other is encoded in one call, its texts parted by a control character that stands in none of them.
That needs a codec in which ASCII is itself and no byte of another character is a quote, a line end
or a delimiter; with the rest (UTF-16, EBCDIC, ISO-2022 …) whole blocks of lines are encoded.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from encodings import aliases
from functools import cache
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.csv.places import Where, first_of
from exporters.errors import InvalidData
from exporters.hints import closest
from exporters.text_bytes import Mask, concatenated, octets_of, texts_from

_NO_FILES: Final = frozenset({"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined",
                              "unicode-escape"})  # fmt: skip
"""Text codecs that are for something else than files, or exist on some systems only."""

_BOMS: Final = {
    "utf-8-sig": (codecs.BOM_UTF8, "utf-8"),
    "utf-16": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "utf-32": (codecs.BOM_UTF32_LE, "utf-32-le"),
}
"""The codecs that write a byte order mark: what it is, and the codec of all that follows it."""

_MULTIBYTE: Final = frozenset({"big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004",
                               "euc_jisx0213", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk",
                               "johab", "shift_jis"})  # fmt: skip
"""Those in which ASCII is itself; second bytes are 0x30 and above: no quote, comma or line end."""

_SHIFTS: Final = ("\x0e", "\x0f", "\x1b")
"""What switches alphabets in ISO-2022 and so is no text (RFC 1468); Python's codecs let it pass."""

EncodingErrors = Literal["error", "replace", "xmlcharref"]

_SUBSTITUTES: Final[dict[EncodingErrors, Callable[[str], str]]] = {
    "error": lambda _character: "?",
    "replace": lambda _character: "?",
    "xmlcharref": lambda character: f"&#{ord(character)};",
}

_SEPARATORS: Final = tuple(map(chr, range(1, 0x20)))
"""Not NUL, which Python's codecs of JIS X 0213 lose behind a letter that may take an accent."""


def codec_name(name: str) -> str:
    """The name of a codec for files. Raises `ValueError` naming the closest for an unknown one."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        known = sorted({*aliases.aliases, *aliases.aliases.values()})
        hint = closest(name.lower().replace("-", "_"), known) or "; as utf-8, gb18030 or cp1252"
        raise ValueError(f"there is no encoding of that name{hint}") from None
    if not info._is_text_encoding or info.name in _NO_FILES:  # noqa: SLF001 (as TextIOWrapper does)
        raise ValueError("it is no encoding of text files; use one as utf-8, gb18030 or cp1252")
    return info.name


@dataclass(frozen=True, slots=True)
class Charset:
    """How the file's texts become bytes, by the name that `codec_name` gave."""

    name: str

    @property
    def label(self) -> str:
        """The name that is registered at IANA, as far as a rule tells it."""
        name = self.name.removesuffix("-sig")
        name = re.sub(r"^iso(?=\d)", "iso-", name)
        name = re.sub(r"^(euc|iso-2022)_", r"\1-", name)
        return re.sub(r"^cp(?=125\d$)", "windows-", name)

    @property
    def mark(self) -> bytes:
        """What the file begins with."""
        return _BOMS[self.name][0] if self.name in _BOMS else b""

    @property
    def codec(self) -> str:
        """The codec of what follows the mark."""
        return _BOMS[self.name][1] if self.name in _BOMS else self.name

    @property
    def is_utf8(self) -> bool:
        """Whether Arrow's bytes are the file's."""
        return self.codec == "utf-8"

    @property
    def keeps_ascii(self) -> bool:
        """Whether columns can be encoded before they become lines."""
        return not self.is_utf8 and _keeps_ascii(self.codec)

    def encode_column(self, texts: pa.Array) -> pa.Array:
        """Texts whose bytes are in this encoding; `keeps_ascii` must hold.

        Raises `UnicodeEncodeError`.
        """
        octets, _ = octets_of(texts)
        if not octets.size or octets.max() < 0x80:
            return texts
        return _in_one_call(texts, lambda text: text.encode(self.codec))

    def encode_block(self, lines: pa.Buffer) -> bytes:
        """Whole lines. Raises `UnicodeEncodeError`."""
        text = lines.to_pybytes().decode()
        self._check_shifts(text)
        return bytes(text.encode(self.codec))

    def has(self, text: str) -> bool:
        """Whether the encoding has every character of a text."""
        try:
            self._check_shifts(text)
            text.encode(self.codec)
        except UnicodeEncodeError:
            return False
        return True

    def fitted(self, texts: pa.Array, errors: EncodingErrors, where: Where) -> tuple[pa.Array, int]:
        """`texts` of characters that the encoding has, and how many were changed for it.

        Raises `InvalidData` for the first one that would be, where that is an error.
        """
        texts = _without_garbage(texts)
        octets, _ = octets_of(texts)
        lacking = [each for each in set(octets.tobytes().decode()) if not self.has(each)]
        if not lacking:
            return texts, 0
        substitutes = {ord(each): _SUBSTITUTES[errors](each) for each in lacking}
        fitted = _in_one_call(texts, lambda text: text.translate(substitutes).encode())
        changed = np.asarray(pc.not_equal(fitted, texts).fill_null(False))
        if errors == "error" and changed.any():
            raise self._lacks(texts, changed, frozenset(lacking), where)
        return fitted, int(changed.sum())

    def _lacks(
        self, texts: pa.Array, rows: Mask, lacking: frozenset[str], where: Where
    ) -> InvalidData:
        text = texts[int(np.argmax(rows))].as_py()
        character = next(each for each in text if each in lacking)
        return InvalidData(
            f"{first_of(rows, texts, where)} has {character!r} (U+{ord(character):04X}), which "
            f"{self.name} lacks; choose another encoding, as 'utf-8-sig' or 'gb18030', or "
            "encoding_errors 'replace' or 'xmlcharref'"
        )

    def _check_shifts(self, text: str) -> None:
        if not self.codec.startswith("iso2022"):
            return
        for each in _SHIFTS:
            place = text.find(each)
            if place >= 0:
                raise UnicodeEncodeError(self.codec, text, place, place + 1, "switches alphabets")


@cache
def _keeps_ascii(codec: str) -> bool:
    if codec.replace("-", "_") in _MULTIBYTE:
        return True
    if codec.startswith("iso2022"):
        return False
    octets = bytes(range(256))
    characters = octets.decode(codec, "replace")
    ascii_octets, ascii_text = octets[:128], octets[:128].decode("ascii")
    if len(characters) != len(octets) or characters[:128] != ascii_text:
        return False
    # Arabic and Persian of the Macintosh have quotes and commas twice, and write the other ones.
    return ascii_text.encode(codec, "replace") == ascii_octets


def _without_garbage(texts: pa.Array) -> pa.Array:
    """Texts with no bytes under a null, where anything may stand and need not be UTF-8."""
    if not texts.null_count:
        return texts
    plain = pc.fill_null(texts, "")
    octets, offsets = octets_of(plain)
    return texts_from(octets, offsets, texts)


def _in_one_call(texts: pa.Array, convert: Callable[[str], bytes]) -> pa.Array:
    """What `convert` makes of each of `texts`, in one call for all of them.

    It must turn a control character into its byte, and nothing else into that.
    """
    data = octets_of(texts)[0].tobytes()
    separator = next((each for each in _SEPARATORS if each.encode() not in data), None)
    if separator is None:
        return _by_halves(texts, convert)
    parted = concatenated(texts.type, pc.fill_null(texts, ""), separator)
    octets = np.frombuffer(convert(octets_of(parted)[0].tobytes().decode()), np.uint8)
    is_separator = octets == ord(separator)
    ends = np.flatnonzero(is_separator) - np.arange(len(texts))
    return texts_from(octets[~is_separator], np.concatenate(([0], ends)), texts)


def _by_halves(texts: pa.Array, convert: Callable[[str], bytes]) -> pa.Array:
    """The same where every control character stands in some text."""
    if len(texts) > 1:
        middle = len(texts) // 2
        halves = (texts.slice(0, middle), texts.slice(middle))
        return pa.concat_arrays([_in_one_call(half, convert) for half in halves])
    octets = np.frombuffer(convert(octets_of(texts)[0].tobytes().decode()), np.uint8)
    return texts_from(octets, np.array([0, octets.size]), texts)

"""Personal data, masked: what of a text may stay, and constants in place of the rest.

A null stays null; an empty text is masked like any other that is too short. Nothing that stands
for hidden characters tells how many there were, but for the digits of a phone number.
"""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from exporters.transforms.base import TEXT, Transform

MASKED: Final = "***"
"""What stands for a text of which nothing stays."""

_LAST: Final = 4
"""Characters that `last4` and `phone` leave."""

_HIDDEN_DIGITS: Final = 3
"""Digits of a phone number that are hidden at least: of a shorter one too much would stay."""

_ADDRESS: Final = (
    r"^(?P<first>[^@\s])[^@\s]*@"
    r"(?P<domain>(?:[\pL\pN\pM_-]+\.)+[\pL\pN\pM-]{2,})$"
)
"""One at sign, a domain with a point, no white space."""

_SEPARATORS: Final = r" \t\x{a0}\x{2009}\x{202f}+()./\-\x{2010}-\x{2015}"

_PHONE: Final = (
    rf"^(?P<hidden>(?:[{_SEPARATORS}]*\p{{Nd}}){{{_HIDDEN_DIGITS}}}[{_SEPARATORS}\p{{Nd}}]*)"
    rf"(?P<last>(?:\p{{Nd}}[{_SEPARATORS}]*){{{_LAST}}})$"
)
"""Digits in any script and what is written between them, nothing else."""


class Redact(Transform):
    """The same for every value."""

    growth = len(MASKED)

    def apply(self, texts: pa.Array) -> pa.Array:
        return _where_valid(texts, pa.scalar(MASKED, TEXT))


class Last4(Transform):
    """The last four characters of a longer text, as of a card number."""

    _STARS: Final = "*" * _LAST

    growth = len(_STARS)

    def apply(self, texts: pa.Array) -> pa.Array:
        long = pc.greater(pc.utf8_length(texts), _LAST)
        kept = pc.if_else(long, pc.utf8_slice_codeunits(texts, -_LAST), "")
        return _joined(self._STARS, kept)


class Email(Transform):
    """The first character and the domain of an address."""

    growth = len(MASKED)

    def apply(self, texts: pa.Array) -> pa.Array:
        parts = pc.extract_regex(texts, _ADDRESS)
        return _or_masked(_joined(*parts.flatten(), separator=f"{MASKED}@"), texts)


class Phone(Transform):
    """The last four digits; a star for each other one, and what stands between them."""

    growth = len(MASKED)

    def apply(self, texts: pa.Array) -> pa.Array:
        hidden, last = pc.extract_regex(texts, _PHONE).flatten()
        stars = pc.replace_substring_regex(hidden, r"\p{Nd}", "*")
        return _or_masked(_joined(stars, last), texts)


def _joined(*parts: str | pa.Array, separator: str = "") -> pa.Array:
    """The parts one after another; null where one of them is."""
    texts = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar(separator, TEXT))


def _or_masked(masked: pa.Array, texts: pa.Array) -> pa.Array:
    """`masked`, and the whole mask for those of `texts` that are not what they should be."""
    if masked.null_count == texts.null_count:
        return masked
    return pc.coalesce(masked, _where_valid(texts, pa.scalar(MASKED, TEXT)))


def _where_valid(texts: pa.Array, mask: pa.Scalar) -> pa.Array:
    return pc.if_else(texts.is_valid(), mask, pa.scalar(None, TEXT))

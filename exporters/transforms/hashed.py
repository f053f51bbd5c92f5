"""Texts by their keyed hash: equal ones stay equal, and nobody without the key can try guesses."""

import hmac
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.transforms.base import Transform
from exporters.transforms.octets import ends_of, octets_of, texts_from
from exporters.transforms.sha256 import DIGEST, HmacSha256, Octets, chunks

_DIGITS: Final = 2 * DIGEST

_HEX: Final = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)
"""The two digits of each byte."""

_ROWS: Final = 16_384
"""Texts that are hashed together: what the rounds work on stays in the processor's cache."""

_FEW: Final = 512
"""Of fewer texts of a size each is hashed by itself: the rounds cost 3 ms whatever their number."""

_LONG: Final = 8
"""Chunks of a text that is hashed by itself: of some 450 bytes, so that a block has few of those.

Measured on a core of an AMD EPYC: addresses of 24 bytes, all different, become digits at 0.9
million a second, and at 0.55 million by a call of `hmac.digest` for each. Two threads at once make
1.0 million: they hand the interpreter's lock to each other at every operation.
"""


class Hash(Transform):
    """HMAC-SHA-256 of each text's UTF-8 under a secret `key`, as 64 lower-case digits."""

    growth = _DIGITS

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._many = HmacSha256(key)

    def apply(self, texts: pa.Array) -> pa.Array:
        """Hash each text that occurs once, however many rows have it."""
        encoded = pc.dictionary_encode(texts)
        return self._digits(encoded.dictionary).take(encoded.indices)

    def _digits(self, texts: pa.Array) -> pa.Array:
        digests = self._digests(texts)
        ends = np.arange(0, (len(texts) + 1) * _DIGITS, _DIGITS)
        return texts_from(_HEX[digests].view(np.uint8).reshape(-1), ends)

    def _digests(self, texts: pa.Array) -> Octets:
        """The digests of texts of which none is null, one a row."""
        sizes = chunks(np.diff(ends_of(texts)))
        digests = np.empty((len(texts), DIGEST), np.uint8)
        for size in range(1, _LONG):
            places = np.flatnonzero(sizes == size)
            if len(places) < _FEW:
                sizes[places] = _LONG
                continue
            for start in range(0, len(places), _ROWS):
                some = places[start : start + _ROWS]
                part = texts.take(pa.array(some))
                digests[some] = self._many.digests(octets_of(part), np.diff(ends_of(part)))
        alone = np.flatnonzero(sizes >= _LONG)
        if len(alone):
            digests[alone] = self._one_by_one(texts.take(pa.array(alone)))
        return digests

    def _one_by_one(self, texts: pa.Array) -> Octets:
        octets = octets_of(texts).data
        found = [
            hmac.digest(self._key, octets[start:end], "sha256")
            for start, end in pairwise(ends_of(texts).tolist())
        ]
        return np.frombuffer(b"".join(found), np.uint8).reshape(-1, DIGEST)

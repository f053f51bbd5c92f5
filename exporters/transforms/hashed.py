"""Texts by their keyed hash: equal ones stay equal, and nobody without the key can try guesses."""

import hmac
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.transforms.base import TEXT, Transform
from exporters.transforms.sha256 import DIGEST, HmacSha256, Lengths, Octets, chunks

_DIGITS: Final = 2 * DIGEST

_HEX: Final = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)
"""The two digits of each byte."""

_ROWS: Final = 8_192
"""Texts that are hashed together: what the rounds work on stays in the processor's cache."""

_FEW: Final = 512
"""Of fewer texts of a size each is hashed by itself: the rounds cost 3 ms whatever their number."""

_LONG: Final = 8
"""Chunks of a text that is hashed by itself: a block has few of those.

Measured on a core of an AMD EPYC: e-mail addresses of 20 bytes, all different, become digits at
0.8 million a second, and on two threads at twice that rate, because numpy lets go of the
interpreter's lock. One call of `hmac.digest` a text makes 0.6 million and holds the lock.
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
        places = np.arange(0, (len(texts) + 1) * _DIGITS, _DIGITS)
        buffers = [None, pa.py_buffer(places), pa.py_buffer(_HEX[digests])]
        return pa.Array.from_buffers(TEXT, len(texts), buffers)

    def _digests(self, texts: pa.Array) -> Octets:
        """The digests of texts of which none is null, one a row."""
        sizes = chunks(_lengths(texts))
        digests = np.empty((len(texts), DIGEST), np.uint8)
        for size in range(1, _LONG):
            places = np.flatnonzero(sizes == size)
            if len(places) < _FEW:
                sizes[places] = _LONG
                continue
            for start in range(0, len(places), _ROWS):
                some = places[start : start + _ROWS]
                part = texts.take(pa.array(some))
                digests[some] = self._many.digests(_octets(part), _lengths(part))
        alone = np.flatnonzero(sizes >= _LONG)
        if len(alone):
            digests[alone] = self._one_by_one(texts.take(pa.array(alone)))
        return digests

    def _one_by_one(self, texts: pa.Array) -> Octets:
        octets = _octets(texts).data
        ends = np.cumsum(_lengths(texts)).tolist()
        found = [
            hmac.digest(self._key, octets[start:end], "sha256")
            for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]
        return np.frombuffer(b"".join(found), np.uint8).reshape(-1, DIGEST)


def _lengths(texts: pa.Array) -> Lengths:
    return pc.binary_length(texts).to_numpy()  # type: ignore[no-any-return]


def _octets(texts: pa.Array) -> Octets:
    """The bytes of all texts, one after another."""
    _, places, data = texts.buffers()
    if data is None:
        return np.empty(0, np.uint8)
    ends = np.frombuffer(places, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]

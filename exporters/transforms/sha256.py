"""HMAC-SHA-256 (RFC 2104, FIPS 180-4) of many messages at once.

The messages go through the rounds together: each word of the state and of the schedule is an array
with one number a message, and each step is an operation of numpy on all of them. Arithmetic wraps
at 32 bits, as the standard wants it.
"""

import hashlib
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Octets: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint32]
Lengths: TypeAlias = npt.NDArray[np.int64]

CHUNK: Final = 64
"""Bytes that a compression takes."""

DIGEST: Final = 32
"""Bytes of a digest."""

_LEAST_PADDING: Final = 9
"""A bit that ends the message, and its length."""

_STATE: Final = np.array(
    [
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
        0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
    ],
    np.uint32,
)  # fmt: skip

_CONSTANTS: Final = np.array(
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5,
        0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
        0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3,
        0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC,
        0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
        0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7,
        0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13,
        0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
        0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3,
        0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5,
        0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208,
        0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ],
    np.uint32,
)  # fmt: skip

_SHIFTS: Final = np.arange(33, dtype=np.uint32)


class HmacSha256:
    """Digests under one key. Used by several threads."""

    def __init__(self, key: bytes) -> None:
        self._inner = _keyed(key, 0x36)
        self._outer = _keyed(key, 0x5C)

    def digests(self, octets: Octets, lengths: Lengths) -> Octets:
        """The digests of messages that stand one after another in `octets`, one a row.

        All of them take the same number of chunks, which `chunks` tells. The memory is about four
        times that of the padded messages.
        """
        inner = _after(self._inner, _padded(octets, lengths))
        hashes = _big_endian(inner)
        outer = _after(self._outer, _padded(hashes.reshape(-1), np.full(len(lengths), DIGEST)))
        return _big_endian(outer)


def chunks(lengths: Lengths) -> Lengths:
    """How many chunks messages of these lengths take with their padding."""
    return (lengths + _LEAST_PADDING + CHUNK - 1) // CHUNK


def _keyed(key: bytes, pad: int) -> Words:
    """The state after the chunk that holds the key, the same for all messages."""
    block = np.zeros(CHUNK, np.uint8)
    short = key if len(key) <= CHUNK else hashlib.sha256(key).digest()
    block[: len(short)] = np.frombuffer(short, np.uint8)
    return _through(_STATE[:, None], (block ^ np.uint8(pad)).reshape(1, CHUNK))


def _padded(octets: Octets, lengths: Lengths) -> Octets:
    """Messages in rows of whole chunks with their padding, which counts the chunk of the key."""
    rows = len(lengths)
    width = int(chunks(lengths[:1])[0]) * CHUNK
    padded = np.zeros((rows, width), np.uint8)
    padded[np.arange(width) < lengths[:, None]] = octets
    padded[np.arange(rows), lengths] = 0x80
    bits = (lengths + CHUNK) * 8
    padded[:, -8:] = bits.astype(">u8").view(np.uint8).reshape(rows, 8)
    return padded


def _after(keyed: Words, padded: Octets) -> Words:
    return _through(np.repeat(keyed, len(padded), axis=1), padded)


def _through(state: Words, padded: Octets) -> Words:
    """`state` after every chunk of the padded messages."""
    words = np.ascontiguousarray(padded.view(">u4").T, np.uint32)
    for start in range(0, len(words), 16):
        state = _compressed(state, words[start : start + 16])
    return state


def _big_endian(state: Words) -> Octets:
    return np.ascontiguousarray(state.T, ">u4").view(np.uint8)


def _compressed(state: Words, schedule: Words) -> Words:
    """`state` after a chunk, whose 16 words `schedule` holds and loses. All is done in place."""
    a, b, c, d, e, f, g, h = state.copy()
    one, other, spare = np.empty((3, state.shape[1]), np.uint32)
    for turn in range(64):
        if turn >= 16:
            _extend(schedule, turn, one, other, spare)
        h += _rotations(e, (6, 11, 25), one, other, spare)
        # Choose: the bits of f where e has a one, those of g elsewhere.
        np.bitwise_xor(f, g, out=one)
        one &= e
        one ^= g
        h += one
        h += schedule[turn % 16]
        h += _CONSTANTS[turn]
        d += h
        h += _rotations(a, (2, 13, 22), one, other, spare)
        # The majority of the bits of a, b and c.
        np.bitwise_or(a, b, out=one)
        one &= c
        np.bitwise_and(a, b, out=other)
        one |= other
        h += one
        a, b, c, d, e, f, g, h = h, a, b, c, d, e, f, g
    passed: Words = np.stack([a, b, c, d, e, f, g, h])
    passed += state
    return passed


def _extend(schedule: Words, turn: int, one: Words, other: Words, spare: Words) -> None:
    """The next word of the schedule, in the place of the one that 16 turns ago was used."""
    word = schedule[turn % 16]
    word += schedule[(turn + 9) % 16]
    for source, right, left, shift in ((1, 7, 18, 3), (14, 17, 19, 10)):
        earlier = schedule[(turn + source) % 16]
        _rotations(earlier, (right, left), one, other, spare)
        np.right_shift(earlier, _SHIFTS[shift], out=other)
        one ^= other
        word += one


def _rotations(
    words: Words, distances: tuple[int, ...], one: Words, other: Words, spare: Words
) -> Words:
    """`words` rotated to the right by each distance, exclusively ored; in `one`."""
    _rotated(words, distances[0], one, spare)
    for distance in distances[1:]:
        _rotated(words, distance, other, spare)
        one ^= other
    return one


def _rotated(words: Words, distance: int, result: Words, spare: Words) -> None:
    np.right_shift(words, _SHIFTS[distance], out=result)
    np.left_shift(words, _SHIFTS[32 - distance], out=spare)
    result |= spare

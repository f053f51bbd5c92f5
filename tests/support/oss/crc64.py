"""CRC-64/XZ, which OSS calls crc64ecma: polynomial ECMA-182, reflected, inverted."""

from fastcrc import crc64 as fastcrc64

_POLYNOMIAL = 0xC96C5795D7870F42  # ECMA-182's, lowest power in the highest bit
_ONE = 1 << 63  # the polynomial 1, written so


def crc64(data: bytes | bytearray | memoryview, before: int = 0) -> int:
    """The checksum of `data`, or of what has the checksum `before` and `data` after it."""
    return fastcrc64.xz(data, before)


def combine(first: int, second: int, length: int) -> int:
    """The checksum of two pieces joined, of their own checksums and the second one's length.

    Bytes after a piece multiply its remainder by x to the power of their bits.
    """
    return _times(first, _power_of_x(8 * length)) ^ second


def _times(left: int, right: int) -> int:
    product = 0
    while left:
        if left & _ONE:
            product ^= right
        left = (left << 1) & (2 * _ONE - 1)
        right = (right >> 1) ^ (_POLYNOMIAL if right & 1 else 0)
    return product


def _power_of_x(exponent: int) -> int:
    power, square = _ONE, _ONE >> 1
    while exponent:
        if exponent & 1:
            power = _times(power, square)
        square = _times(square, square)
        exponent >>= 1
    return power

"""Whole numbers as Arrow has them beside arrays."""

import pyarrow as pa


def whole(number: int) -> pa.Scalar:
    """`number` as 64 bits.

    Told the type: pyarrow 26 otherwise tries to import `dateutil` for each number, to see whether
    it is an interval, which takes 80 µs where that is not installed (measured).
    """
    return pa.scalar(number, pa.int64())


def constant(number: int, array: pa.Array) -> pa.Array:
    """The same number for each row of `array`, as 64 bits."""
    return pa.repeat(whole(number), len(array))

"""Intervals of months, days and nanoseconds as ISO 8601 durations: `P1Y2M3DT4H5M6.789S`."""

from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_MONTHS_A_YEAR: Final = 12
_SECOND: Final = 10**9
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE

_LAYOUT: Final = ((0, 4, pl.Int32), (4, 4, pl.Int32), (8, 8, pl.Int64))
"""Where months, days and nanoseconds stand in an interval's 16 bytes (Arrow columnar format)."""


def interval_texts(intervals: pa.Array) -> pa.Array:
    """Each interval in its one spelling.

    Months over eleven are years; days are never months nor hours, whose lengths differ. Only parts
    that are not zero stand there, each with its own sign; an interval of nothing is `PT0S`.
    """
    frame = pl.Series("interval", intervals.view(pa.binary(16))).to_frame()
    months, days, nanoseconds = (_part(frame, place) for place in range(3))
    years, months = _divided(months, _MONTHS_A_YEAR)
    hours, nanoseconds = _divided(nanoseconds, _HOUR)
    minutes, nanoseconds = _divided(nanoseconds, _MINUTE)
    seconds, nanoseconds = _divided(nanoseconds, _SECOND)
    date = [_spelled(years, "Y"), _spelled(months, "M"), _spelled(days, "D")]
    time = [_spelled(hours, "H"), _spelled(minutes, "M"), _spelled_seconds(seconds, nanoseconds)]
    return _joined(pc.binary_join_element_wise(*date, ""), pc.binary_join_element_wise(*time, ""))


def _part(frame: pl.DataFrame, place: int) -> pa.Array:
    start, size, kind = _LAYOUT[place]
    octets = pl.col("interval").bin.slice(start, size)
    part = octets.bin.reinterpret(dtype=kind, endianness="little")
    return frame.select(part).to_series().to_arrow()


def _divided(size: pa.Array, divisor: int) -> tuple[pa.Array, pa.Array]:
    """Whole parts and what is left, both with the sign of `size`: Arrow rounds to zero."""
    divisor = pa.scalar(divisor, size.type)
    whole = pc.divide(size, divisor)
    return whole, pc.subtract(size, pc.multiply(whole, divisor))


def _spelled(part: pa.Array, designator: str) -> pa.Array:
    texts = pc.binary_join_element_wise(pc.cast(part, pa.string()), designator, "")
    return pc.if_else(pc.equal(part, 0), "", texts)


def _spelled_seconds(seconds: pa.Array, nanoseconds: pa.Array) -> pa.Array:
    if pc.any(pc.not_equal(nanoseconds, 0)).as_py() is not True:
        return _spelled(seconds, "S")
    sign = pc.if_else(pc.or_(pc.less(seconds, 0), pc.less(nanoseconds, 0)), "-", "")
    whole = pc.cast(pc.abs(seconds), pa.string())
    digits = pc.utf8_lpad(pc.cast(pc.abs(nanoseconds), pa.string()), 9, "0")
    fraction = pc.if_else(pc.equal(nanoseconds, 0), "", pc.utf8_rtrim(digits, "0"))
    point = pc.if_else(pc.equal(nanoseconds, 0), "", ".")
    texts = pc.binary_join_element_wise(sign, whole, point, fraction, "S", "")
    nothing = pc.and_(pc.equal(seconds, 0), pc.equal(nanoseconds, 0))
    return pc.if_else(nothing, "", texts)


def _joined(date: pa.Array, time: pa.Array) -> pa.Array:
    clock = pc.if_else(pc.equal(time, ""), "", pc.binary_join_element_wise("T", time, ""))
    texts = pc.binary_join_element_wise("P", date, clock, "")
    return pc.if_else(pc.equal(texts, "P"), "PT0S", texts)

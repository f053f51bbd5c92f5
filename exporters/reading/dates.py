"""Moments out of texts."""

from dataclasses import dataclass
from functools import reduce
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

MOMENT: Final = pa.timestamp("us")

DAY_LENGTH: Final = len("2026-01-31")

_ZONE: Final = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_WITH_ZONE: Final = r"^[0-9]{4}[-/].*[ T][0-9]{1,2}:[0-9]{2}.*(Z|[+-][0-9]{2}:?[0-9]{2})$"
_CLOCK: Final = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_ISO: Final = rf"^[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}([ T]{_CLOCK})?$"
_STRICT: Final = (
    r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?$"
)
"""Few such texts are no dates."""

_SECONDS: Final = r"^-?[0-9]{9,10}$"
_MILLISECONDS: Final = r"^[0-9]{13}$"
_SHAPES: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Moments:
    """What texts say, by the clock on the wall; null for what is no date."""

    values: pa.Array
    """Timestamps of microseconds without a zone."""
    days: pa.Array
    """Whether each was written as a day, without a time."""


def moments_of(texts: pa.Array, pattern: str | None, *, clock: bool, zone: str | None) -> Moments:
    """Read dates and times written by `pattern` (strftime's), else as ISO 8601 writes them.

    That is also with slashes, without leading zeros, with a blank for the T; and seconds (9 or 10
    digits) or milliseconds (13) since 1970. `clock` says whether the pattern has a time. A time
    with an offset, and what is counted from 1970, is shown in `zone`: by default the first by its
    own clock, the second in UTC.
    """
    read = _strict(texts) if pattern is None else _by_pattern(texts, pattern, clock=clock)
    odd = pc.and_(pc.is_null(read.values), pc.is_valid(texts))
    if not pc.any(odd).as_py():
        return read
    text = pl.col("text")
    iso, counted = _iso(text, zone), _counted(text, zone)
    found = (
        pl.Series("text", pc.filter(texts, odd))
        .to_frame()
        .select(
            pl.coalesce(iso, counted).alias("value"),
            (~text.str.contains(":") & iso.is_not_null()).alias("day"),
        )
    )
    return Moments(
        pc.replace_with_mask(read.values, odd, found["value"].to_arrow().cast(MOMENT)),
        pc.replace_with_mask(read.days, odd, found["day"].to_arrow()),
    )


def is_whole(pattern: str) -> bool:
    """Whether `pattern` (strftime's) says enough to make a moment of a text."""
    try:
        pl.Series(["x"]).str.to_datetime(pattern, strict=False, time_unit="us")
    except pl.exceptions.PolarsError:
        return False
    return True


def _strict(texts: pa.Array) -> Moments:
    """The moments of what is strictly ISO 8601, without a zone: 19 ns a text (measured)."""
    days = pc.equal(pc.binary_length(texts), DAY_LENGTH)
    try:
        return Moments(pc.cast(texts, MOMENT), days)
    except pa.ArrowInvalid:
        pass
    strict = pl.Series(texts).str.contains(_STRICT).to_arrow()
    try:
        return Moments(
            pc.cast(pc.if_else(strict, texts, pa.scalar(None, texts.type)), MOMENT), days
        )
    except pa.ArrowInvalid:  # such as 2024-02-30: each is looked at by itself
        return Moments(pa.nulls(len(texts), MOMENT), days)


def _by_pattern(texts: pa.Array, pattern: str, *, clock: bool) -> Moments:
    frame = pl.Series("text", texts).to_frame()
    values = frame.select(_parsed(pl.col("text"), pattern)).to_series().to_arrow()
    return Moments(values.cast(MOMENT), pa.repeat(pa.scalar(not clock), len(texts)))


def _parsed(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.to_datetime(pattern, strict=False, time_unit="us")


def _iso(text: pl.Expr, zone: str | None) -> pl.Expr:
    """Local times as they are, and those with an offset."""
    zoned = text.str.contains(_WITH_ZONE)
    local = pl.when(zoned).then(text.str.replace(_ZONE, "")).otherwise(text)
    local = pl.when(local.str.contains(_ISO)).then(local)
    local = local.str.replace_all("/", "-", literal=True).str.replace("T", " ", literal=True)
    moment = pl.coalesce(*(_parsed(local, shape) for shape in _SHAPES))
    if zone is None:
        return moment
    return pl.when(zoned).then(_on_the_wall(moment - _offset(text), zone)).otherwise(moment)


def _offset(text: pl.Expr) -> pl.Expr:
    """The offset at the end of each text."""
    sign = pl.when(text.str.contains(r"-[0-9]{2}:?[0-9]{2}$")).then(-1).otherwise(1)
    digits = text.str.extract(r"([0-9]{2}:?[0-9]{2})$").str.replace(":", "", literal=True)
    digits = pl.when(text.str.ends_with("Z")).then(pl.lit("0000")).otherwise(digits)
    hours = digits.str.head(2).cast(pl.Int64, strict=False)
    minutes = digits.str.tail(2).cast(pl.Int64, strict=False)
    return pl.duration(minutes=sign * (hours * 60 + minutes), time_unit="us")


def _counted(text: pl.Expr, zone: str | None) -> pl.Expr:
    """What is counted from 1970."""
    number = text.cast(pl.Int64, strict=False)
    units = [(_SECONDS, _US), (_MILLISECONDS, 1_000)]
    micros = reduce(
        lambda found, unit: (
            pl.when(text.str.contains(unit[0])).then(number * unit[1]).otherwise(found)
        ),
        units,
        pl.lit(None, pl.Int64),
    )
    instant = micros.cast(pl.Datetime("us"))
    return instant if zone is None else _on_the_wall(instant, zone)


def _on_the_wall(instant: pl.Expr, zone: str) -> pl.Expr:
    return instant.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)

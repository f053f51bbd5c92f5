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
    whole = _all_iso(texts) if pattern is None else None
    if whole is not None:
        return Moments(whole, pc.equal(pc.binary_length(texts), DAY_LENGTH))
    text = pl.col("text")
    frame = pl.DataFrame({"text": pl.Series(texts)}).with_columns(
        (pl.lit(None, pl.Datetime("us")) if pattern is None else _parsed(text, pattern)).alias(
            "by pattern"
        )
    )
    iso, counted = _iso(text, zone), _counted(text, zone)
    found = frame.select(
        pl.coalesce("by pattern", iso, counted).alias("value"),
        pl.when(pl.col("by pattern").is_not_null())
        .then(pl.lit(not clock))
        .otherwise(~text.str.contains(":") & iso.is_not_null())
        .alias("day"),
    )
    return Moments(found["value"].to_arrow().cast(MOMENT), found["day"].to_arrow())


def is_whole(pattern: str) -> bool:
    """Whether `pattern` (strftime's) says enough to make a moment of a text."""
    try:
        pl.Series(["x"]).str.to_datetime(pattern, strict=False, time_unit="us")
    except pl.exceptions.PolarsError:
        return False
    return True


def _all_iso(texts: pa.Array) -> pa.Array | None:
    """The moments where all texts are ISO 8601 without a zone: an eighth of the time."""
    try:
        return pc.cast(texts, MOMENT)
    except pa.ArrowInvalid:
        return None


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

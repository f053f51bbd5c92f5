"""Time zones by name (`Asia/Shanghai`) or by fixed offset (`+05:30`)."""

import re
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_OFFSET: Final = re.compile(r"[+-]\d\d:?\d\d")


def check_zone(name: str) -> None:
    """Return for a zone that is known. Raises `ValueError` with one sentence for another."""
    try:
        wall_clock(pa.array([0], pa.timestamp("ms", "UTC")), name)
        pc.local_timestamp(pa.array([0], pa.timestamp("ms", name or "none")))
    except (pa.ArrowInvalid, pl.exceptions.PolarsError):
        message = f"{name[:40]!r} is not a time zone; use a name like 'Asia/Shanghai' or '+08:00'"
        raise ValueError(message) from None


def known_zone(name: str) -> str:
    """The zone itself. Raises `ValueError` with one sentence for one that is not known."""
    check_zone(name)
    return name


def wall_clock(instants: pa.Array, zone: str) -> pa.Array:
    """Zoned timestamps as the naive date and time that a clock in `zone` shows.

    Named zones are polars' affair, which knows daylight saving until 2099; Arrow stops in 2037
    (measured). Offsets are Arrow's: polars knows whole hours only.
    """
    if _OFFSET.fullmatch(zone):
        return pc.local_timestamp(instants.cast(pa.timestamp(instants.type.unit, zone)))
    utc = pl.Series(instants.cast(pa.timestamp(instants.type.unit, "UTC")))
    wall = utc.dt.convert_time_zone(zone).dt.replace_time_zone(None).to_arrow()
    return wall.cast(pa.timestamp(instants.type.unit))

"""Time zones by name (`Asia/Shanghai`) or by fixed offset (`+05:30`)."""

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone known to the database, or `offset` in minutes east of UTC."""

    name: str
    offset: int | None = None

    @classmethod
    def parse(cls, name: str) -> "Zone":
        """The zone called `name`. Raises `ValueError` for one that nobody knows."""
        match = _OFFSET.fullmatch(name)
        if match:
            minutes = int(match[2]) * 60 + int(match[3])
            return cls(name, -minutes if match[1] == "-" else minutes)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"{name!r} is not a time zone; use a name like 'Asia/Shanghai' or '+08:00'"
            raise ValueError(message) from None
        return cls(name)

    def wall_clock(self, instants: pl.Expr) -> pl.Expr:
        """Zoned timestamps as the naive date and time that a clock in this zone shows."""
        if self.offset is None:
            return instants.dt.convert_time_zone(self.name).dt.replace_time_zone(None)
        utc = instants.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return utc + pl.duration(minutes=self.offset)

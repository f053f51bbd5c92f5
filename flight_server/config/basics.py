"""What all sections are made of."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict

from flight_server.config.kinds import Flag, Number, Text
from flight_server.config.quantities import Duration

MS: Final = timedelta(milliseconds=1)
SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
MIB: Final = 1024**2
TIB: Final = 1024**4

SIGNED_LINK_MAX: Final = 7 * DAY
"""Links signed with version 4 live no longer."""


Switch = Annotated[bool, Flag()]
Line = Annotated[str, Text()]
Port = Annotated[int, Number(0, 65_535)]
Count = Annotated[int, Number(1, 1_000_000)]
Timeout = Annotated[timedelta, Duration(MS, 30 * DAY)]
Retention = Annotated[timedelta, Duration(MS, 3650 * DAY)]


class Section(BaseModel):
    """A frozen group of keys; an unknown one is an error, and no error shows a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

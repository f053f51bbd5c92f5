"""The most that one export may be, whoever asks for it."""

from typing import Annotated

from pydantic import Field

from flight_server.config.basics import MIB, TIB, Section
from flight_server.config.kinds import Number, OrElse
from flight_server.config.quantities import Size

_GIB = 1024 * MIB

_UNLIMITED = "unlimited"


class LimitsSection(Section):
    """What is larger is refused with LIMIT_EXCEEDED. None: no limit."""

    max_rows: Annotated[int | None, OrElse(_UNLIMITED, Number(1, 10**15))] = Field(
        default=10**9, description="Rows of an export"
    )
    max_columns: Annotated[int, Number(1, 1_000_000)] = Field(
        default=16_384, description="Columns of an export, with the fields of structs"
    )
    max_cell_bytes: Annotated[int, Size(1, 2 * _GIB)] = Field(
        default=64 * MIB, description="Bytes of one value as it is sent"
    )
    # Messages of the gRPC contract are joined up to 1 MiB, which in Arrow is less than the minimum.
    max_batch_bytes: Annotated[int, Size(4 * MIB, 4 * _GIB)] = Field(
        default=256 * MIB, description="Bytes of one batch, and of one row in the file"
    )
    max_bytes_in: Annotated[int | None, OrElse(_UNLIMITED, Size(1, 1024 * TIB))] = Field(
        default=256 * _GIB, description="Bytes of an export's values as they are sent, decoded"
    )
    max_bytes_out: Annotated[int | None, OrElse(_UNLIMITED, Size(1, 1024 * TIB))] = Field(
        default=256 * _GIB, description="Bytes of the file"
    )

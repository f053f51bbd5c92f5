"""Options of Arrow files."""

from typing import Final, Literal

from pydantic import Field

from exporters.options import FormatOptions

MAX_BATCH_ROWS: Final = 1_048_576


class ArrowOptions(FormatOptions):
    """Options of `arrow`."""

    format_name = "arrow"
    other_extensions = frozenset({"feather"})

    compression: Literal["none", "lz4", "zstd"] = Field(
        "lz4", description="how the values of each record batch are compressed"
    )
    record_batch_size: int = Field(
        65_536,
        ge=1,
        le=MAX_BATCH_ROWS,
        description="rows of a record batch; fewer where they are long",
    )

"""Options of Parquet files."""

from typing import Final, Literal

from pydantic import Field

from exporters.options import FormatOptions

MAX_GROUP_ROWS: Final = 1_048_576


class ParquetOptions(FormatOptions):
    """Options of `parquet`."""

    format_name = "parquet"

    compression: Literal["none", "snappy", "gzip", "zstd", "lz4"] = Field(
        "snappy", description="how the values of each column are compressed"
    )
    row_group_size: int = Field(
        122_880,
        ge=1,
        le=MAX_GROUP_ROWS,
        description="rows of a row group; fewer where they are long",
    )
